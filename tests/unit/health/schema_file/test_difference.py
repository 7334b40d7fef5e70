"""What Prisma's script says of each object, and how severe that is."""

from __future__ import annotations

import pytest

from checks.test_schema_file import test_schema_file_has_no_unwritten_change as judge
from health.catalog.catalog import Catalog, Column
from health.config.environment import Environment
from health.finding import Fix
from health.schema_file.clauses import split_clauses
from health.schema_file.difference import SchemaChange, SchemaFileDiff, apart_from_known, changes, known_of_database
from plugins import fixes

CATALOG = Catalog(
    "public",
    (
        Column("User", "needed", "text", not_null=True, default=None),
        Column("User", "filled", "text", not_null=True, default="''::text"),
        Column("User", "nullable", "text", not_null=False, default=None),
    ),
)
# Prisma's script → subject and kind of what it changes
CASES = {
    '-- CreateTable\nCREATE TABLE "Tag" (\n    "id" INTEGER NOT NULL\n);': ('table "Tag"', "unwritten"),
    'CREATE TABLE "app"."Tag" ("id" INTEGER);': ('table "app"."Tag"', "unwritten"),
    'CREATE TABLE "public"."Tag" ("id" INTEGER);': ('table "Tag"', "unwritten"),
    'DROP TABLE "Tag";': ('table "Tag"', "unmodelled"),
    "CREATE TYPE \"Role\" AS ENUM ('A;', 'B');": ('enum "Role"', "unwritten"),
    "ALTER TYPE \"Role\" ADD VALUE 'C';": ('enum "Role"', "unwritten"),
    'DROP TYPE "Role";': ('enum "Role"', "unmodelled"),
    'CREATE UNIQUE INDEX "i" ON "User"("a");': ('index "i"', "unwritten"),
    'CREATE INDEX "i" ON "User"("a");': ('index "i"', "slower"),
    'DROP INDEX "i";': ('index "i"', "unmodelled"),
    'DROP INDEX "i";\nCREATE INDEX "i" ON "User"("b");': ('index "i"', "slower"),
    'ALTER INDEX "i" RENAME TO "j";': ('index "i"', "renamed"),
    'ALTER TABLE "User" ADD COLUMN     "a" TEXT;': ('column "User"."a"', "unwritten"),
    'ALTER TABLE "User" ALTER COLUMN "a" SET DEFAULT \'x, y\';': ('column "User"."a"', "unwritten"),
    'ALTER TABLE "User" DROP COLUMN "nullable";': ('column "User"."nullable"', "unmodelled"),
    'ALTER TABLE "User" DROP COLUMN "filled";': ('column "User"."filled"', "unmodelled"),
    'ALTER TABLE "User" DROP COLUMN "needed";': ('column "User"."needed"', "required"),
    'ALTER TABLE "User" DROP COLUMN "needed",\nADD COLUMN "needed" INTEGER;': ('column "User"."needed"', "unwritten"),
    'ALTER TABLE "User" DROP CONSTRAINT "fk";': ('constraint "User"."fk"', "unmodelled"),
    'ALTER TABLE "User" RENAME CONSTRAINT "a" TO "b";': ('constraint "User"."a"', "renamed"),
    'ALTER TABLE "a""b" ADD COLUMN "c" TEXT;': ('column "a""b"."c"', "unwritten"),
    'CREATE SCHEMA IF NOT EXISTS "app";': ('schema "app"', "unwritten"),
    'CREATE EXTENSION IF NOT EXISTS "citext";': ('extension "citext"', "unwritten"),
    "SOMETHING new;": ("SOMETHING new", "unwritten"),
}
REPLACED = """-- AlterEnum
BEGIN;
CREATE TYPE "Role_new" AS ENUM ('USER');
ALTER TABLE "User" ALTER COLUMN "role" TYPE "Role_new" USING ("role"::text::"Role_new");
ALTER TYPE "Role" RENAME TO "Role_old";
ALTER TYPE "Role_new" RENAME TO "Role";
DROP TYPE "Role_old";
COMMIT;
"""


