"""``--migrate``: the migrations run between two judgements, and everything that keeps them from being run."""

from __future__ import annotations

import json
import signal
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from health.parts import EVERY, Part
from plugins.run.check_catalog import checks_of_parts
from tests.support import sandbox as harness
from tests.support.api_relay import CUT, ApiRelay, Reply
from tests.support.gate_runs import Result, run, start
from tests.support.load import patience
from tests.support.sandbox import to_toml
from tests.support.side_by_side import side_by_side

ID = "2de4eabd-b268-4b87-8f8c-bd5fa65a20e5"
QUEUED = Reply(202, {"success": True, "migrationId": ID, "state": "INITIALIZING"})
RUNNING = Reply(200, {"migrationId": ID, "state": "RUNNING", "progress": 10})
COMPLETED = Reply(200, {"migrationId": ID, "state": "COMPLETED", "progress": 100})
LIMITS = {"poll_s": 0.2, "migration_s": 60, "connect_s": 15, "aws_read_s": 30}


class Told:
    """What a run said and wrote."""

    def __init__(self, result: Result, directory: Path) -> None:
        self.result = result
        self.again: Told | None = None  # a second run
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
    relay: ApiRelay
    directory: Path

    def words(self, **limits: float) -> list[str]:
        settings = {**self.entry, "api_url": self.relay.url, "limits": {**LIMITS, **limits}}
        return [
            *harness.registry(self.directory, settings, "prod"), f"--report={self.directory}", "-pno:allure_pytest"
        ]  # fmt: skip

    def run(self, *arguments: str, **limits: float) -> Told:
        """Judge, migrate and judge, as a user would."""
        return Told(run(*self.words(**limits), *arguments), self.directory)

    def migrate(self, *arguments: str, **limits: float) -> Told:
        return self.run("--migrate", "--confirm=prod", *arguments, **limits)


@contextmanager
def made(directory: Path, *faults: str) -> Iterator[World]:
    with harness.sandbox(*faults) as entry, ApiRelay(entry["api_url"]) as relay:
        yield World(entry, relay, directory)


@dataclass(frozen=True)
class Run:
    """A run that has ended, and what its API was asked."""

    told: Told
    relay: ApiRelay
    directory: Path


Runs = Callable[[str], Run]
Act = Callable[[World], Told]
SHARED: dict[str, Act] = {}  # over one sandbox with a pending migration, as their POST never reaches it
OWN: dict[str, tuple[str, Act]] = {}  # with the fault of a sandbox of their own


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Runs]:
    """All runs, side by side; each is called as its test."""

    def shared(act: Act, entry: dict[str, Any]) -> Run:
        with ApiRelay(entry["api_url"]) as relay:
            world = World(entry, relay, tmp_path_factory.mktemp("shared"))
            return Run(act(world), relay, world.directory)

    def own(fault: str, act: Act) -> Run:
        with made(tmp_path_factory.mktemp("own"), fault) as world:
            return Run(act(world), world.relay, world.directory)

    asked = {item.name for item in request.session.items if item.path == request.path}
    with harness.sandbox("pending-migration") as entry:
        work: dict[str, Callable[[], Run]] = {name: partial(own, *OWN[name]) for name in OWN if name in asked}
        work |= {name: partial(shared, SHARED[name], entry) for name in SHARED if name in asked}
        with side_by_side(work) as result:
            yield result


@pytest.fixture
def done(runs: Runs, request: pytest.FixtureRequest) -> Run:
    """The run of this test."""
    return runs(request.node.name)


# Migrations that are really run


def apply(world: World) -> Told:
    # It waits for whoever still reads the history.
    alter = 'ALTER TABLE IF EXISTS "_prisma_migrations"'
    world.entry["layer"] = ""  # it was built before this migration
    place = Path(world.entry["migrations"]) / "20261101090001_alters_the_history"
    place.mkdir()
    (place / "migration.sql").write_text(f"{alter} ADD COLUMN x INT; {alter} DROP COLUMN x;")
    told = world.migrate(f"--junitxml={world.directory}/junit.xml")
    told.again = world.migrate()
    return told


OWN["test_what_is_pending_is_applied_and_judged_anew"] = "pending-migration", apply


