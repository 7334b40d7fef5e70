"""Making the migration history of a database that has none, and taking it away again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from health.history.rows import Row
from health.prisma.engine import checksum
from tests.support.effort import scaled
from tests.support.fix_cases import Facts, bare, catalog_of, fixes_of, found, suggested
from tests.support.history_table import TABLE
from tests.support.hostile import HOSTILE, texts

SCHEMA = "bare"
MOST = 4
EXISTS = "SELECT to_regclass('bare._prisma_migrations') IS NOT NULL"
# A column as the catalog has it, in a table made by the fix and in one made as Prisma's engine does.
COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum
"""


@pytest.fixture(scope="module")
def tables(connection: psycopg.Connection) -> Iterator[None]:
    names = ["Foreign", *(f"T{number}" for number in range(MOST))]
    made = " ".join(f'CREATE TABLE {SCHEMA}."{name}" ();' for name in names)
    connection.execute(f"CREATE SCHEMA {SCHEMA}; {made}".encode())
    yield
    connection.execute(b"DROP SCHEMA bare CASCADE")


def ask(database: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return database.execute(query.encode()).fetchall()


def refused(database: psycopg.Connection, text: str, said: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=rf"{said}.* Nothing was changed\."):
        database.execute(text.encode())
    database.execute("ROLLBACK")


def history_fix(facts: Facts) -> tuple[str, str]:
    (fix,) = fixes_of("no-history", facts, "sql")
    assert fix.undo is not None
    return fix.body, fix.undo


def examples(test: Any) -> Any:
    for text in HOSTILE:
        test = example([text[:255], f"1{text}"[:255]], 2, {1})(example([f"{text}"[:255]], 1, set())(test))
    return example([], 0, set())(example(["one"], 0, set())(test))


@examples
@given(
    st.lists(texts.map(lambda text: text[:255]), unique=True, max_size=MOST),
    st.integers(0, MOST),
    st.sets(st.integers(0, MOST - 1)),
)
@settings(
    max_examples=scaled(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@pytest.mark.usefixtures("tables")
def test_any_migrations_are_recorded(
    database: psycopg.Connection, names: list[str], there: int, without_file: set[int]
) -> None:
    make, drop = history_fix(bare(names, there, SCHEMA, sorted(without_file)))
    database.execute(make.encode())
    rows = [Row(*told) for told in ask(database, f"SELECT * FROM {SCHEMA}._prisma_migrations ORDER BY started_at")]
    numbers = [number for number in range(min(there, len(names))) if number not in without_file]
    for number, row in zip(numbers, rows, strict=True):
        expected = Row(
            row.id, checksum(f"{number} {names[number]}"), row.started_at, names[number], "", None, row.started_at, 0
        )
        assert row == expected
    assert len({row.started_at for row in rows}) == len(rows)
    refused(database, make, "There is a migration history")
    insert = f"INSERT INTO {SCHEMA}._prisma_migrations (id, checksum, migration_name) VALUES ('new', '', '')"
    database.execute(insert.encode())
    refused(database, drop, "Something else has been recorded since")
    assert len(ask(database, f"SELECT FROM {SCHEMA}._prisma_migrations")) == len(rows) + 1
    database.execute(f"DELETE FROM {SCHEMA}._prisma_migrations WHERE id = 'new'".encode())
    if rows:
        mark = f"UPDATE {SCHEMA}._prisma_migrations SET rolled_back_at = now() WHERE id = %s"
        database.execute(mark.encode(), [rows[0].id])
        refused(database, drop, "Something else has been recorded since")
        database.execute(f"UPDATE {SCHEMA}._prisma_migrations SET rolled_back_at = NULL".encode())
    database.execute(drop.encode())
    assert ask(database, EXISTS) == [(False,)]
    refused(database, drop, "There is no migration history")


@pytest.mark.usefixtures("tables")
def test_the_table_is_as_prismas_engine_makes_it(database: psycopg.Connection) -> None:
    make, drop = history_fix(bare(["one"], 1, SCHEMA))
    database.execute(TABLE.replace("{table}", "pg_temp.as_prisma").encode())
    database.execute(make.encode())
    made, prismas = (
        database.execute(COLUMNS, [name]).fetchall() for name in ("bare._prisma_migrations", "pg_temp.as_prisma")
    )
    assert made == prismas
    key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'bare._prisma_migrations'::regclass"
    assert ("PRIMARY KEY (id)",) in ask(database, f"{key} AND contype = 'p'")
    database.execute(drop.encode())
    database.execute("DROP TABLE pg_temp.as_prisma")


@pytest.mark.usefixtures("tables")
def test_an_emptied_history_is_filled_again(database: psycopg.Connection) -> None:
    fill, clear = history_fix(bare(["one", "two"], 2, SCHEMA, emptied=True))
    database.execute(TABLE.replace("{table}", f"{SCHEMA}._prisma_migrations").encode())
    database.execute(fill.encode())
    names = f"SELECT migration_name FROM {SCHEMA}._prisma_migrations ORDER BY started_at"
    assert ask(database, names) == [("one",), ("two",)]
    refused(database, fill, "There is a migration history")
    database.execute(clear.encode())
    assert ask(database, names) == []
    refused(database, clear, "There is no migration history")
    database.execute(f"DROP TABLE {SCHEMA}._prisma_migrations".encode())


@pytest.mark.usefixtures("tables")
def test_it_is_not_made_while_a_table_is_missing(database: psycopg.Connection) -> None:
    make, _ = history_fix(bare(["one", "two"], 2, SCHEMA))
    database.execute('ALTER TABLE bare."T1" RENAME TO elsewhere')
    refused(database, make, "An object of the migration is missing")
    assert ask(database, EXISTS) == [(False,)]
    database.execute('ALTER TABLE bare.elsewhere RENAME TO "T1"')


def test_there_is_no_fix_where_the_objects_are_those_of_no_migration() -> None:
    facts = bare(["one", "two", "three"], 3, SCHEMA)
    facts["catalog"] = catalog_of({("table", "", "T0"): "", ("table", "", "T2"): ""}, SCHEMA)
    (finding,) = found("no-history", facts)
    built, reason = suggested(finding, facts)
    assert not built
    assert 'table "T1"' in reason
