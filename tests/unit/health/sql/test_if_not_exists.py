"""Edits as data: a statement, and what becomes of it."""

from __future__ import annotations

import pytest

from health.sql.if_not_exists import edited, guarded, statements

INSERTED = {
    'CREATE TABLE "A" (id INT);': 'CREATE TABLE IF NOT EXISTS "A" (id INT);',
    "create unlogged table a (b text);": "create unlogged table IF NOT EXISTS a (b text);",
    'CREATE INDEX "i" ON "A"("x");': 'CREATE INDEX IF NOT EXISTS "i" ON "A"("x");',
    'CREATE UNIQUE INDEX CONCURRENTLY "i" ON "A"("x");': (
        'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "i" ON "A"("x");'
    ),
    'DROP INDEX "public"."i";': 'DROP INDEX IF EXISTS "public"."i";',
    'ALTER TABLE "A" ADD COLUMN "b" TEXT;': 'ALTER TABLE "A" ADD COLUMN IF NOT EXISTS "b" TEXT;',
    'ALTER TABLE "A" DROP COLUMN "b", ADD COLUMN     "c" INT;': (
        'ALTER TABLE "A" DROP COLUMN IF EXISTS "b", ADD COLUMN     IF NOT EXISTS "c" INT;'
    ),
    'ALTER TABLE "A" DROP CONSTRAINT "f";': 'ALTER TABLE "A" DROP CONSTRAINT IF EXISTS "f";',
    "ALTER TYPE \"T\" ADD VALUE 'ADD VALUE x';": "ALTER TYPE \"T\" ADD VALUE IF NOT EXISTS 'ADD VALUE x';",
    "ALTER TABLE \"DROP COLUMN x\" ADD COLUMN b TEXT DEFAULT '; DROP COLUMN y' /* ADD COLUMN z */;": (
        "ALTER TABLE \"DROP COLUMN x\" ADD COLUMN IF NOT EXISTS b TEXT DEFAULT '; DROP COLUMN y' /* ADD COLUMN z */;"
    ),
}
BLOCKS = {
    "CREATE TYPE \"T\" AS ENUM ('A');": "duplicate_object",
    'ALTER TABLE "A" ADD CONSTRAINT "f" FOREIGN KEY ("x", "y") REFERENCES "B"("x", "y") ON DELETE CASCADE;': (
        "duplicate_object OR duplicate_table"
    ),
}
NONE = [
    'CREATE TABLE IF NOT EXISTS "A" (id INT);',
    'CREATE INDEX ON "A"("x");',
    'CREATE INDEX IF NOT EXISTS "i" ON "A"("x");',
    'ALTER TABLE "A" ADD COLUMN IF NOT EXISTS "b" TEXT;',
    'ALTER TABLE "A" RENAME COLUMN "a" TO "b";',
    'ALTER TABLE "A" ALTER COLUMN "a" SET NOT NULL, ADD CONSTRAINT "c" UNIQUE ("a");',
    "INSERT INTO a VALUES ('CREATE TABLE b (c INT)');",
    "DO $$ BEGIN CREATE TABLE a (b INT); END $$;",
    "SELECT 1;",
]


@pytest.mark.parametrize("statement", INSERTED)
def test_words_are_inserted_where_postgresql_knows_them(statement: str) -> None:
    assert guarded(statement) == INSERTED[statement]
    assert guarded(INSERTED[statement]) is None


@pytest.mark.parametrize("statement", BLOCKS)
def test_a_block_takes_the_error_where_it_does_not(statement: str) -> None:
    assert guarded(statement) == (
        f"DO $guard$ BEGIN\n{statement}\nEXCEPTION WHEN {BLOCKS[statement]} THEN NULL;\nEND $guard$;"
    )


def test_a_statement_cannot_leave_its_block() -> None:
    made = guarded("CREATE TYPE t AS ENUM ('$guard$');")
    assert made is not None
    assert made.startswith("DO $guard_$ BEGIN")


@pytest.mark.parametrize("statement", NONE)
def test_anything_else_has_no_guard(statement: str) -> None:
    assert guarded(statement) is None


def test_statements_are_found_where_they_stand() -> None:
    script = "-- one\nSELECT 1;\n\n/* two; */ SELECT ';';\r\n\nSELECT 1"
    found = statements(script)
    assert found is not None
    assert [(s.line, s.text) for s in found] == [(2, "SELECT 1;"), (4, "SELECT ';';"), (6, "SELECT 1")]
    assert all(script[s.start :].startswith(s.text) for s in found)


def test_only_the_named_statements_change() -> None:
    script = "-- a comment\nDROP INDEX a;\n\nDROP INDEX b; -- behind\nSELECT 1;\n"
    assert edited(script, frozenset({1})) == (script.replace("INDEX b", "INDEX IF EXISTS b"), ())
    assert edited(script, frozenset({0, 2})) == (None, (2,))
    assert edited(script, frozenset()) == (script, ())
