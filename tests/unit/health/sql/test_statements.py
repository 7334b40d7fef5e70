"""Statements in the SQL of migrations."""

from __future__ import annotations

import pytest

from health.sql.statements import (
    adding_column,
    controls_transaction,
    differ_in_comments_only,
    leaves_transaction_open,
    split,
    stands_alone,
)


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ('ALTER TABLE "Entity" ADD COLUMN "data" JSONB;', True),
        ('-- adds it\nALTER TABLE "Entity" ADD COLUMN IF NOT EXISTS "data" JSONB NOT NULL DEFAULT \'{}\';', True),
        ('ALTER TABLE "public"."Entity" DROP COLUMN "x", ADD COLUMN "data" JSONB;', True),
        ('-- ALTER TABLE "Entity" ADD COLUMN "data" JSONB;\nSELECT 1;', False),
        ('ALTER TABLE "Credential" ADD COLUMN "data" JSONB;', False),
        ('ALTER TABLE "Entity" ADD COLUMN "dataset" JSONB;', False),
        ('ALTER TABLE "Entity" DROP COLUMN "data";', False),
    ],
)
def test_the_statement_that_adds_a_column(sql: str, found: bool) -> None:
    told = adding_column(f"SELECT 0;\n{sql}\nSELECT 2;", "Entity", "data")
    assert (told is not None) is found
    if told is not None:
        assert told.startswith("ALTER TABLE")
        assert told.endswith(";")
        assert "SELECT" not in told


@pytest.mark.parametrize(
    ("sql", "open_"),
    [
        ("BEGIN;\nCREATE TABLE a (id int);", True),
        ("begin;", True),
        ("START  TRANSACTION;\nSELECT 1;", True),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1;", True),
        ("-- first\nBEGIN;\nSELECT 1;", True),
        ("BEGIN;\nSELECT 1;\nCOMMIT;", False),
        ("BEGIN;\nSELECT 1;\nEND;", False),
        ("BEGIN;\nSELECT 1;\nROLLBACK;", False),
        ("BEGIN;\nSELECT 1;\nABORT;", False),
        ("BEGIN;\nSAVEPOINT s;\nROLLBACK TO s;", True),
        ("BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2;", True),
        ("BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;", False),
        ("CREATE TABLE a (id int);", False),
        ("-- BEGIN;\nSELECT 1;", False),
        ("/* BEGIN; */ SELECT 1;", False),
        ("SELECT 'BEGIN;';", False),
        ('CREATE TABLE "BEGIN" (id int);', False),
        ("DO $$ BEGIN PERFORM 1; END $$;", False),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN RETURN 1; END $f$;", False),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;", False),
        ("", False),
    ],
)
def test_a_transaction_that_is_left_open(sql: str, open_: bool) -> None:
    assert leaves_transaction_open(sql) is open_


@pytest.mark.parametrize(
    ("statement", "controls"),
    [
        ("BEGIN;", True),
        ("  start transaction;", True),
        ("COMMIT;", True),
        ("END;", True),
        ("ROLLBACK;", True),
        ("ROLLBACK TO s;", False),
        ("SELECT 1;", False),
        ("BEGINNING;", False),
        ("DO $$ BEGIN END $$;", False),
    ],
)
def test_statements_that_only_control_the_transaction(statement: str, controls: bool) -> None:
    assert controls_transaction(statement) is controls


def test_scripts_are_taken_apart() -> None:
    assert split("-- one\nSELECT 1;\n\n/* two; */ SELECT ';';;\n") == ["SELECT 1;", "SELECT ';';"]
    body = "DO $$ BEGIN PERFORM 1; PERFORM 2; END $$;"
    assert split(f"{body}\nSELECT 1") == [body, "SELECT 1"]
    assert split("-- nothing\n") == []


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("SELECT 1;", True),
        ("-- why\nSELECT\n  1;", True),
        ("SELECT /* the */ 1; -- last", True),
        ("SELECT 2;", False),
        ("SELECT '1';", False),
        ("SELECT 1; SELECT 1;", False),
        ("-- SELECT 1;", False),
        ("SELECT '-- no comment', 1;", False),
    ],
)
def test_scripts_that_differ_in_comments_only(other: str, same: bool) -> None:
    assert differ_in_comments_only("SELECT 1;", other) is same


@pytest.mark.parametrize(
    ("statement", "alone"),
    [
        ('CREATE INDEX CONCURRENTLY "i" ON "A" (b)', True),
        ('create unique index\n  concurrently "i" ON "A" (b)', True),
        ('DROP INDEX CONCURRENTLY "i"', True),
        ('ALTER TABLE "A" DETACH PARTITION "B" CONCURRENTLY', True),
        ("VACUUM (ANALYZE) a", True),
        ("ALTER SYSTEM SET a = 1", True),
        ("CALL p()", True),
        ('CREATE INDEX "i" ON "A" (b)', False),
        ("ALTER TYPE \"Kind\" ADD VALUE 'b'", False),
        ("UPDATE a SET b = 'DO CONCURRENTLY'", False),
        ('CREATE TABLE "DATABASE" ()', False),
    ],
)
def test_what_no_transaction_may_hold(statement: str, alone: bool) -> None:
    assert stands_alone(statement) is alone
