"""A SQL fix ends as its text says, or changes nothing, by whichever client a person runs it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.finding import Fix
from health.prisma.engine import MIGRATE_LOCK
from tests.support.fix_cases import BY_ITSELF, CASES, MISSING, OBJECTS, KnownEffects, fixes_of, row
from tests.support.history_table import PASSWORD, PSQL, connect, going_on, put, snapshot
from tests.support.load import patience

Client = Callable[[PrivatePostgres, str, Path], None]


def by_psql(*words: str, pasted: bool = False) -> Client:
    """By psql, from a file or from its standard input, where a pasted text goes."""

    def run(server: PrivatePostgres, text: str, directory: Path) -> None:
        file = directory / "fix.sql"
        file.write_text(text)
        subprocess.run(
            [PSQL, "-X", "-q", *words, "-U", "postgres", "-d", "postgres", *([] if pasted else ["-f", str(file)])],
            env={**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGPASSWORD": PASSWORD},
            input=text.encode() if pasted else b"", capture_output=True, check=False, timeout=patience(20),
        )  # fmt: skip

    return run


def statement_by_statement(server: PrivatePostgres, text: str, directory: Path) -> None:
    with connect(server) as client:
        going_on(client, text)


def as_one_query(server: PrivatePostgres, text: str, directory: Path) -> None:
    with connect(server) as client:
        try:
            client.execute(text.encode())
        except psycopg.Error:
            client.rollback()


def behind_savepoints(server: PrivatePostgres, text: str, directory: Path) -> None:
    """In one transaction, where each statement that fails is taken back by itself, and the rest is committed."""
    with connect(server) as client:
        statements = text.replace(";\n", ";\n\0").split("\0") if text.startswith("SET") else [text]
        client.execute("BEGIN")
        for statement in statements:
            client.execute("SAVEPOINT s")
            try:
                client.execute(statement.encode())
            except psycopg.Error:
                client.execute("ROLLBACK TO s")
        client.execute("COMMIT")


CLIENTS: dict[str, Client] = {
    "psql, stopping at errors": by_psql("-v", "ON_ERROR_STOP=1"),
    "psql": by_psql(),
    "psql, pasted": by_psql(pasted=True),
    "psql, pasted, with ON_ERROR_ROLLBACK": by_psql("-v", "ON_ERROR_ROLLBACK=on", pasted=True),
    "statement by statement": statement_by_statement,
    "one query": as_one_query,
    "behind savepoints": behind_savepoints,
}
WHOLE = ("one query", "behind savepoints")  # what no transaction can hold does not run there


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name.startswith("psql") and not PSQL.exists():
        pytest.skip(f"there is no psql: {PSQL}")
    return name


LABEL = "ALTER TYPE \"Kind\" ADD VALUE 'b'"
STEPS = KnownEffects(
    "part", repair=(BY_ITSELF, LABEL), atomic=False, missing={**MISSING, ("enum label", "Kind", "b"): ""}
)
FIXES: dict[str, Fix] = {
    "a row": fixes_of("failed-migration", CASES["failed before all"].facts(), "sql")[0],
    "a row and objects": fixes_of("half-applied-migration", CASES["half applied"].facts(), "sql")[0],
    "outside a transaction": fixes_of("half-applied-migration", STEPS.facts(row()), "sql")[0],
    "a step in a transaction": fixes_of("half-applied-migration", STEPS.facts(row()), "sql")[1],
}
ROWS = {
    "a row": CASES["failed before all"].facts()["history"].recorded.rows,
    "a row and objects": CASES["half applied"].facts()["history"].recorded.rows,
}
OBJECT_QUERY = b"""
    SELECT (SELECT string_agg(indexrelid::regclass::text, ',' ORDER BY 1) FROM pg_index
            WHERE indrelid = '"Made"'::regclass),
        (SELECT string_agg(enumlabel, ',' ORDER BY 1) FROM pg_enum), obj_description('"Made"'::regclass)
"""


@contextmanager
def prepared(database: psycopg.Connection, title: str) -> Iterator[Fix]:
    put(database, *ROWS.get(title, (row(),)))
    try:
        yield FIXES[title]
    finally:
        database.execute(OBJECTS.encode())


def rows_and_objects(database: psycopg.Connection) -> tuple[dict[str, str], list[tuple[object, ...]]]:
    return snapshot(database), database.execute(OBJECT_QUERY).fetchall()


def locked(database: psycopg.Connection) -> bool:
    """Whether the lock of migrations is held; the server notices the end of a session in its own time."""
    until = time.monotonic() + patience(5)
    while time.monotonic() < until:
        if database.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").fetchall() == []:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize("title", FIXES)
def test_a_guard_that_refuses_leaves_nothing_changed(
    server: PrivatePostgres, database: psycopg.Connection, tmp_path: Path, client: str, title: str
) -> None:
    with prepared(database, title) as fix:
        database.execute("UPDATE _prisma_migrations SET rolled_back_at = now()")
        before = rows_and_objects(database)
        CLIENTS[client](server, fix.body, tmp_path)
        assert rows_and_objects(database) == before


@pytest.mark.parametrize("title", FIXES)
def test_nothing_is_changed_while_a_migration_runs(
    server: PrivatePostgres, database: psycopg.Connection, tmp_path: Path, client: str, title: str
) -> None:
    with prepared(database, title) as fix, connect(server) as engine:
        engine.execute("SELECT pg_advisory_lock(%s)", [MIGRATE_LOCK])
        before = rows_and_objects(database)
        CLIENTS[client](server, fix.body, tmp_path)
        assert rows_and_objects(database) == before
        engine.execute("SELECT pg_advisory_unlock_all()")


@pytest.mark.parametrize("title", FIXES)
def test_a_good_state_ends_as_told(
    server: PrivatePostgres, database: psycopg.Connection, tmp_path: Path, client: str, title: str
) -> None:
    with prepared(database, title) as fix:
        rows, objects = before = rows_and_objects(database)
        CLIENTS[client](server, fix.body, tmp_path)
        after = rows_and_objects(database)
        if title == "outside a transaction" and client in WHOLE:
            assert after == before
            return
        assert (after[0] != rows) is (title in ROWS)
        assert (after[1] != objects) is (title != "a row")
        CLIENTS[client](server, fix.body, tmp_path)  # the row has changed, or what it makes is there
        assert rows_and_objects(database) == after
        assert not locked(database)
        if fix.undo is not None:
            CLIENTS[client](server, fix.undo, tmp_path)
            assert rows_and_objects(database) == before
