"""The workflows, step by step, against a whole environment on this machine: real SSH, PostgreSQL, AWS and API.

What a step takes from GitHub, npm or AWS itself is named and skipped, or a program stands in for it.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_gh import FakeGh
from tests.support.sandbox import registry, sandbox
from tests.support.workflows import Ran, Runner

KEY = "backend/security/quo-postgres-bastion.pem"  # as the workflows have it
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SKIPPED = {
    "actions/cache/restore", "actions/cache/save", "actions/checkout", "actions/download-artifact",
    "actions/setup-node", "actions/setup-python", "actions/upload-artifact", "aws-actions/configure-aws-credentials",
}  # fmt: skip
only_full = pytest.mark.skipif("not config.getoption('full')", reason="--full runs the other workflows as well")


class Repository:
    """The checkout of an application, whose environment ``dev`` is a sandbox."""

    def __init__(self, directory: Path, entry: dict[str, Any]) -> None:
        checkout = directory / "checkout"
        shutil.copytree(entry["app"], checkout, symlinks=True)
        (checkout / KEY).unlink()
        below = {name: str(Path(entry[name]).relative_to(entry["app"])) for name in ("tunnel_script", "migrations")}
        own = entry | below | {"app": ".", "ssh_key": KEY, "known_hosts": "~/.ssh/known_hosts", "confirm": True}
        registry(checkout, own, "dev")
        self.github = FakeGh(directory / "github")
        npm = self.github.bin / "npm"
        npm.write_text('#!/bin/sh\necho "npm $* in $PWD"\n')
        npm.chmod(0o755)
        context = {
            "inputs.environment": "dev",
            "vars.MIGRATION_HEALTH": f"git+https://github.com/acme/migration-health@{COMMIT}",
            "secrets.BASTION_SSH_KEY": Path(entry["ssh_key"]).read_text(),
            "secrets.BASTION_KNOWN_HOSTS": Path(entry["known_hosts"]).read_text(),
            "github.event.pull_request.number": "7",
        }
        self.secret = context["secrets.BASTION_SSH_KEY"].splitlines()[3]
        self.runner = Runner(checkout, context, [self.github.bin])

    def run(self, workflow: str, job: str, **matrix: str) -> dict[str, Ran]:
        """Run a job; gives its steps by name."""
        ran = {step.name: step for step in self.runner.run(workflow, job, **matrix)}
        assert {step.skipped for step in ran.values()} - {"", "a step before it failed"} <= SKIPPED
        assert not (self.runner.checkout / KEY).exists()
        assert not any(self.secret in step.output for step in ran.values())
        return ran

    def keep_history(self, archive: Path) -> None:
        """Make the artefact of the night, as GitHub would, and take the runner's file away."""
        file = self.runner.checkout / "migration-history" / "history.jsonl"
        with zipfile.ZipFile(archive, "w") as made:
            made.write(file, file.name)
        shutil.rmtree(file.parent)
        run = {"head_branch": "main", "repository_id": 1, "head_repository_id": 1}
        artifact = {"id": 1, "name": "migration-history-dev", "expired": False, "created_at": "", "workflow_run": run}
        self.github.set(artifacts=[artifact], zip=str(archive))

    def report(self) -> dict[str, Any]:
        file = self.runner.checkout / "migration-health-report" / "report.json"
        report: dict[str, Any] = json.loads(file.read_text())
        return report


@contextmanager
def repository(directory: Path, *faults: str) -> Iterator[Repository]:
    with sandbox(*faults) as entry:
        yield Repository(directory, entry)


def test_the_gate_blocks_a_deploy_and_comments_on_the_pull_request(tmp_path: Path) -> None:
    with repository(tmp_path, "failed-migration") as application:
        ran = application.run("gate.yml", "gate")
        assert ran["Judge"].status == 1, ran["Judge"].output
        assert {name for name, step in ran.items() if step.status == 0} == {
            "Install the application's packages", "Install the suite", "Remove the SSH key",
            "Write the SSH key and known_hosts",
        }  # fmt: skip
        assert "npm ci --ignore-scripts" in ran["Install the application's packages"].output
        (environment,) = application.report()["environments"]
        assert (environment["name"], environment["verdict"]) == ("dev", "blocked")
        assert [check["id"] for check in environment["checks"] if check["outcome"] == "unknown"] == []  # SSH was used
        for _ in range(2):
            assert application.run("gate.yml", "comment")["Comment on the pull request"].status == 0
        (comment,) = application.github.state["comments"]
        assert "failed-migration" in comment["body"]


@only_full
def test_the_gate_lets_a_healthy_environment_pass(tmp_path: Path) -> None:
    with repository(tmp_path) as application:
        ran = application.run("gate.yml", "gate")
        assert ran["Judge"].status == 0, ran["Judge"].output


@only_full
@pytest.mark.parametrize(
    ("fault", "status", "state"),
    [
        ("pending-migration", 0, "COMPLETED"),
        ("pending-fails-there-only", 1, "FAILED"),
        ("failed-migration", 1, None),  # nothing is sent
    ],
)
def test_after_a_deploy_the_job_ends_as_the_migration_does(
    tmp_path: Path, fault: str, status: int, state: str | None
) -> None:
    with repository(tmp_path, fault) as application:
        ran = application.run("after-deploy.yml", "migrate")
        assert ran["Judge"].status == status, ran["Judge"].output
        migration = application.report()["environments"][1]["migration"]
        assert (migration and migration["state"]) == state


@only_full
def test_a_night_keeps_its_history_and_opens_an_issue(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    if not hasattr(pytestconfig.option, "history"):
        pytest.skip("there is no --history")
    with repository(tmp_path, "failed-migration") as application:
        ran = application.run("nightly.yml", "night", environment="dev")
        assert ran["Fetch the history"].status == 0
        assert ran["Judge"].status == 1, ran["Judge"].output
        assert application.run("nightly.yml", "issue", environment="dev")["Open, update or close the issue"].status == 0
        application.keep_history(tmp_path / "history.zip")

        ran = application.run("nightly.yml", "night", environment="dev")
        assert ran["Judge"].status == 0, ran["Judge"].output  # nothing is new
        ran = application.run("nightly.yml", "issue", environment="dev")
        assert "Updated" in ran["Open, update or close the issue"].output  # and the drift is still there
        (issue,) = application.github.state["issues"]
        assert issue.get("state", "open") == "open"
