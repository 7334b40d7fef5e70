"""The verdicts of the history against those of Prisma's own engines, case by case.

The cases are generated directories and databases with the answers of the engines of Prisma 6.19.3 and 7.10.1.
Each is built anew: its directory on disk, its rows and tables in a PostgreSQL server. What is judged is read back
by the suite's own readers, and which scripts fail is learnt by running them. The engines' answers decide nothing
but the comparison. ``--histories FILE`` names other cases.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, groupby, permutations, product
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PrivatePostgres
from fixtures.database import sessions
from fixtures.database.login import DatabaseLogin
from fixtures.database.session import ReadOnlySession
from fixtures.history import history as readers
from fixtures.migrations.directory import read_migrations
from health.config.environment import Environment
from health.history.history import History
from health.history.rows import COLUMNS, HistoryTable, Row
from health.migrations.directory import MigrationDirectory
from health.prisma.engine import LOCK_FILE, TABLE, checksum
from health.prisma.version import Generation
from health.secrets.secret import Secret
from plugins.paths import ROOT
from tests.support.clone_servers import ON_LOOPBACK
from tests.support.gate_runs import run
from tests.support.histories import GIVEN, OWN, Case, ShapeError, Verdicts, parse, read

ENVIRONMENT = Environment("test", "test", database="histories")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
OWNER = "migrator"  # the cases' scripts run as a role that is no superuser

_TABLE: LiteralString = """
CREATE TABLE _prisma_migrations (
    id varchar(36) PRIMARY KEY NOT NULL,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
)
"""


@dataclass(frozen=True)
class Observed:
    """What the suite's readers and the server say of a case.

    Attributes:
        failing: the names of scripts that failed.
        tables: all tables, before the pending scripts were run and afterwards.
    """

    directory: MigrationDirectory
    recorded: HistoryTable
    failing: frozenset[str]
    tables: tuple[frozenset[str], frozenset[str]]


class Laboratory:
    """Builds a case in a database that is emptied for each, and observes it.

    Args:
        owner: a session of the role that owns the database.
        session: the suite's own session.
        directory: gets a migrations directory for each case.
    """

    def __init__(self, owner: psycopg.Connection[Any], session: ReadOnlySession, directory: Path) -> None:
        self._owner, self._session, self._directory = owner, session, directory
        self._observed: dict[int, Observed] = {}

    def observe(self, case: Case) -> Observed:
        """Build a case and observe it; once, as both engines judge the same."""
        if id(case) not in self._observed:
            self._observed[id(case)] = self._observe(case)
        return self._observed[id(case)]

    def _observe(self, case: Case) -> Observed:
        place = self._directory / str(len(self._observed))
        _write(case, place)
        directory = read_migrations(place, "test")
        self._owner.rollback()  # whatever the last script has left
        self._owner.execute("DISCARD ALL")
        self._owner.execute("DROP OWNED BY CURRENT_USER CASCADE; CREATE SCHEMA IF NOT EXISTS public")
        if case.table_exists:
            self._owner.execute(_TABLE)
            columns = ", ".join(["%s"] * len(COLUMNS))
            rows = [[getattr(row, column) for column in COLUMNS] for row in case.rows]
            with self._owner.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {TABLE} VALUES ({columns})".encode(), rows)
        self._owner.execute(case.setup.encode())
        recorded = self._read()
        before = self._tables()
        failing = self._failing(History(directory, recorded))
        return Observed(directory, recorded, failing, (before, self._tables()))

    def _read(self) -> HistoryTable:
        recorded = readers.recorded(ENVIRONMENT, self._session)
        assert self._session.connection is not None
        self._session.connection.rollback()  # the next reading sees what happened meanwhile
        return recorded

    def _tables(self) -> frozenset[str]:
        found = self._owner.execute("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'public'")
        return frozenset(name for (name,) in found)

    def _failing(self, history: History) -> frozenset[str]:
        """Run what is pending as the engine does, each script as one simple query, up to the first that fails."""
        for migration in history.pending:
            if migration.sql is None:
                break
            try:
                self._owner.execute(migration.sql.encode())
            except psycopg.Error:
                self._owner.rollback()
                return frozenset({migration.name})
        return frozenset()


def connect(port: int, user: str, password: Secret, database: str = ENVIRONMENT.database) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1",
        port=port,
        user=user,
        password=password.reveal(),
        dbname=database,
        autocommit=True,
        prepare_threshold=None,
    )


def _write(case: Case, place: Path) -> None:
    place.mkdir()
    if case.lock is not None:
        (place / LOCK_FILE).write_bytes(case.lock.encode())
    for migration in case.disk:
        (place / migration.name).mkdir()
        if migration.sql is not None:
            (place / migration.name / "migration.sql").write_bytes(migration.sql.encode())


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    password = Secret(secrets.token_urlsafe(24))
    with (
        private_directory("agreement") as private,
        PrivatePostgres(private, password, settings=ON_LOOPBACK) as postgres,
    ):
        with connect(postgres.port, "postgres", password, "postgres") as admin:
            login = sql.Literal(password.reveal())
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(OWNER), login))
            admin.execute(sql.SQL("ALTER ROLE {} SET statement_timeout = '10s'").format(sql.Identifier(OWNER)))
            admin.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(*map(sql.Identifier, (ENVIRONMENT.database, OWNER)))
            )
        login_read = DatabaseLogin("127.0.0.1", postgres.port, OWNER, password, ENVIRONMENT.database)
        reading = contextmanager(sessions.database)(ENVIRONMENT, login_read)
        with connect(postgres.port, OWNER, password) as owner, reading as session:
            yield Laboratory(owner, session, tmp_path_factory.mktemp("histories"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = metafunc.config.stash.get(GIVEN, None) or read(OWN)
        metafunc.parametrize(
            ("case", "generation"),
            [
                pytest.param(case, generation, id=f"{case.id}-{generation.value.replace(' ', '-')}")
                for case in cases
                for generation in Generation
            ],
        )


def test_the_verdicts_are_the_engines(case: Case, generation: Generation, laboratory: Laboratory) -> None:
    """Each verdict is the engine's own, and the world that it is about is the one that the engine saw.

    Rows that start at the same instant come to the engine in no certain order. Then lists that follow the rows are
    compared without their order. Which row of a name is the first decides whether it counts as edited: there the
    answer must be what some order of those rows gives. Where all orders agree, that is one answer.
    """
    observed = laboratory.observe(case)
    answer = case.answers[generation]
    history = History(observed.directory, observed.recorded, generation, dict.fromkeys(observed.failing, "P3018"))
    assert [(each.name, each.checksum) for each in history.directory.migrations] == [
        (each.name, each.checksum) for each in case.disk
    ]
    if case.tie:
        possible = [unordered(verdicts(replace(history, recorded=each))) for each in orders(observed.recorded)]
        assert unordered(answer.verdicts) in possible
        assert unordered(verdicts(history)) in possible
    else:
        assert verdicts(history) == answer.verdicts
    deployment = history.deployment
    if answer.failed_in_deploy is not None:
        assert ((deployment.stops_at,) if deployment.error == "P3018" else ()) == answer.failed_in_deploy
    if answer.tables_after is not None:
        before, after = observed.tables
        ran = deployment.error in {None, "P3015", "P3018"}
        assert (after | {TABLE} if ran else before) == answer.tables_after


def verdicts(history: History) -> Verdicts:
    diagnosis, deployment = history.diagnosis, history.deployment
    one_sided = "unapplied" if diagnosis.unapplied else "unpersisted" if diagnosis.unpersisted else None
    differs = "diverged" if diagnosis.diverged else one_sided
    return Verdicts(diagnosis, differs, history.status_exit, deployment.error, deployment.applies)


def unordered(told: Verdicts) -> Verdicts:
    """The same, with the lists that follow the rows sorted; a name may be in one twice."""
    edited, failed, unpersisted = (
        tuple(sorted(names)) for names in (told.diagnosis.edited, told.diagnosis.failed, told.diagnosis.unpersisted)
    )
    diagnosis = replace(told.diagnosis, edited=edited, failed=failed, unpersisted=unpersisted)
    return replace(told, diagnosis=diagnosis)


def orders(recorded: HistoryTable) -> Iterator[HistoryTable]:
    """Every order of the rows of one name that start at the same instant."""

    def place(row: Row) -> tuple[datetime, str]:
        return row.started_at, row.migration_name

    groups = [list(group) for _, group in groupby(sorted(recorded.rows, key=place), key=place)]
    for rows in product(*map(permutations, groups)):
        yield replace(recorded, rows=tuple(chain.from_iterable(rows)))


@pytest.mark.parametrize("generation", Generation)
def test_the_cases_hold_every_kind_of_verdict(generation: Generation) -> None:
    """Agreement says nothing about a verdict that no case calls for."""
    told = [case.answers[generation].verdicts for case in read(OWN)]
    assert len(told) == 320
    assert {each.deploy_error for each in told} == {None, "P3005", "P3009", "P3015", "P3018", "P3019"}
    assert {each.diagnosis.error for each in told} == {None, "P3015", "P3019"}
    assert {each.differs for each in told} == {None, "unapplied", "unpersisted", "diverged"}
    assert {each.status_exit for each in told} == {0, 1}
    assert {each.diagnosis.last_common is None for each in told if each.differs == "diverged"} == {True, False}
    for some in ("edited", "failed"):
        assert {bool(getattr(each.diagnosis, some)) for each in told} == {True, False}
    assert {len(each.applies) > 1 for each in told} == {True, False}


def test_the_cases_hold_ties_and_tell_the_generations_apart() -> None:
    cases = read(OWN)
    assert {case.tie for case in cases} == {True, False}
    told = [[case.answers[generation].verdicts for generation in Generation] for case in cases]
    assert any(old.diagnosis != new.diagnosis for old, new in told)
    assert any(old.status_exit != new.status_exit for old, new in told)


def test_only_rows_of_one_name_that_start_together_change_places() -> None:
    def row(number: int, name: str, second: int) -> Row:
        return Row(str(number), "", None, name, None, None, datetime(2026, 1, 1, second=second, tzinfo=UTC), 0)

    rows = (row(1, "a", 1), row(2, "b", 1), row(3, "a", 1), row(4, "a", 2))
    found = {tuple(each.id for each in some.rows) for some in orders(HistoryTable("public", True, rows, NOW))}
    assert found == {("1", "3", "2", "4"), ("3", "1", "2", "4")}


ANSWER = {
    "diagnose": {
        "editedMigrationNames": [],
        "failedMigrationNames": [],
        "history": {"diagnostic": "databaseIsBehind", "unappliedMigrationNames": ["1_init"]},
    },
    "status_exit_code": 1,
    "deploy_error_code": None,
    "applied_by_deploy": ["1_init"],
}
CASE: dict[str, Any] = {
    "id": "one",
    "tie_started_at": False,
    "lock": None,
    "table_exists": True,
    "setup_sql": "",
    "disk": [{"name": "1_init", "sql": "SELECT 1;", "checksum": checksum("SELECT 1;")}],
    "rows": [],
    "engine": ANSWER,
    "engine_7_10_1": ANSWER,
}
ROW = {
    "id": "1",
    "checksum": "",
    "finished_at": None,
    "migration_name": "a",
    "logs": None,
    "rolled_back_at": None,
    "started_at": "2026-01-01T00:00:00.000Z",
    "applied_steps_count": 0,
}


def changed(**values: Any) -> str:
    return json.dumps({"cases": [{**CASE, **values}]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "not JSON: maximum recursion depth exceeded"),
        ("[]", "the file is not an object"),
        ("{}", "the file has no cases"),
        ('{"cases": []}', "it holds no cases"),
        ('{"cases": [1]}', "the file: cases[0] is not an object"),
        ('{"cases": [{}]}', "the file: cases[0] has no id"),
        (changed(tie_started_at=0), "case one: tie_started_at is not a bool"),
        (changed(setup_sql="\0"), "case one: setup_sql holds a character that PostgreSQL or UTF-8 has not"),
        (changed(lock="\ud800"), "case one: lock holds a character that PostgreSQL or UTF-8 has not"),
        (changed(disk={}), "case one: disk is not a list"),
        (changed(disk=[{"name": "../a"}]), "case one: disk[0]: '../a' names no directory"),
        (changed(disk=CASE["disk"] * 2), "case one: disk names a migration twice"),
        (changed(rows=[ROW], table_exists=False), "case one has rows without a table"),
        (changed(rows=[{**ROW, "applied_steps_count": True}]), "case one: rows[0]: applied_steps_count is not a int"),
        (changed(rows=[{**ROW, "started_at": None}]), "case one: rows[0] has no started_at"),
        (changed(rows=[{**ROW, "finished_at": "now"}]), "case one: rows[0]: finished_at is not a time"),
        (changed(rows=[{**ROW, "finished_at": "2026-01-01"}]), "case one: rows[0]: finished_at has no time zone"),
        (changed(engine_7_10_1=None), "case one has no engine_7_10_1"),
        (changed(engine={}), "case one: engine has no diagnose"),
        (
            changed(engine={"diagnose": {"history": {"diagnostic": "?"}}}),
            "case one: engine: diagnose: history: '?' is an unknown diagnostic",
        ),
        (changed(engine={"diagnose_error": {}}), "case one: engine: diagnose_error has no code"),
    ],
)
def test_another_shape_is_told(text: str, said: str) -> None:
    with pytest.raises(ShapeError) as caught:
        parse(text)
    assert str(caught.value).startswith(said)


AGREEMENT = ["-c", str(ROOT / "pytest.ini"), "--rootdir", str(ROOT), __file__, "-q"]


def test_other_histories_are_named_where_the_user_stands(tmp_path: Path) -> None:
    wrong = {**CASE, "id": "wrong", "engine_7_10_1": {**ANSWER, "status_exit_code": 0}}
    (tmp_path / "other.json").write_text(json.dumps({"cases": [CASE, wrong]}))
    told = run(*AGREEMENT, "--histories=other.json", "-k", "test_the_verdicts_are_the_engines", cwd=tmp_path)
    assert told.status == 1
    assert "1 failed, 3 passed" in told.text
    assert "test_the_verdicts_are_the_engines[wrong-from-7.9]" in told.text


def test_histories_that_are_not_there_end_the_run(tmp_path: Path) -> None:
    told = run(*AGREEMENT, "--histories=other.json", cwd=tmp_path)
    assert told.status == 4
    assert told.text.strip() == (
        f"ERROR: --histories: {tmp_path}/other.json: No such file or directory. "
        "Name a file of the shape of tests/data/prisma-histories-1.json."
    )
