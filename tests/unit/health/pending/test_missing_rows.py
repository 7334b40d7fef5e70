"""What a copy without rows refuses for the want of them is never a failure that is foreseen."""

from __future__ import annotations

import pytest

from health.pending.missing_rows import hangs_on_rows
from health.sql.failure import SqlFailure

TABLES = frozenset({"User", "Role", "plain"})


@pytest.mark.parametrize(
    ("sqlstate", "statement", "told"),
    [
        ("23502", 'INSERT INTO "User" VALUES ((SELECT id FROM "Role" WHERE name = \'admin\'))', True),
        ("23502", 'INSERT INTO "User" VALUES ((SELECT max(id) + 1 FROM "User"))', True),
        ("23502", 'INSERT INTO "User" VALUES (NULL)', False),
        ("23505", 'INSERT INTO "User" VALUES (1), (1)', False),
        ("22012", 'SELECT 1 / count(*) FROM "User"', True),
        ("22012", "SELECT 1 / 0", False),
        ("P0001", "DO $$ BEGIN RAISE EXCEPTION 'never'; END $$", False),
        ("P0001", "DO $$ BEGIN IF NOT EXISTS (SELECT FROM \"User\") THEN RAISE EXCEPTION 'no'; END IF; END $$", True),
        ("P0001", "DO $$ BEGIN PERFORM must_have_admin(); END $$", True),
        ("P0001", "DO $$ BEGIN EXECUTE 'SELECT ' || 1; END $$", True),
        ("P0001", "SELECT must_have_admin()", True),
        ("P0002", 'DO $$ DECLARE x int; BEGIN SELECT id INTO STRICT x FROM "User"; END $$', True),
        ("22012", "DO $$ BEGIN PERFORM 1 / count(*) FROM plain; END $$", True),
        ("22012", "DO $$ BEGIN PERFORM 1 / 0; END $$", False),
        ("42P07", 'CREATE TABLE "User" ()', False),
        ("22P02", "ALTER TABLE \"User\" ADD COLUMN n integer DEFAULT 'x'", False),
        (None, 'SELECT * FROM "User"', False),
    ],
)
def test_hangs_on_rows(sqlstate: str | None, statement: str, *, told: bool) -> None:
    assert hangs_on_rows(SqlFailure("it fails", sqlstate), statement, TABLES, {}) is told
    assert not hangs_on_rows(SqlFailure("it fails", sqlstate), statement, frozenset(), {})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('insert or update on table "Member" violates foreign key constraint "of_role"', True),
        ('insert or update on table "Member" violates foreign key constraint "of_new"', False),
        ('insert or update on table "Member" violates foreign key constraint "unknown"', True),
    ],
)
def test_a_parent_may_be_in_the_environment(said: str, *, told: bool) -> None:
    parents = {"of_role": "Role", "of_new": "Made by a file"}
    assert hangs_on_rows(SqlFailure(said, "23503"), 'INSERT INTO "Member" VALUES (1)', TABLES, parents) is told
