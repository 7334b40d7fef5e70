"""The files for a pipeline are what GitHub, GitLab and pre-commit take, ask for little, and hold no foreign text."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.paths import ROOT
from tests.support import actionlint
from tests.support.load import patience
from tests.support.workflows import GITHUB, read

WORKFLOWS = sorted(GITHUB.glob("*.yml"))
ACTION = GITHUB / "action" / "action.yml"
GITLAB = ROOT / "ci" / "gitlab" / "gate.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
SCRIPTS = sorted([*(GITHUB / "action").glob("*.sh"), *GITLAB.parent.glob("*.sh")])
NAMES = ["after-deploy.yml", "gate.yml", "nightly.yml"]


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=ROOT, check=False, capture_output=True, text=True, timeout=patience(120), stdin=subprocess.DEVNULL
    )


def program(name: str) -> str:
    """A program of the environment that the tests run in."""
    return str(Path(sys.executable).with_name(name))


def steps(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in content["jobs"].values() if "jobs" in content else [content["runs"]]:
        yield from job["steps"]


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", WORKFLOWS),
        ("github-actions", [ACTION]),
        ("gitlab-ci", [GITLAB]),
    ],
    ids=["workflows", "action", "gitlab"],
)
def test_files_follow_the_published_schema(schema: str, files: list[Path]) -> None:
    transform = ["--data-transform=gitlab-ci"] if schema == "gitlab-ci" else []
    done = call(
        program("check-jsonschema"), f"--builtin-schema=vendor.{schema}", *transform, "--no-cache", *map(str, files)
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_accepts_the_workflows(tmp_path: Path) -> None:
    assert [path.name for path in WORKFLOWS] == NAMES
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text().replace("${{ secrets.", "${{ secret."))
    found = actionlint.complaints([*WORKFLOWS, wrong])
    assert [line for line in found if not line.startswith(str(wrong))] == []
    assert [line for line in found if '"secret"' in line]


def test_scripts_are_clean_for_shellcheck() -> None:
    assert len(SCRIPTS) == 7
    assert [path for path in SCRIPTS if not path.stat().st_mode & 0o100] == []
    done = call(program("shellcheck"), "--norc", "--format=gcc", *map(str, SCRIPTS))
    assert done.returncode == 0, done.stdout
    assert all("set -euo pipefail" in path.read_text() for path in SCRIPTS)


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION], ids=lambda path: path.stem)
def test_no_expression_stands_in_a_shell(path: Path) -> None:
    runs = [step["run"] for step in steps(read(path)) if "run" in step]
    assert runs
    assert [run for run in runs if "${{" in run] == []


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION], ids=lambda path: path.stem)
def test_foreign_actions_are_pinned_to_a_commit(path: Path) -> None:
    used = re.findall(
        r"uses: (\S+)(.*)", "\n".join(line for line in path.read_text().splitlines() if "#   " not in line)
    )
    assert used
    for name, comment in used:
        if not name.startswith("./"):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name), name
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), name


def test_one_action_has_one_version() -> None:
    pinned: dict[str, set[str]] = {}
    for path in [*WORKFLOWS, ACTION]:
        for owner, commit in re.findall(r"uses: ([\w-]+/[\w-]+)[\w/-]*@(\S+)", path.read_text()):
            pinned.setdefault(owner, set()).add(commit)
    assert {name: commits for name, commits in pinned.items() if len(commits) > 1} == {}


WANTED = {
    ("gate.yml", "gate"): {"contents": "read", "id-token": "write"},
    ("gate.yml", "comment"): {"contents": "read", "pull-requests": "write"},
    ("after-deploy.yml", "migrate"): {"contents": "read", "id-token": "write"},
    ("nightly.yml", "night"): {"contents": "read", "id-token": "write", "actions": "read"},
    ("nightly.yml", "issue"): {"contents": "read", "issues": "write"},
}


def test_each_job_has_the_permissions_that_it_needs_and_no_other() -> None:
    given: dict[tuple[str, str], dict[str, str]] = {}
    for path in WORKFLOWS:
        content = read(path)
        assert content["permissions"] == {}
        given |= {(path.name, name): job["permissions"] for name, job in content["jobs"].items()}
    assert given == WANTED


def test_no_job_that_logs_in_to_aws_has_a_token_that_writes_to_github() -> None:
    for path in WORKFLOWS:
        for job in read(path)["jobs"].values():
            if job["permissions"].get("id-token") == "write":
                assert {value for key, value in job["permissions"].items() if key != "id-token"} == {"read"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_job_has_a_limit_and_each_workflow_is_one_at_a_time(path: Path) -> None:
    content = read(path)
    assert all(job["timeout-minutes"] <= 40 for job in content["jobs"].values())
    assert "github.workflow" not in content["concurrency"]["group"]
    assert all(
        step["with"]["persist-credentials"] is False
        for step in steps(content)
        if step.get("uses", "").startswith("actions/checkout@")
    )


def test_the_action_knows_every_input_that_it_is_given() -> None:
    known = read(ACTION)["inputs"]
    for path in WORKFLOWS:
        (given,) = [step["with"] for step in steps(read(path)) if step.get("uses", "").startswith("./")]
        assert set(given) <= set(known)
        assert {name for name, value in known.items() if value.get("required")} <= set(given)


def test_nights_and_their_issues_are_of_the_same_environments() -> None:
    jobs = read(GITHUB / "nightly.yml")["jobs"]
    assert jobs["night"]["strategy"] == jobs["issue"]["strategy"]


def test_gitlab_tells_unknown_from_blocked() -> None:
    job = read(GITLAB)["migration-gate"]
    assert job["allow_failure"] == {"exit_codes": [10]}
    assert job["artifacts"]["when"] == "always"


def test_hooks_start_programs_of_the_package() -> None:
    programs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    hooks: Any = read(HOOKS)
    assert {hook["id"]: hook["entry"].split()[0] in programs for hook in hooks} == {
        "migration-editing": True,
        "migration-schema-file": True,
    }


@pytest.mark.parametrize(
    ("name", "editing", "schema_file"),
    [
        ("prisma/migrations/20260101000000_init/migration.sql", True, True),
        ("migrations/20260101000000_init/migration.sql", True, True),
        ("prisma/migrations/migration_lock.toml", False, False),
        ("prisma/schema.prisma", False, True),
        ("prisma/schema/user.prisma", False, True),
        ("src/migration.sql", False, False),
    ],
)
def test_hooks_run_for_the_files_that_matter(name: str, editing: bool, schema_file: bool) -> None:
    hooks: Any = read(HOOKS)
    assert [bool(re.search(hook["files"], name)) for hook in hooks] == [editing, schema_file]


def test_the_guide_names_every_file() -> None:
    guide = (ROOT / "docs" / "guides" / "ci.md").read_text()
    files = [*WORKFLOWS, ACTION, *SCRIPTS, GITLAB, HOOKS]
    assert [path.name for path in files if path.name not in guide] == []