def test_what_is_pending_is_applied_and_judged_anew(done: Run) -> None:
    told, again, posts = done.told, done.told.again, done.relay.methods("POST")
    assert again is not None
    assert told.result.status == 0, told.flat
    before, after = told.environments
    assert (before["phase"], before["verdict"], before["history"]["pending"]) == ("before", "healthy", 2)
    assert (after["phase"], after["verdict"], after["history"]["pending"]) == ("after", "healthy", 0)
    migration = after["migration"]
    assert (migration["state"], migration["error"], migration["problem"]) == ("COMPLETED", None, None)
    assert migration["url"] == f"{done.relay.url}/db-migrate"
    assert "migration" not in before
    assert "pending-migration" not in told.result.out
    assert f"prod: migration COMPLETED after {migration['seconds']:.0f} s (id {migration['id']})" in told.flat
    assert f"prod: migration {migration['id']} COMPLETED" in told.result.err
    assert [asked.body for asked in posts] == [{"stage": "local", "dbType": "postgresql"}] * 2  # one a run

    cases = [case.get("name") or "" for case in ET.parse(done.directory / "junit.xml").getroot().iter("testcase")]
    count = len(checks_of_parts(EVERY - {Part.LAYER}))
    assert [name.partition("[")[2] for name in cases] == ["prod-before]"] * count + ["prod-after]"] * count
    assert cases[0].replace("before", "after") == cases[count]

    assert again.result.status == 0  # nothing is pending: a run all the same
    assert again.environments[1]["migration"]["state"] == "COMPLETED"
    assert again.environments[1]["migration"]["id"] != migration["id"]


OWN["test_a_migration_that_fails_is_named_with_its_cause"] = "pending-fails-there-only", World.migrate


def test_a_migration_that_fails_is_named_with_its_cause(done: Run) -> None:
    told = done.told
    assert told.result.status == 1
    assert len(done.relay.methods("POST")) == 1
    before, after = told.environments
    assert (before["verdict"], after["verdict"], after["migration"]["state"]) == ("healthy", "blocked", "FAILED")
    cause = told.finding("failed-migration")
    assert (cause["subject"], cause["explained_by"]) == ("99990101000000_fails", None)
    assert told.finding("migration-run-failed")["explained_by"] == "failed-migration:99990101000000_fails"
    assert "Root cause: failed-migration, 99990101000000_fails" in told.flat
    assert 'relation "Absent" does not exist' in told.flat
    assert "explains migration-run-failed: The run ended as FAILED" in told.flat
    assert "99990101000000_fails" in (done.directory / "fixes-prod.sql").read_text()


OWN["test_nothing_is_sent_where_something_blocks"] = "failed-migration", World.migrate


def test_nothing_is_sent_where_something_blocks(done: Run) -> None:
    told = done.told
    assert {asked.method for asked in done.relay.asked} == {"GET"}
    assert told.result.status == 1
    before, after = told.environments
    assert before["verdict"] == "blocked"
    assert after["migration"] is None
    assert {check["outcome"] for check in after["checks"]} == {"skipped"}
    assert {check["id"] for check in after["checks"]} == checks_of_parts(EVERY).keys()
    reason = "no migration was asked for: before it, 2 checks found something that blocks"
    assert f"prod: {reason}" in told.flat
    assert told.result.out.count(reason) == 1
    # What is to be mended is what was found before.
    assert "rolled_back_at" in (done.directory / "fixes-prod.sql").read_text()


SHARED["test_nothing_is_sent_where_a_question_is_open"] = lambda world: replace(
    world, entry={**world.entry, "secret": "none"}
).migrate()


def test_nothing_is_sent_where_a_question_is_open(done: Run) -> None:
    told = done.told
    assert told.result.status == 1
    assert done.relay.methods("POST") == []
    assert "could not be made" in told.flat


# Answers that the sandbox does not give


def answered(*posts: Reply, then: Iterable[Reply] = (), **limits: float) -> Act:
    """A run with these answers to POST, and then to GET."""

    def act(world: World) -> Told:
        world.relay.say(posts, then)
        return world.migrate(**limits)

    return act


SHARED["test_a_lost_answer_is_not_checked_and_never_sent_again"] = answered(CUT)


def test_a_lost_answer_is_not_checked_and_never_sent_again(done: Run) -> None:
    told = done.told
    assert told.result.status == 1
    assert len(done.relay.methods("POST")) == 1
    assert told.outcome("migration-run") == "unknown"
    assert told.environments[1]["migration"]["state"] == "UNKNOWN"
    assert "the POST was sent and its answer is lost" in told.flat
    assert "do not send it again" in told.flat
    assert "migrations/local/" in told.flat


