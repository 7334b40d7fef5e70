"""``--migrate``: the migrations run between two judgements, and everything that keeps them from being run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plugins.paths import ROOT
from plugins.run.check_catalog import all_checks
from tests.support import sandbox as harness
from tests.support.api_relay import CUT, Relay, Reply
from tests.support.sandbox import Result, run, to_toml

EVERY = len(all_checks())
ID = "2de4eabd-b268-4b87-8f8c-bd5fa65a20e5"
QUEUED = Reply(202, {"success": True, "migrationId": ID, "state": "INITIALIZING"})
RUNNING = Reply(200, {"migrationId": ID, "state": "RUNNING", "progress": 10})
COMPLETED = Reply(200, {"migrationId": ID, "state": "COMPLETED", "progress": 100})
LIMITS = {"poll_s": 0.2, "migration_s": 60, "connect_s": 15, "aws_read_s": 30}


class Told:
    """What a run said and wrote."""

    def __init__(self, result: Result, directory: Path) -> None:
        self.result = result
        self.environments: list[dict[str, Any]] = json.loads((directory / "report.json").read_text())["environments"]

    @property
    def flat(self) -> str:
        return " ".join(self.result.text.split())

    def finding(self, code: str) -> dict[str, Any]:
        """The only one of a code after the migration."""
        (found,) = (f for check in self.environments[1]["checks"] for f in check["findings"] if f["code"] == code)
        return dict(found)

    def outcome(self, check: str) -> str:
        (found,) = (each["outcome"] for each in self.environments[1]["checks"] if each["id"] == check)
        return str(found)


@dataclass
class World:
    """A sandbox whose API is behind a relay, as the environment ``prod`` of a registry."""

    entry: dict[str, Any]
    relay: Relay
    directory: Path

    def registry(self, **limits: float) -> Path:
        settings = {k: v for k, v in self.entry.items() if k != "embedded"}
        settings |= {"api_url": self.relay.url, "limits": {**LIMITS, **limits}}
        path = self.directory / "environments.toml"
        path.write_text(to_toml("prod", settings))
        return path

    def words(self, **limits: float) -> list[str]:
        return [
            "--env=prod", f"--environments={self.registry(**limits)}", f"--report={self.directory}",
            "-pno:allure_pytest",
        ]  # fmt: skip

    def run(self, *arguments: str, **limits: float) -> Told:
        """Judge, migrate and judge, as a user would."""
        return Told(run(*self.words(**limits), *arguments), self.directory)

    def migrate(self, *arguments: str, **limits: float) -> Told:
        return self.run("--migrate", "--confirm=prod", *arguments, **limits)


@contextmanager
def made(directory: Path, *faults: str) -> Iterator[World]:
    with harness.sandbox(*faults) as entry, Relay(entry["api_url"]) as relay:
        yield World(entry, relay, directory)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One with a pending migration, for runs whose POST never reaches the sandbox."""
    with made(tmp_path_factory.mktemp("shared"), "pending-migration") as world:
        yield world


@pytest.fixture
def world(shared: World, tmp_path: Path) -> World:
    shared.relay.say()
    return World(shared.entry, shared.relay, tmp_path)


# Migrations that are really run


def test_what_is_pending_is_applied_and_judged_anew(tmp_path: Path) -> None:
    # It waits for whoever still reads the history.
    alter = 'ALTER TABLE IF EXISTS "_prisma_migrations"'
    with made(tmp_path, "pending-migration") as world:
        world.entry["layer"] = ""  # it was built before this migration
        place = Path(world.entry["migrations"]) / "20261101090001_alters_the_history"
        place.mkdir()
        (place / "migration.sql").write_text(f"{alter} ADD COLUMN x INT; {alter} DROP COLUMN x;")
        told = world.migrate(f"--junitxml={tmp_path}/junit.xml")
        again = world.migrate()
        posts = world.relay.methods("POST")

    assert told.result.status == 0, told.flat
    before, after = told.environments
    assert (before["phase"], before["verdict"], before["history"]["pending"]) == ("before", "healthy", 2)
    assert (after["phase"], after["verdict"], after["history"]["pending"]) == ("after", "healthy", 0)
    migration = after["migration"]
    assert (migration["state"], migration["error"], migration["problem"]) == ("COMPLETED", None, None)
    assert migration["url"] == f"{world.relay.url}/db-migrate"
    assert "migration" not in before
    assert "pending-migration" not in told.result.out
    assert f"prod: migration COMPLETED after {migration['seconds']:.0f} s (id {migration['id']})" in told.flat
    assert f"prod: migration {migration['id']} COMPLETED" in told.result.err
    assert [asked.body for asked in posts] == [{"stage": "local", "dbType": "postgresql"}] * 2  # one a run

    cases = [case.get("name") or "" for case in ET.parse(tmp_path / "junit.xml").getroot().iter("testcase")]
    assert [name.partition("[")[2] for name in cases] == ["prod-before]"] * EVERY + ["prod-after]"] * EVERY
    assert cases[0].replace("before", "after") == cases[EVERY]

    assert again.result.status == 0  # nothing is pending: a run all the same
    assert again.environments[1]["migration"]["state"] == "COMPLETED"
    assert again.environments[1]["migration"]["id"] != migration["id"]


