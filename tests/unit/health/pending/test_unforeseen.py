"""Which statements hang on rows."""

from __future__ import annotations

import pytest

from health.pending.tables import CloneTable
from health.pending.unforeseen import Unforeseen, may_hang, unforeseen

LIVE = {1: CloneTable("public", "A", 1), 2: CloneTable("public", "B", 2, acts=True)}
WRITES, RUNS = "it writes rows", "it runs on what the rows are"
EVERY = frozenset(LIVE)
A, B = frozenset({1}), frozenset({2})
# Statement → tables read, tables written, and what is said
CASES = {
    "SELECT 1": ((), (), None),
    'SELECT * FROM "A"': ((1,), (), Unforeseen(RUNS)),
    "SELECT own(1)": ((), (), Unforeseen(RUNS, EVERY, EVERY)),
    "CALL something()": ((), (), Unforeseen(RUNS, EVERY, EVERY)),
    'INSERT INTO "A" SELECT 1': ((1,), (1,), Unforeseen(WRITES, grown=A)),
    'INSERT INTO "B" SELECT 1': ((2,), (2,), Unforeseen(WRITES, EVERY, B)),
    'INSERT INTO "New" SELECT 1': ((), (), None),
    'UPDATE "A" a SET x = 1': ((1,), (1,), Unforeseen(WRITES, A, A)),
    'UPDATE "A" SET x = own(1)': ((1,), (1,), Unforeseen(WRITES, EVERY, A)),
    'DO $$ BEGIN CREATE TYPE "X" AS ENUM (); EXCEPTION WHEN duplicate_object THEN null; END $$': ((), (), None),
    'DO $$ BEGIN ALTER TABLE "A" ADD FOREIGN KEY (b) REFERENCES "B" ON UPDATE CASCADE; END $$': ((), (), None),
    'DO $$ BEGIN FOR r IN SELECT 1 LOOP UPDATE "A" SET x = 1; END LOOP; END $$': ((), (), Unforeseen(RUNS, A, A)),
    "DO $$ BEGIN EXECUTE 'DELETE  FROM ' || t; END $$": ((), (), Unforeseen(RUNS, EVERY, EVERY)),
    "DO $$ BEGIN IF EXISTS (SELECT FROM \"A\") THEN RAISE EXCEPTION 'x'; END IF; END $$": ((1,), (), Unforeseen(RUNS)),
    'CREATE TABLE "C" AS SELECT * FROM "A"': ((1,), (), Unforeseen(RUNS)),
    "REFRESH MATERIALIZED VIEW v": ((1,), (), Unforeseen(RUNS)),
    'CREATE VIEW v AS SELECT * FROM "A"': ((1,), (), None),
}


@pytest.mark.parametrize("statement", CASES)
def test_what_is_not_foreseen(statement: str) -> None:
    read, written, expected = CASES[statement]
    found = unforeseen(statement, LIVE, set(read), set(written), {"own"}) if may_hang(statement) else None
    assert found == expected


def test_nothing_hangs_on_rows_that_are_all_there() -> None:
    assert unforeseen("SELECT own(1)", {}, set(), set(), {"own"}) is None
