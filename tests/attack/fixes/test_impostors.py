"""No fix and no undo calls what stands in for PostgreSQL's own names, or for the application's."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from fixtures.clone.servers.private_postgres import PrivatePostgres
from tests.support.fix_worlds import everything, prepare, sql_fixes
from tests.support.history_table import connect, going_on
from tests.support.impostors import CALLED, impersonate, shadow_catalog, shadow_tables

FIXES = sql_fixes()
TEXTS = [text for _, fix in FIXES.values() for text in (fix.body, fix.undo or "")]


@pytest.fixture(scope="module")
def impostors(database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    impersonate(database, TEXTS)
    yield database
    database.execute("DROP SCHEMA evil CASCADE")


@pytest.mark.parametrize("name", FIXES)
def test_no_impostor_is_called(server: PrivatePostgres, impostors: psycopg.Connection, name: str) -> None:
    title, fix = FIXES[name]
    prepare(impostors, title)
    with connect(server) as client:
        for step in (*fix.before, fix.body):
            assert going_on(client, step) == []
    plain = everything(impostors)
    prepare(impostors, title)
    before = everything(impostors) if fix.undo else None
    impostors.execute("DROP SCHEMA IF EXISTS evil_tables CASCADE; CREATE SCHEMA evil_tables")
    with connect(server) as client:
        shadow_tables(client, "evil_tables")
        shadow_tables(client, "pg_temp")
        shadow_catalog(client, TEXTS)
        client.execute("SET search_path = pg_temp, evil_tables, evil, public, pg_catalog")
        for step in (*fix.before, fix.body):
            assert going_on(client, step) == []
        assert everything(impostors) == plain
        if fix.undo is not None:
            assert going_on(client, fix.undo) == []
            assert everything(impostors) == before
        assert client.execute("SHOW search_path").fetchall() == [("pg_temp, evil_tables, evil, public, pg_catalog",)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT now()",
        "SELECT 1 + 1",
        "SELECT max(relname) FROM pg_catalog.pg_class",
        "SELECT FROM pg_class",
        "SELECT 'a'::text",
        "SELECT pg_try_advisory_xact_lock(72707369)",
        "SELECT FROM pg_catalog.pg_index WHERE to_regclass('a') = indexrelid",
    ],
)
def test_an_impostor_that_is_called_says_so(server: PrivatePostgres, impostors: psycopg.Connection, text: str) -> None:
    with connect(server) as client:
        client.execute("SET search_path = evil, public, pg_catalog")
        with pytest.raises(psycopg.errors.RaiseException, match=CALLED):
            client.execute(text.encode())
