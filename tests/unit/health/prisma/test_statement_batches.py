"""Which files Prisma's engine takes apart: its parser's own answers, asked of sqlparser 0.61.0."""

from __future__ import annotations

import pytest

from health.prisma.statement_batches import in_one, one_by_one
from health.sql.splitter import locate

UNDERSTOOD = (
    'CREATE INDEX CONCURRENTLY IF NOT EXISTS "i" ON "A"("b")',
    'DROP INDEX IF EXISTS "i" CASCADE',
    "ALTER TYPE \"K\" ADD VALUE IF NOT EXISTS 'x' BEFORE 'y'",
    'ALTER TYPE "K" RENAME TO "L"',
    'ALTER INDEX "a" RENAME TO "b"',
    'ALTER TABLE "A" ADD CONSTRAINT "f" FOREIGN KEY ("a") REFERENCES "B"("id") ON DELETE SET NULL ON UPDATE CASCADE',
    'ALTER TABLE "A" ALTER COLUMN "a" SET NOT NULL, ALTER COLUMN "b" DROP DEFAULT',
    'ALTER TABLE "A" SET (autovacuum_enabled = false)',
    "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN RETURN NEW; END; $$ LANGUAGE plpgsql",
    'COMMENT ON COLUMN "A"."a" IS \'LOCK\'',
    'GRANT SELECT ON "A" TO me',
    "BEGIN",
)
NOT_UNDERSTOOD = (
    "DO $$ BEGIN PERFORM 1; END $$",
    'DROP INDEX CONCURRENTLY "i"',
    'drop\n  index\tconcurrently "i"',
    'ALTER TABLE "A" ALTER CONSTRAINT "x" DEFERRABLE',
    'ALTER TABLE "A" ADD CONSTRAINT "u" UNIQUE USING INDEX "i"',
    'ALTER TYPE "K" OWNER TO x',
    "ALTER FUNCTION f() OWNER TO x",
    'ALTER SEQUENCE "s" OWNED BY "A"."id"',
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN END $$",
    "COMMENT ON INDEX \"A\" IS 'x'",
    'LOCK TABLE "A" IN ACCESS EXCLUSIVE MODE',
    'REFRESH MATERIALIZED VIEW "V"',
    'REINDEX INDEX CONCURRENTLY "i"',
    "GRANT a TO b",
    "VACUUM (ANALYZE)",
)


@pytest.mark.parametrize("statement", UNDERSTOOD)
def test_a_file_that_is_understood_is_taken_apart(statement: str) -> None:
    assert not in_one(locate(f"SELECT 1;\n{statement};\n"))


@pytest.mark.parametrize("statement", NOT_UNDERSTOOD)
def test_one_statement_that_is_not_keeps_the_file_whole(statement: str) -> None:
    assert in_one(locate(f"SELECT 1;\n-- {UNDERSTOOD[0]}\n{statement};\n"))


def test_a_transaction_of_the_file_stays_in_one_piece() -> None:
    assert one_by_one(locate("SELECT 1; BEGIN; SELECT 2; COMMIT; SELECT 3")) == [
        "SELECT 1;",
        "BEGIN;\nSELECT 2;\nCOMMIT;",
        "SELECT 3;",
    ]


def test_a_statement_of_megabytes_is_looked_at_in_moments() -> None:
    assert not in_one(locate(f"ALTER TABLE x{' SET' * 100_000}{' ' * 2_000_000}y"))