@pytest.mark.parametrize(("script", "expected"), CASES.items(), ids=CASES)
def test_a_statement_is_of_an_object(script: str, expected: tuple[str, str]) -> None:
    (change,) = changes(script, CATALOG)
    assert (change.subject, change.kind) == expected


def test_an_enum_that_is_replaced_is_one_change_with_all_its_statements() -> None:
    (change,) = changes(REPLACED, CATALOG)
    assert (change.subject, change.kind) == ('enum "Role"', "unwritten")
    (sql,) = change.sql
    assert sql.startswith("BEGIN;")
    assert sql.endswith("COMMIT;")
    assert sql.count(";") == 7


def test_columns_of_one_statement_are_told_apart() -> None:
    found = changes('ALTER TABLE "User" DROP COLUMN "nullable",\nADD COLUMN "a" DECIMAL(65,30);', CATALOG)
    assert {change.subject: change.sql for change in found} == {
        'column "User"."nullable"': ('ALTER TABLE "User" DROP COLUMN "nullable";',),
        'column "User"."a"': ('ALTER TABLE "User" ADD COLUMN "a" DECIMAL(65,30);',),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "a, b": ["a", "b"],
        "a (1, 2), b": ["a (1, 2)", "b"],
        "a DEFAULT 'x, y', b": ["a DEFAULT 'x, y'", "b"],
        'a "x,y", b': ['a "x,y"', "b"],
        "a ARRAY[1, 2], b": ["a ARRAY[1, 2]", "b"],
        "a $$,$$, b": ["a $$,$$", "b"],
        "": [],
    }.items(),
)
def test_clauses_are_split_at_their_commas(text: str, expected: list[str]) -> None:
    assert split_clauses(text) == expected


def test_what_the_registry_declares_is_left_out() -> None:
    one, other = SchemaChange('index "i"', "unmodelled", ()), SchemaChange('index "j"', "unmodelled", ())
    known = ('schema file: index "i"', 'schema file: index "gone"', 'index "j"')
    assert apart_from_known((one, other), known) == ((other,), ('index "gone"',))
    assert known_of_database(known) == ('index "j"',)


def test_a_wrong_schema_file_is_said_in_few_findings() -> None:
    many = tuple(SchemaChange(f'table "{number}"', "unwritten", ("sql",)) for number in range(100))
    found = judge(schema_file_diff=SchemaFileDiff("schema.prisma", "migrations", "Prisma", many))
    assert len(found) == 41
    assert found[-1].message == "60 more objects differ: this may be the schema file of other migrations."


def fix_of(*written: SchemaChange, migrations: str = "/app/prisma/migrations") -> list[Fix]:
    diff = SchemaFileDiff("schema.prisma", migrations, "Prisma", written)
    suggested, _ = fixes.suggest(
        judge(schema_file_diff=diff)[0], {"schema_file_diff": diff, "environment": Environment("local", "local")}
    )
    return suggested


def test_the_missing_migration_drops_nothing_that_was_written_by_hand() -> None:
    written = SchemaChange('table "a"', "unwritten", ('CREATE TABLE "a" ();',))
    first, second = fix_of(written, SchemaChange('index "i"', "unmodelled", ('DROP INDEX "i";',)))
    assert "CREATE TABLE" in first.body
    assert "DROP" not in first.body
    assert "node_modules" not in first.note
    assert second.fallback
    assert "resets" in second.note


@pytest.mark.parametrize("sql", ["SELECT '\x1b[2J';", "a\nhealth_sql\nrm -rf /"])
def test_no_command_is_made_of_sql_that_could_leave_it(sql: str) -> None:
    (only,) = fix_of(SchemaChange('table "a"', "unwritten", (sql,)))
    assert only.fallback


def test_a_loss_is_said() -> None:
    retyped = SchemaChange('column "a"."b"', "unwritten", ('ALTER TABLE "a" DROP COLUMN "b";',))
    assert "It drops a column" in fix_of(retyped)[0].note
    assert "next install" in fix_of(retyped, migrations="/app/node_modules/core/migrations")[0].note