def test_a_migration_that_fails_is_named_with_its_cause(tmp_path: Path) -> None:
    with made(tmp_path, "pending-fails-there-only") as world:
        told = world.migrate()
        posts = world.relay.methods("POST")
    assert told.result.status == 1
    assert len(posts) == 1
    before, after = told.environments
    assert (before["verdict"], after["verdict"], after["migration"]["state"]) == ("healthy", "blocked", "FAILED")
    cause = told.finding("failed-migration")
    assert (cause["subject"], cause["explained_by"]) == ("99990101000000_fails", None)
    assert told.finding("migration-run-failed")["explained_by"] == "failed-migration:99990101000000_fails"
    assert "Root cause: failed-migration, 99990101000000_fails" in told.flat
    assert 'relation "Absent" does not exist' in told.flat
    assert "explains migration-run-failed: The run ended as FAILED" in told.flat
    assert "99990101000000_fails" in (tmp_path / "fixes-prod.sql").read_text()


def test_nothing_is_sent_where_something_blocks(tmp_path: Path) -> None:
    with made(tmp_path, "failed-migration") as world:
        told = world.migrate()
        assert {asked.method for asked in world.relay.asked} == {"GET"}
    assert told.result.status == 1
    before, after = told.environments
    assert before["verdict"] == "blocked"
    assert after["migration"] is None
    assert {check["outcome"] for check in after["checks"]} == {"skipped"}
    assert len(after["checks"]) == EVERY
    reason = "no migration was asked for: before it, 2 checks found something that blocks"
    assert f"prod: {reason}" in told.flat
    assert told.result.out.count(reason) == 1
    # What is to be mended is what was found before.
    assert "rolled_back_at" in (tmp_path / "fixes-prod.sql").read_text()


def test_nothing_is_sent_where_a_question_is_open(world: World) -> None:
    settings = {**world.entry, "secret": "none"}
    told = World(settings, world.relay, world.directory).migrate()
    assert told.result.status == 1
    assert world.relay.methods("POST") == []
    assert "could not be made" in told.flat


# Answers that the sandbox does not give


def test_a_lost_answer_is_not_checked_and_never_sent_again(world: World) -> None:
    world.relay.say([CUT])
    told = world.migrate()
    assert told.result.status == 1
    assert len(world.relay.methods("POST")) == 1
    assert told.outcome("migration-run") == "unknown"
    assert told.environments[1]["migration"]["state"] == "UNKNOWN"
    assert "the POST was sent and its answer is lost" in told.flat
    assert "do not send it again" in told.flat
    assert "migrations/local/" in told.flat


def test_a_refused_post_explains_what_is_still_pending(world: World) -> None:
    world.relay.say([Reply(404, {"message": "Not Found"})])
    told = world.migrate()
    assert told.result.status == 1
    url = f"{world.relay.url}/db-migrate"
    assert f"Root cause: migration-not-started, {url}" in told.flat
    assert told.finding("pending-migration")["explained_by"] == f"migration-not-started:{url}"
    assert told.environments[1]["migration"]["id"] is None


def test_a_run_that_does_not_end_is_said_to_go_on(world: World) -> None:
    world.relay.say([QUEUED], [RUNNING])
    told = world.migrate(migration_s=1)
    assert told.result.status == 1
    assert told.finding("migration-run-unfinished")["subject"] == ID
    assert f"GET {world.relay.url}/db-migrate/{ID}?stage=local" in told.flat