SHARED["test_a_refused_post_explains_what_is_still_pending"] = answered(Reply(404, {"message": "Not Found"}))


def test_a_refused_post_explains_what_is_still_pending(done: Run) -> None:
    told = done.told
    assert told.result.status == 1
    url = f"{done.relay.url}/db-migrate"
    assert f"Root cause: migration-not-started, {url}" in told.flat
    assert told.finding("pending-migration")["explained_by"] == f"migration-not-started:{url}"
    assert told.environments[1]["migration"]["id"] is None


SHARED["test_a_run_that_does_not_end_is_said_to_go_on"] = answered(QUEUED, then=[RUNNING], migration_s=1)


def test_a_run_that_does_not_end_is_said_to_go_on(done: Run) -> None:
    told = done.told
    assert told.result.status == 1
    assert told.finding("migration-run-unfinished")["subject"] == ID
    assert f"GET {done.relay.url}/db-migrate/{ID}?stage=local" in told.flat


SHARED["test_a_run_that_is_completed_is_judged_by_what_is_there"] = answered(QUEUED, then=[RUNNING, COMPLETED])


def test_a_run_that_is_completed_is_judged_by_what_is_there(done: Run) -> None:
    told = done.told
    assert told.result.status == 1
    assert told.outcome("migration-run") == "passed"
    assert told.finding("pending-migration")["severity"] == "error"


def interrupt(world: World) -> Told:
    world.relay.say([QUEUED], [RUNNING])
    looked = threading.Semaphore(0)
    world.relay.watch = lambda asked: looked.release() if asked.path.endswith(ID) else None
    with start(*world.words(), "--migrate", "--confirm=prod") as process:
        try:
            assert looked.acquire(timeout=patience(90))
            assert looked.acquire(timeout=patience(10))  # the first look has been understood
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=patience(30))
        finally:
            process.kill()
    return Told(Result(process.returncode, out, err), world.directory)


SHARED["test_an_interrupted_run_goes_on_and_says_so"] = interrupt


def test_an_interrupted_run_goes_on_and_says_so(done: Run) -> None:
    told = done.told
    assert told.result.status == 2
    assert f"the run {ID} goes on in AWS: look at {done.relay.url}/db-migrate/{ID}?stage=local" in told.result.err
    migration = told.environments[1]["migration"]
    assert (migration["id"], migration["state"]) == (ID, "RUNNING")
    assert f"prod: migration RUNNING after {migration['seconds']:.0f} s (id {ID})" in told.flat
    assert len(done.relay.methods("POST")) == 1


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
    with ApiRelay() as relay:
        registry = tmp_path / "environments.toml"
        settings = {
            "api_url": relay.url, "aws_endpoint_url": relay.url, "secret": "s", "cluster_prefix": "c", "ssh_key": "k",
            "tunnel_script": "t", "migrations": "m", "functions": {"auth": "a", "worker": "w"},
            "aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "not-used",
        }  # fmt: skip
        (tmp_path / "m").mkdir()  # with the key all that the pre-flight asks for
        (tmp_path / "k").touch()
        registry.write_text(to_toml("prod", settings) + to_toml("dev", settings))
        env = [] if any("--env" in word or word == "checks" for word in words) else ["--env=prod"]
        result = run("-pno:allure_pytest", f"--environments={registry}", *env, *words)
        assert relay.asked == []
    assert result.status == 4, result.text
    (line,) = [line for line in result.err.splitlines() if line.startswith("ERROR")]
    assert said in line


SHARED["test_without_the_option_the_api_is_only_read"] = World.run


def test_without_the_option_the_api_is_only_read(done: Run) -> None:
    told = done.told
    assert told.result.status == 0
    assert [asked.method for asked in done.relay.asked] == ["GET"]
    (environment,) = told.environments
    assert "migration" not in environment


SHARED["test_checks_that_are_not_made_send_nothing"] = lambda world: world.migrate("--setup-only")


def test_checks_that_are_not_made_send_nothing(done: Run) -> None:
    assert done.told.result.status != 0
    assert done.relay.methods("POST") == []


def test_the_local_environment_needs_no_confirmation() -> None:
    result = run("--env=local", "--migrate", "-pno:allure_pytest", real=True)
    assert result.status == 0
    assert "local: migration COMPLETED" in result.out
