"""An undo refuses where something was written since its fix ran."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.pending.forecast import Forecast
from health.schema.drift import Difference, Drift
from tests.support.fix_cases import CASES, environment, fixes_of
from tests.support.history_table import connect, put, refused, snapshot

# A column's definition, as PostgreSQL spells it → what is written to it.
COLUMNS = {
    "text": "'a'",
    "integer DEFAULT 1": "2",
    "numeric(10,2) DEFAULT 1": "1.5",
    "json DEFAULT '{}'::json": "'[]'",
    "jsonb NOT NULL DEFAULT '{\"a\": \"it''s\"}'::jsonb": "'[]'",
    "text COLLATE \"C\" DEFAULT 'a'::text": "'b'",
    "timestamp(3) without time zone DEFAULT '2026-01-01 00:00:00'::timestamp without time zone": "now()",
    "integer DEFAULT '-1'::integer": "NULL",
    "text[] DEFAULT ARRAY[]::text[]": "'{a}'",
    "timestamp with time zone DEFAULT now()": "now()",
}
COMPUTED = ("text[] DEFAULT ARRAY[]::text[]", "timestamp with time zone DEFAULT now()")


@pytest.fixture
def table(database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    try:
        database.execute('CREATE TABLE "Found" (id integer)')
        yield database
    finally:
        database.execute('DROP TABLE "Found"')


@pytest.mark.parametrize("definition", COLUMNS)
def test_a_column_that_was_written_to_is_not_dropped(table: psycopg.Connection, definition: str) -> None:
    missing = Difference(("column", "Found", "found"), definition, None)
    facts = {"drift": Drift((missing,)), "forecast": Forecast(), "environment": environment()}
    (fix,) = fixes_of("schema-object-missing", facts, "sql")
    assert fix.undo is not None
    for rows in ("", 'INSERT INTO "Found" VALUES (1), (2)'):
        table.execute((rows or "SELECT").encode())
        table.execute(fix.body.encode())
        if not (rows and definition in COMPUTED):
            table.execute(fix.undo.encode())
            table.execute(fix.body.encode())
        if rows:
            table.execute(f'UPDATE "Found" SET found = {COLUMNS[definition]} WHERE id = 2'.encode())
            refused(table, fix.undo, "may hold what was written to it since")
            assert table.execute('SELECT count(*) FROM "Found"').fetchall() == [(2,)]
        else:
            table.execute(fix.undo.encode())


def test_rows_that_a_policy_hides_are_not_passed_over(server: PrivatePostgres, table: psycopg.Connection) -> None:
    missing = Difference(("column", "Found", "found"), "text", None)
    facts = {"drift": Drift((missing,)), "forecast": Forecast(), "environment": environment()}
    (fix,) = fixes_of("schema-object-missing", facts, "sql")
    table.execute("CREATE ROLE owner LOGIN PASSWORD 'p'; GRANT USAGE, CREATE ON SCHEMA public TO owner")
    try:
        table.execute(fix.body.encode())
        table.execute("INSERT INTO \"Found\" VALUES (1, 'a')")
        table.execute('ALTER TABLE "Found" OWNER TO owner, ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')
        with connect(server) as client:
            client.execute("SET SESSION AUTHORIZATION owner")
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                client.execute((fix.undo or "").encode())
    finally:
        table.execute("REASSIGN OWNED BY owner TO postgres; DROP OWNED BY owner; DROP ROLE owner")


@pytest.mark.parametrize("title", ["failed behind all", "pending behind all"])
def test_a_record_that_was_rolled_back_since_is_not_deleted(database: psycopg.Connection, title: str) -> None:
    facts = CASES[title].facts()
    put(database, *facts["history"].recorded.rows)
    fix = fixes_of(CASES[title].code, facts, "sql")[0]
    database.execute(fix.body.encode())
    database.execute("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NOT NULL")
    before = snapshot(database)
    refused(database, fix.undo or "", "The row is not there")
    assert snapshot(database) == before