def test_a_run_that_is_completed_is_judged_by_what_is_there(world: World) -> None:
    world.relay.say([QUEUED], [RUNNING, COMPLETED])
    told = world.migrate()
    assert told.result.status == 1
    assert told.outcome("migration-run") == "passed"
    assert told.finding("pending-migration")["severity"] == "error"


def test_an_interrupted_run_goes_on_and_says_so(world: World) -> None:
    world.relay.say([QUEUED], [RUNNING])
    looked = threading.Semaphore(0)
    world.relay.watch = lambda asked: looked.release() if asked.path.endswith(ID) else None
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *world.words(), "--migrate", "--confirm=prod"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "AWS_", "PG"))}
    with subprocess.Popen(
        command, cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            assert looked.acquire(timeout=90)
            assert looked.acquire(timeout=10)  # the first look has been understood
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    told = Told(Result(process.returncode, out, err), world.directory)
    assert process.returncode == 2
    assert f"the run {ID} goes on in AWS: look at {world.relay.url}/db-migrate/{ID}?stage=local" in err
    migration = told.environments[1]["migration"]
    assert (migration["id"], migration["state"]) == (ID, "RUNNING")
    assert f"prod: migration RUNNING after {migration['seconds']:.0f} s (id {ID})" in told.flat
    assert len(world.relay.methods("POST")) == 1


# What keeps it from being asked for

REFUSED: dict[str, tuple[list[str], str]] = {
    "without confirm": (["--migrate"], "--migrate changes prod. Add --confirm=prod"),
    "another confirmed": (["--migrate", "--confirm=dev"], "--confirm=dev is not the environment that --env names"),
    "confirm alone": (["--confirm=prod"], "--confirm goes with --migrate"),
    "with a phase": (["--migrate", "--confirm=prod", "--phase=after"], "Leave --phase out"),
    "with -n": (["--migrate", "--confirm=prod", "-n2"], "does not go with -n"),
    "with --co": (["--migrate", "--confirm=prod", "--co"], "does not go with --collect-only"),
    "with -k": (["--migrate", "--confirm=prod", "-k", "identity"], "needs every check"),
    "with -k, only after": (["--migrate", "--confirm=prod", "-k", "after"], "needs every check"),
    "with a test's name": (["--migrate", "--confirm=prod", "checks/test_api.py"], "needs every check"),
    "two environments": (["--migrate", "--confirm=prod", "--env=prod,dev"], "exactly one environment"),
    "no environment": (["--migrate", "checks"], "exactly one environment"),
}


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
def test_what_nobody_can_have_meant_is_refused_before_anything_is_asked(
    tmp_path: Path, words: list[str], said: str
) -> None:
    with Relay() as relay:
        registry = tmp_path / "environments.toml"
        settings = {
            "api_url": relay.url, "aws_endpoint_url": relay.url, "secret": "s", "cluster_prefix": "c", "ssh_key": "k",
            "tunnel_script": "t", "migrations": "m", "functions": {"auth": "a", "worker": "w"},
        }  # fmt: skip
        registry.write_text(to_toml("prod", settings) + to_toml("dev", settings))
        env = [] if any("--env" in word or word == "checks" for word in words) else ["--env=prod"]
        result = run("-pno:allure_pytest", f"--environments={registry}", *env, *words)
        assert relay.asked == []
    assert result.status == 4, result.text
    (line,) = [line for line in result.err.splitlines() if line.startswith("ERROR")]
    assert said in line


def test_without_the_option_the_api_is_only_read(world: World) -> None:
    told = world.run()
    assert told.result.status == 0
    assert [asked.method for asked in world.relay.asked] == ["GET"]
    (environment,) = told.environments
    assert "migration" not in environment


def test_checks_that_are_not_made_send_nothing(world: World) -> None:
    told = world.migrate("--setup-only")
    assert told.result.status != 0
    assert world.relay.methods("POST") == []


def test_the_local_environment_needs_no_confirmation() -> None:
    result = run("--env=local", "--migrate", "-pno:allure_pytest")
    assert result.status == 0
    assert "local: migration COMPLETED" in result.out
