"""What was written or made since is there after every fix and every undo, or these refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.support.fix_worlds import prepare, sql_fixes

FIXES = sql_fixes()
UNDONE = [name for name, (_, fix) in FIXES.items() if fix.undo is not None]
RUN = [name for name, (_, fix) in FIXES.items() if fix.body.startswith("DO ")]
_COMMENT = "COMMENT ON {} IS 'since'"
_ADD = (
    "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) SELECT DISTINCT {}, 'c', {}, 'since' "
    "FROM _prisma_migrations"
)
# What is done → how it is seen; what cannot be done in a state is no attack on it.
CHANGES: dict[str, str] = {
    # the history
    _ADD.format("'since' || migration_name", "migration_name"): "SELECT id FROM _prisma_migrations "
    "WHERE logs = 'since'",
    _ADD.format("'since'", "migration_name || '_now'"): "SELECT FROM _prisma_migrations WHERE id = 'since'",
    "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('since', 'c', 'another')": "SELECT * FROM "
    "_prisma_migrations WHERE id = 'since'",
    "UPDATE _prisma_migrations SET logs = 'since'": "SELECT id, logs FROM _prisma_migrations WHERE logs = 'since'",
    "UPDATE _prisma_migrations SET checksum = 'since'": "SELECT id FROM _prisma_migrations WHERE checksum = 'since'",
    "UPDATE _prisma_migrations SET applied_steps_count = 77": "SELECT id FROM _prisma_migrations "
    "WHERE applied_steps_count = 77",
    "UPDATE _prisma_migrations SET started_at = '2001-01-01'": "SELECT id FROM _prisma_migrations "
    "WHERE started_at = '2001-01-01'",
    "UPDATE _prisma_migrations SET finished_at = '2001-01-01' WHERE finished_at IS NOT NULL": "SELECT id FROM "
    "_prisma_migrations WHERE finished_at = '2001-01-01'",
    "UPDATE _prisma_migrations SET migration_name = 'since'": "SELECT id FROM _prisma_migrations "
    "WHERE migration_name = 'since'",
    "ALTER TABLE _prisma_migrations ADD since text; UPDATE _prisma_migrations SET since = 'since'": "SELECT id FROM "
    "_prisma_migrations WHERE since = 'since'",
    "CREATE INDEX since ON _prisma_migrations (logs)": "SELECT 'since'::regclass",
    "CREATE UNIQUE INDEX since ON _prisma_migrations (id, checksum)": "SELECT 'since'::regclass",
    "CREATE VIEW since AS SELECT id FROM _prisma_migrations": "SELECT 'since'::regclass",
    "CREATE SEQUENCE since OWNED BY _prisma_migrations.id; SELECT nextval('since')": "SELECT last_value FROM since",
    "CREATE TABLE since () INHERITS (_prisma_migrations)": "SELECT 'since'::regclass",
    # a table and its column
    'INSERT INTO "T" (a, b) VALUES (50, 60)': 'SELECT a, b FROM "T" WHERE a = 50',
    'UPDATE "T" SET o = 42': 'SELECT o FROM "T"',
    'UPDATE "T" SET o = NULL': 'SELECT o FROM "T"',
    'CREATE INDEX since ON "T" (o)': "SELECT 'since'::regclass",
    'CREATE INDEX since ON "T" (a) WHERE o > 0': "SELECT 'since'::regclass",
    'ALTER TABLE "T" ADD CONSTRAINT since UNIQUE (a, o)': "SELECT FROM pg_constraint WHERE conname = 'since'",
    'ALTER TABLE "T" ADD CONSTRAINT since CHECK (o > -9)': "SELECT FROM pg_constraint WHERE conname = 'since'",
    'CREATE STATISTICS since ON a, o FROM "T"': "SELECT FROM pg_statistic_ext WHERE stxname = 'since'",
    'CREATE SEQUENCE since OWNED BY "T".o; SELECT nextval(\'since\')': "SELECT last_value FROM since",
    'CREATE VIEW since AS SELECT o FROM "T"': "SELECT * FROM since",
    'ALTER TABLE "T" ADD since integer GENERATED ALWAYS AS (o) STORED': 'SELECT since FROM "T"',
    'CREATE TABLE since () INHERITS ("T"); INSERT INTO since (o) VALUES (43)': "SELECT o FROM since",
    'CREATE TABLE since () INHERITS ("T"); CREATE INDEX since_o ON since (o)': "SELECT 'since_o'::regclass",
    "CREATE POLICY since ON \"T\" USING (o > 0)": "SELECT FROM pg_policy WHERE polname = 'since'",
    'ALTER TABLE "T" ALTER o TYPE bigint': "SELECT atttypid FROM pg_attribute WHERE attname = 'o' AND atttypid = 20",
    'ALTER TABLE "T" ALTER o SET DEFAULT 99': 'SELECT adbin FROM pg_attrdef WHERE adrelid = \'"T"\'::regclass',
    'CREATE INDEX since ON aside."T" (o)': "SELECT 'aside.since'::regclass",
    'UPDATE aside."T" SET o = 42': 'SELECT o FROM aside."T"',
    # what a definition does not tell
    **{
        _COMMENT.format(what): f"SELECT FROM pg_description WHERE description = 'since' -- {what}"
        for what in (
            'COLUMN "T".o', "INDEX o", "INDEX i", 'CONSTRAINT o ON "T"', 'CONSTRAINT o ON DOMAIN "T"', "FUNCTION f()",
            'TRIGGER o ON "T"', 'RULE o ON "T"', "STATISTICS o", 'TABLE aside."T"', "PROCEDURE aside.p()",
            'COLUMN "Entity".data',
        )
    },
    'ALTER TABLE "T" CLUSTER ON o': "SELECT FROM pg_index WHERE indisclustered",
    'ALTER TABLE "T" ALTER a SET NOT NULL; ALTER TABLE "T" REPLICA IDENTITY USING INDEX o': "SELECT FROM pg_index "
    "WHERE indisreplident",
    'CREATE TABLE since (a integer REFERENCES "T" (a))': "SELECT FROM pg_constraint WHERE conname = 'since_a_fkey'",
    # another object in its place
    'DROP INDEX i; CREATE INDEX i ON "T" (b)': "SELECT pg_get_indexdef('i'::regclass)",
    'DROP INDEX o; CREATE INDEX o ON "T" (b)': "SELECT pg_get_indexdef('o'::regclass)",
    'ALTER TABLE "T" DROP CONSTRAINT o; ALTER TABLE "T" ADD CONSTRAINT o CHECK (a > -5)': "SELECT "
    "pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'o'",
    "CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql RETURN 'since'::text": "SELECT f()",
    "CREATE OR REPLACE PROCEDURE aside.p() LANGUAGE sql AS 'SELECT 7'": "SELECT prosrc FROM pg_proc "
    "WHERE proname = 'p' AND prosrc = 'SELECT 7'",
    'DROP RULE o ON "T"; CREATE RULE o AS ON UPDATE TO "T" DO INSTEAD NOTHING': "SELECT pg_get_ruledef(oid) "
    "FROM pg_rewrite WHERE rulename = 'o'",
    # Frigg's column
    "INSERT INTO \"Entity\" (id, data) VALUES (5, '{\"a\": 1}')": 'SELECT data FROM "Entity" WHERE id = 5',
    "UPDATE \"Entity\" SET data = '[1]'": 'SELECT data FROM "Entity"',
    'CREATE INDEX since ON "Entity" (data)': "SELECT 'since'::regclass",
    'ALTER TABLE "Entity" ALTER data TYPE text': "SELECT FROM pg_attribute WHERE attname = 'data' AND atttypid = 25",
}  # fmt: skip


@contextmanager
def taken_back(database: psycopg.Connection) -> Iterator[None]:
    database.execute("BEGIN")
    try:
        yield
    finally:
        database.execute("ROLLBACK")


def attack(database: psycopg.Connection, text: str) -> int:
    """Make each change, run the text, and look for the change; gives how many could be made."""
    made, lost = 0, list[str]()
    for change, look in CHANGES.items():
        with taken_back(database):
            try:
                database.execute(change.encode())
                seen = database.execute(look.encode()).fetchall()
            except psycopg.Error:
                continue
            if not seen:
                continue
            made += 1
            database.execute("SAVEPOINT since")
            try:
                database.execute(text.encode())
            except psycopg.Error:
                database.execute("ROLLBACK TO since")
            database.execute("SET LOCAL search_path = public")
            try:
                after = database.execute(look.encode()).fetchall()
            except psycopg.Error:
                after = []
            if sorted(map(repr, after)) != sorted(map(repr, seen)):
                lost.append(change)
    assert lost == []
    return made


@pytest.mark.parametrize("name", UNDONE)
def test_no_undo_takes_away_what_was_written_since(database: psycopg.Connection, name: str) -> None:
    title, fix = FIXES[name]
    prepare(database, title, (*fix.before, fix.body))
    assert attack(database, fix.undo or "")


@pytest.mark.parametrize("name", RUN)
def test_no_fix_takes_away_what_was_written_since(database: psycopg.Connection, name: str) -> None:
    title, fix = FIXES[name]
    prepare(database, title, fix.before)
    attack(database, fix.body)
