"""No fix and no undo calls what stands in for PostgreSQL's own names, or for the application's."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from fixtures.clone.servers.private_postgres import PrivatePostgres
from tests.support.fix_worlds import everything, prepare, sql_fixes
from tests.support.history_table import connect, going_on
from tests.support.impostors import CALLED, impersonate, shadow_catalog, tables_shadowed

FIXES = sql_fixes()
TEXTS = [text for _, fix in FIXES.values() for text in (fix.body, fix.undo or "")]


@pytest.fixture(scope="module")
def impostors(database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    impersonate(database, TEXTS)
    yield database
    database.execute("DROP SCHEMA evil CASCADE")


@pytest.fixture(scope="module")
def victim(server: PrivatePostgres, impostors: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A session whose temporary schema holds impostors too."""
    with connect(server) as client:
        shadow_catalog(client, TEXTS)
        yield client
        client.execute("DISCARD TEMP")


@pytest.mark.parametrize("name", FIXES)
def test_no_impostor_is_called(impostors: psycopg.Connection, victim: psycopg.Connection, name: str) -> None:
    title, fix = FIXES[name]
    prepare(impostors, title, fix.before)
    before = everything(impostors)
    assert going_on(impostors, fix.body) == []
    plain = everything(impostors)
    prepare(impostors, title, fix.before)
    with tables_shadowed(victim):
        victim.execute("SET search_path = pg_temp, evil_tables, evil, public, pg_catalog")
        assert going_on(victim, fix.body) == []
        assert everything(impostors) == plain
        if fix.undo is not None:
            assert going_on(victim, fix.undo) == []
            assert everything(impostors) == before


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
