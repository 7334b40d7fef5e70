"""Each case of ``tests/cases``, judged by Prisma's engine: its deploy ends as the case says that it is right."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.npm_postgres import NEWEST
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.prisma.statement_batches import in_one
from health.prisma.version import PrismaVersion
from health.secrets.secret import Secret
from health.sql.splitter import locate
from sandbox.case import Case, read_case
from sandbox.database import extension
from sandbox.database.case import put
from sandbox.database.history import connect
from tests.engine import prisma
from tests.engine.prisma import Generation
from tests.engine.test_engine import IN_URL, PASSWORD
from tests.support import npm_servers
from tests.support.cases import CASES, Expected, ExpectedCase
from tests.support.clone_servers import ON_LOOPBACK

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

GENERATIONS: tuple[Generation, ...] = ("6.19.3", "7.10.1")


@dataclass(frozen=True)
class Deployed:
    """How a deploy ends.

    Attributes:
        applied: the migrations that it applies.
        failing: the one that it stops at.
        code: the SQLSTATE, or Prisma's own code; None where it ends well.
        statement: the first word of the engine's own statement that failed.
    """

    applied: tuple[str, ...] = ()
    failing: str | None = None
    code: str | None = None
    statement: str | None = None


class Databases:
    """A database for each case, on as few servers as there can be: the roles of a case are its server's."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack, self._numbers = stack, itertools.count()
        self._servers: dict[object, PrivatePostgres] = {}

    def urls(self, case: Case, programs: Path | None) -> dict[Generation, str]:
        """Put a case into databases of its own, one for each engine, on a server by these programs."""
        server, name = self._free_server(case, programs), f"case_{next(self._numbers)}"
        self._execute(server, f"CREATE DATABASE {name}")
        put(server.address, PASSWORD, case, name)
        urls: dict[Generation, str] = {}
        for number, generation in enumerate(GENERATIONS):
            self._execute(server, f"CREATE DATABASE {name}_{number} TEMPLATE {name}")
            urls[generation] = f"postgresql://postgres:{IN_URL}@127.0.0.1:{server.port}/{name}_{number}"
        return urls

    def _free_server(self, case: Case, programs: Path | None) -> PrivatePostgres:
        roles = "SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|postgres$)'"
        kind = programs, tuple(case.extensions.items())
        if kind not in self._servers or self._execute(self._servers[kind], roles):
            place = self._stack.enter_context(private_directory("cases"))
            settings = ON_LOOPBACK | extension.settings(place, case.extensions, NEWEST)
            made = PrivatePostgres(place, Secret(PASSWORD), programs=programs, settings=settings)
            self._servers[kind] = self._stack.enter_context(made)
        return self._servers[kind]

    @staticmethod
    def _execute(server: PrivatePostgres, sql: str) -> list[tuple[Any, ...]]:
        with connect(server.address, PASSWORD) as admin:
            cursor = admin.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []


def programs_of(case: ExpectedCase) -> Path | None:
    """What a case's server is started by; None: the embedded one's. It skips where that cannot be had."""
    return npm_servers.programs(NEWEST) if case.needs_contrib else None


def unavailable(case: ExpectedCase) -> bool:
    return case.needs_contrib and npm_servers.unavailable(NEWEST) is not None


def unsent(case: Case) -> str | None:
    """Why the engine in WebAssembly cannot judge a case; None if it can."""
    if PrismaVersion(case.prisma, "").one_query or failed(case):
        return None
    for name in pending(case):
        if not in_one(locate(case.migrations.by_name[name].sql or "")):
            return f"Prisma {case.prisma} sends {name} statement by statement, which WebAssembly leaves to its driver"
    return None


def failed(case: Case) -> bool:
    return any(not row.finished and not row.rolled_back for row in case.rows)


def pending(case: Case) -> list[str]:
    known = {*case.applied, *(row.name for row in case.rows if not row.rolled_back)}
    return [migration.name for migration in case.migrations.migrations if migration.name not in known]


def foretold(expected: Expected) -> Deployed:
    """What the forecast of a case comes to."""
    applied: list[str] = []
    for name, outcome in expected.forecast.items():
        if outcome.code is not None:
            return Deployed(tuple(applied), name, outcome.code, outcome.statement)
        applied.append(name)
    return Deployed(tuple(applied))


def answered(answer: dict[str, Any]) -> Deployed:
    outcome = prisma.outcome(answer)
    if outcome.exit_code == 0:
        return Deployed(outcome.applied)
    refused = answer["refused"] or {}
    code = outcome.code if outcome.code not in {None, "P3018"} else refused["code"]
    failing = answer["begun"][-1] if answer["begun"] else None
    return Deployed(outcome.applied, failing, code, refused["own"].split()[0] if refused.get("own") else None)


@pytest.fixture(scope="module")
def ends() -> Iterator[dict[tuple[str, Generation], tuple[Deployed, str]]]:
    """By case and engine: how the deploy ended, and the URL of the database then."""
    with ExitStack() as stack:
        databases = Databases(stack)
        places = {case.id: read_case(case.path) for case in CASES if not unavailable(case)}
        programs = {case.id: programs_of(case) for case in CASES if case.id in places}
        urls = {name: databases.urls(case, programs[name]) for name, case in places.items() if unsent(case) is None}
        found = {}
        for generation in GENERATIONS:
            asked = [(urls[name][generation], places[name].path / "migrations") for name in urls]
            for name, (url, _), answer in zip(urls, asked, prisma.deploy_each(generation, asked), strict=True):
                found[name, generation] = answered(answer), url
        yield found


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_deploy_of_a_case_ends_as_is_right(
    case: ExpectedCase, generation: Generation, ends: dict[tuple[str, Generation], tuple[Deployed, str]]
) -> None:
    programs_of(case)
    state = read_case(case.path)
    if (why := unsent(state)) is not None:
        pytest.skip(why)
    ended, url = ends[case.id, generation]
    if failed(state):
        assert ended == Deployed(code="P3009")
        return
    if any(outcome.text == "not foreseen" for outcome in case.expected.forecast.values()):
        pytest.skip("what is not foreseen may end in any way")
    assert ended == foretold(case.expected)
    with psycopg.connect(url) as connection:
        unfinished = connection.execute(
            "SELECT migration_name FROM public._prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL"
        ).fetchall()
    assert unfinished == [(ended.failing,)][: ended.failing is not None]


def test_case_that_the_engine_cannot_judge_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "migrations" / "1_x").mkdir(parents=True)
    (tmp_path / "migrations" / "1_x" / "migration.sql").write_text("SELECT 1;\nSELECT 2;")
    for version, judged in (("7.3.0", True), ("7.4.0", False)):
        (tmp_path / "case.toml").write_text(f'gist = ""\nprisma = "{version}"\napplied = []')
        assert (unsent(read_case(tmp_path)) is None) == judged
