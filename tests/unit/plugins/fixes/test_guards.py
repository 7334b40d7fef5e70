"""When a SQL fix gives up: a row or an object has changed, a row is locked, a migration is running."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.catalog.catalog import Key
from health.history.rows import Row
from health.prisma.engine import MIGRATE_LOCK
from tests.support.fix_cases import (
    BY_ITSELF,
    CASES,
    CLEAN,
    LATE,
    MADE,
    MISSING,
    NAME,
    OBJECTS,
    ROW_CODES,
    Facts,
    KnownEffects,
    bare,
    fixes_of,
    row,
)
from tests.support.history_table import TABLE, by_psql, connect, put, refused, snapshot
from tests.support.hostile import HOSTILE, identifier
from tests.support.load import patience

OBJECT_MISSING = "An object of the migration is missing"


def rows_of(facts: Facts) -> tuple[Row, ...]:
    rows: tuple[Row, ...] = facts["history"].recorded.rows
    return rows


@contextmanager
def objects(database: psycopg.Connection, change: str) -> Iterator[None]:
    """The objects of the migration, changed for a while."""
    try:
        database.execute(change.encode())
        yield
    finally:
        database.execute(OBJECTS.encode())


@pytest.mark.parametrize("title", CASES)
def test_nothing_is_changed_while_a_migration_is_running(
    server: PrivatePostgres, database: psycopg.Connection, title: str
) -> None:
    built = [fix for fix in fixes_of(CASES[title].code, CASES[title].facts()) if fix.kind == "sql"]
    built += fixes_of("no-history", bare(["1", "2"], 1), "sql")
    put(database, row())
    with connect(server) as engine:
        engine.execute("SELECT pg_advisory_lock(%s)", [MIGRATE_LOCK])
        for text in (text for fix in built for text in (fix.body, fix.undo) if text):
            refused(database, text, "A migration is running")
        engine.execute("SELECT pg_advisory_unlock_all()")  # the server notices the end of a session in its own time


def test_a_fix_gives_up_where_the_row_is_locked(server: PrivatePostgres, database: psycopg.Connection) -> None:
    facts = CASES["failed before all"].facts()
    put(database, *rows_of(facts))
    before = snapshot(database)
    with connect(server) as other, other.transaction():
        other.execute("SELECT FROM _prisma_migrations FOR UPDATE")
        started = time.monotonic()
        with connect(server) as third:
            third.execute("SET statement_timeout = '9s'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                third.execute(fixes_of("failed-migration", facts)[0].body.encode())
            third.rollback()
        assert time.monotonic() - started < patience(5)
    assert snapshot(database) == before


ONE_ROW = {title: case for title, case in CASES.items() if len(case.states) == 1 and case.code in ROW_CODES}
UNENDED = [title for title, case in ONE_ROW.items() if case.states[0] in ("failed", "crashed")]
CHANGES = ["rolled_back_at = now()", "migration_name = 'another'", "id = 'another'"]
CHANGED = [(title, change) for title in ONE_ROW for change in CHANGES]
CHANGED += [(title, "finished_at = now()") for title in UNENDED]


@pytest.mark.parametrize(("title", "change"), CHANGED)
def test_a_row_that_has_changed_is_left_alone(database: psycopg.Connection, title: str, change: str) -> None:
    facts = ONE_ROW[title].facts()
    built = fixes_of(ONE_ROW[title].code, facts, "sql")
    assert built
    for fix in built:
        put(database, *rows_of(facts))
        database.execute(f"UPDATE _prisma_migrations SET {change}".encode())
        refused(database, fix.body)


@pytest.mark.parametrize("title", ["edited", "edited, a part missing", "hand-written", "comment edited"])
def test_a_checksum_that_has_changed_is_left_alone(database: psycopg.Connection, title: str) -> None:
    facts = CASES[title].facts()
    put(database, *rows_of(facts))
    database.execute("UPDATE _prisma_migrations SET checksum = 'another'")
    for fix in fixes_of(CASES[title].code, facts, "sql"):
        refused(database, fix.body, "The row has changed")


@pytest.mark.parametrize(
    "title",
    [
        "failed behind all",
        "crashed behind all",
        "pending behind all",
        "half applied",
        "half applied, in steps",
        "hand-written",
        "edited",
        "edited, a part missing",
    ],
)
def test_nothing_is_recorded_where_there_is_a_newer_row(database: psycopg.Connection, title: str) -> None:
    facts = CASES[title].facts()
    put(database, *rows_of(facts), row("rolled back", id="newer"))
    for fix in fixes_of(CASES[title].code, facts, "sql"):
        refused(database, fix.body, "There is a newer row of this migration")


GONE = {
    "table": 'DROP TABLE "Made"',
    "column of its table": 'ALTER TABLE "Made" RENAME extra TO other',
    "column of another table": 'ALTER TABLE "Other" DROP COLUMN added',
    "index": 'DROP INDEX "Made_extra_idx"',
    "invalid index": "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"Made_extra_idx\"'::regclass",
    "constraint": 'ALTER TABLE "Made" DROP CONSTRAINT "Made_pkey"',
    "enum": 'DROP TYPE "Bare"',
    "enum label": "ALTER TYPE \"Kind\" RENAME VALUE 'a' TO 'b'",
}


@pytest.mark.parametrize("change", GONE.values(), ids=GONE)
@pytest.mark.parametrize("title", ["failed behind all", "pending behind all", "half applied"])
def test_nothing_is_recorded_while_an_object_is_missing(database: psycopg.Connection, title: str, change: str) -> None:
    facts = replace(CASES[title], shape=replace(CASES[title].shape, repair=("SELECT 1",))).facts()
    put(database, *rows_of(facts))
    built = fixes_of(CASES[title].code, facts, "sql")
    assert built
    with objects(database, change):
        for fix in built:
            if title != "half applied" or change != GONE["table"]:  # there the statement itself fails
                refused(database, fix.body, OBJECT_MISSING)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_objects_with_hostile_names(database: psycopg.Connection, text: str) -> None:
    table, column, index, kind = (identifier(f"{number}{text}") for number in range(4))
    made: dict[Key, str] = {
        ("table", "", table): "",
        ("column", table, column): "",
        ("index", table, index): "",
        ("enum", "", kind): "",
        ("enum label", kind, column): "",
        ("constraint", table, kind): "",
    }
    names = {"t": table, "c": column, "i": index, "k": kind}
    quoted = {key: sql.Identifier(name) for key, name in names.items()} | {"label": sql.Literal(column)}
    make = "CREATE TABLE {t} ({c} int, CONSTRAINT {k} UNIQUE ({c})); CREATE INDEX {i} ON {t} ({c}); "
    make += "CREATE TYPE {k} AS ENUM ({label})"
    facts = KnownEffects("all", made=made).facts(row())
    record = fixes_of("failed-migration", facts, "sql")[0]
    put(database, *rows_of(facts))
    before = snapshot(database)
    try:
        refused(database, record.body, OBJECT_MISSING)
        database.execute(sql.SQL(make).format(**quoted))
        database.execute(record.body.encode())
        database.execute((record.undo or "").encode())
        assert snapshot(database) == before
    finally:
        database.execute(sql.SQL("DROP TABLE IF EXISTS {t}; DROP TYPE IF EXISTS {k}").format(**quoted))


STEPS = (BY_ITSELF, "ALTER TYPE \"Kind\" ADD VALUE 'b'")


def test_steps_are_run_one_by_one_and_then_recorded(
    server: PrivatePostgres, database: psycopg.Connection, tmp_path: Path
) -> None:
    missing: dict[Key, str] = {**MISSING, ("enum label", "Kind", "b"): ""}
    facts = KnownEffects("part", repair=STEPS, atomic=False, missing=missing).facts(row())
    *steps, record = fixes_of("half-applied-migration", facts)
    assert len(steps) == len(STEPS)
    put(database, *rows_of(facts))
    before = snapshot(database)
    with objects(database, CLEAN):
        for step in steps:
            refused(database, record.body, OBJECT_MISSING)
            assert step.undo is None
            by_psql(server, tmp_path / "step.sql", step.body)
            assert snapshot(database) == before
        database.execute(record.body.encode())
        for step in steps:  # there is a newer row now
            refused(database, step.body)
        database.execute((record.undo or "").encode())
        assert snapshot(database) == before


def test_a_script_that_drops_can_be_recorded_after_its_steps(database: psycopg.Connection) -> None:
    dropped: Key = ("table", "", "Dropped by it")
    facts = KnownEffects("part", repair=(LATE,), atomic=False).facts(row())
    facts["migration_effects"][NAME] = replace(facts["migration_effects"][NAME], done=(*MADE, dropped))
    put(database, *rows_of(facts))
    with objects(database, LATE):
        database.execute(fixes_of("half-applied-migration", facts)[-1].body.encode())


@pytest.mark.parametrize("schema", ["Mixed Case", "q\"uo'te", "per%cent{}", "back\\slash", "$$", "ünï🧨"])
def test_hostile_schemas(database: psycopg.Connection, schema: str) -> None:
    name, entity = sql.Identifier(schema, "_prisma_migrations"), sql.Identifier(schema, "Entity")
    quoted = sql.Identifier(schema)
    database.execute(sql.SQL("CREATE SCHEMA {0}; SET search_path = {0}").format(quoted))
    database.execute(OBJECTS.encode())
    database.execute("SET search_path = public")
    database.execute(sql.SQL(TABLE).format(table=name))
    database.execute(sql.SQL("CREATE TABLE {} (id int)").format(entity))
    ask = sql.SQL("SELECT t.*::text FROM {} t ORDER BY id").format(name)
    for case in CASES.values():
        if case.code not in ROW_CODES or not case.shape.atomic:
            continue
        facts = replace(case, shape=replace(case.shape, schema=schema)).facts()
        put(database, *rows_of(facts))  # the same rows in public, which are not meant
        database.execute(sql.SQL("DELETE FROM {0}; INSERT INTO {0} TABLE public._prisma_migrations").format(name))
        public = snapshot(database)
        for fix in fixes_of(case.code, facts, "sql"):
            before = database.execute(ask).fetchall()
            database.execute(fix.body.encode())
            assert database.execute(ask).fetchall() != before
            assert snapshot(database) == public
            if fix.undo is not None:
                database.execute(fix.undo.encode())
                assert database.execute(ask).fetchall() == before
        database.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(schema, "Made_late_idx")))
    facts = replace(CASES["no column data"], shape=KnownEffects("all", schema=schema)).facts()
    (fix,) = fixes_of("entity-data-column-missing", facts)
    database.execute(fix.body.encode())
    assert database.execute(sql.SQL("SELECT data FROM {}").format(entity)).fetchall() == []
    assert database.execute("SHOW search_path").fetchall() == [("public",)]
    database.execute((fix.undo or "").encode())
    with pytest.raises(psycopg.errors.UndefinedColumn):
        database.execute(sql.SQL("SELECT data FROM {}").format(entity))


@pytest.mark.parametrize("setting", ["standard_conforming_strings = off", "TimeZone = 'Asia/Kathmandu'"])
@pytest.mark.parametrize("datestyle", ["ISO, DMY", "SQL, DMY", "German", "Postgres, MDY"])
def test_settings_of_the_session_change_nothing(
    server: PrivatePostgres, database: psycopg.Connection, setting: str, datestyle: str
) -> None:
    recorded = row(
        "applied", migration_name="a\\'b", logs="\\n '' \\", started_at=datetime(2026, 3, 2, 1, 2, 3, 4, UTC)
    )
    facts = KnownEffects(on_disk=False).facts(recorded, name="a\\'b")
    put(database, recorded, row(id="another"))
    before = snapshot(database)
    (fix,) = fixes_of("orphaned-migration", facts, "sql")
    with connect(server) as other:
        other.execute(f"SET {setting}".encode())
        other.execute(f"SET DateStyle = '{datestyle}'".encode())
        other.execute(fix.body.encode())
        assert set(before) - set(snapshot(database)) == {recorded.id}
        other.execute((fix.undo or "").encode())
    assert snapshot(database) == before


SHADOWS = """
CREATE SCHEMA shadow;
CREATE FUNCTION shadow.pg_try_advisory_xact_lock(integer) RETURNS boolean LANGUAGE sql RETURN true;
CREATE FUNCTION shadow.now() RETURNS timestamptz LANGUAGE sql RETURN '-infinity'::timestamptz;
CREATE FUNCTION shadow.anything(varchar, text) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR shadow.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = shadow.anything);
"""


@pytest.mark.parametrize("title", [title for title, case in ONE_ROW.items() if case.shape.atomic])
def test_what_shadows_postgresqls_own_names_is_not_asked(
    server: PrivatePostgres, database: psycopg.Connection, title: str
) -> None:
    facts = ONE_ROW[title].facts()
    put(database, row("applied", id="another", migration_name="another"), *rows_of(facts))
    before = snapshot(database)
    database.execute(SHADOWS.encode())
    try:
        with connect(server) as client:
            client.execute("SET search_path = shadow, pg_catalog, public")
            for fix in (each for each in fixes_of(ONE_ROW[title].code, facts, "sql") if each.undo):
                client.execute(fix.body.encode())
                assert snapshot(database)["another"] == before["another"]
                assert not any("infinity" in each for each in snapshot(database).values())
                client.execute((fix.undo or "").encode())
                assert snapshot(database) == before
                assert client.execute("SHOW search_path").fetchall() == [("shadow, pg_catalog, public",)]
    finally:
        database.execute("DROP SCHEMA shadow CASCADE")
