"""Clauses of statements as people and Prisma write them, and forms that are left alone."""

from __future__ import annotations

import pytest

from health.sql.clauses import (
    Conversion,
    Delete,
    Insert,
    Update,
    conversions,
    delete,
    insert,
    on_one_line,
    retyped,
    update,
)

CONVERSIONS = {
    'ALTER TABLE "Job" ALTER COLUMN kind TYPE "K" USING (kind::text::"K")': [
        Conversion('"Job"', "kind", '(kind::text::"K")')
    ],
    'ALTER TABLE IF EXISTS ONLY s."a""b" ALTER "C,d" SET DATA TYPE int USING f("C,d", \'x, USING\'), DROP COLUMN e,'
    " ALTER f TYPE text USING $t$a,b$t$ || f": [
        Conversion('s."a""b"', "C,d", "f(\"C,d\", 'x, USING')"),
        Conversion('s."a""b"', "f", "$t$a,b$t$ || f"),
    ],
    "ALTER TABLE a ADD CONSTRAINT x EXCLUDE USING gist (c WITH &&), ALTER b TYPE int": [],
    "ALTER TYPE a ADD VALUE 'x'": [],
    "ALTER TABLE a ALTER b TYPE int USING": [],
}
UPDATES = {
    "UPDATE a SET b = 'x, WHERE', \"C\" = f(b, (SELECT 1 FROM d WHERE true)) WHERE b IS DISTINCT FROM 'y'": Update(
        "a", (("b", "'x, WHERE'"), ("C", "f(b, (SELECT 1 FROM d WHERE true))")), "b IS DISTINCT FROM 'y'"
    ),
    'update only public."A" set B = 1': Update('public."A"', (("b", "1"),), None),
    "UPDATE a AS x SET b = 1": None,
    "UPDATE a SET b = c FROM d": None,
    "UPDATE a SET (b, c) = (1, 2)": None,
    "UPDATE a SET b = 1 RETURNING b": None,
    "UPDATE a SET b[1] = 1": None,
    "UPDATE a SET b = 1 WHERE CURRENT OF c": None,
}
DELETES = {
    'DELETE FROM "A"': Delete('"A"', None),
    "DELETE FROM ONLY a WHERE b = ';' AND c": Delete("a", "b = ';' AND c"),
    "DELETE FROM a USING b WHERE true": None,
    "DELETE FROM a AS x WHERE x.b": None,
    "DELETE FROM a WHERE b RETURNING c": None,
}
INSERTS = {
    'INSERT INTO "A" (id, "N") VALUES (1, \'x\'), (f(2, 3), now())': Insert(
        '"A"', ("id", "N"), (("1", "'x'"), ("f(2, 3)", "now()"))
    ),
    "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING": Insert("a", None, (("1",),), ()),
    "INSERT INTO a VALUES (1) ON CONFLICT (b, c) DO UPDATE SET d = 1": Insert("a", None, (("1",),), ("b", "c"), True),
    "INSERT INTO a VALUES (1) ON CONFLICT ON CONSTRAINT b DO NOTHING": None,
    "INSERT INTO a VALUES (1) ON CONFLICT (lower(b)) DO NOTHING": None,
    "INSERT INTO a VALUES (1) RETURNING b": None,
    "INSERT INTO a SELECT 1": None,
    "INSERT INTO a DEFAULT VALUES": None,
    "WITH x AS (SELECT 1) INSERT INTO a VALUES (1)": None,
}


@pytest.mark.parametrize("statement", CONVERSIONS)
def test_conversions(statement: str) -> None:
    assert list(conversions(statement)) == CONVERSIONS[statement]


@pytest.mark.parametrize("statement", UPDATES)
def test_updates(statement: str) -> None:
    assert update(statement) == UPDATES[statement]


@pytest.mark.parametrize("statement", DELETES)
def test_deletes(statement: str) -> None:
    assert delete(statement) == DELETES[statement]


@pytest.mark.parametrize("statement", INSERTS)
def test_inserts(statement: str) -> None:
    assert insert(statement) == INSERTS[statement]


LITERALS = {
    "(1, -2.5, 'it''s', NULL, true, '{}'::jsonb, now(), gen_random_uuid())": True,
    "(nextval('s'))": False,
    "(1 + 1)": False,
    "((SELECT 1))": False,
    "(E'\\'x')": False,
    "('x'::\"Kind\")": False,
}


@pytest.mark.parametrize("values", LITERALS)
def test_values_that_hang_on_nothing(values: str) -> None:
    found = insert(f"INSERT INTO a VALUES {values}")
    assert found is not None
    assert found.literal is LITERALS[values]


@pytest.mark.parametrize(
    "statement", ["", "UPDATE", "UPDATE a", "DELETE FROM", "INSERT INTO", "INSERT INTO a (", "((("]
)
def test_what_is_no_statement(statement: str) -> None:
    assert (conversions(statement), update(statement), insert(statement)) == ((), None, None)
    assert delete(statement) in (None, Delete("", None))


def test_white_space_within_texts_stays() -> None:
    assert (
        on_one_line("\nCASE\n    WHEN (\"a  b\" = 'c\n  d') THEN 1\nEND")
        == " CASE WHEN (\"a  b\" = 'c\n  d') THEN 1 END"
    )


def test_casts_are_retyped_outside_of_texts_alone() -> None:
    printed = """((a)::public."K" = ANY (ARRAY['::public."K"'::public."K", 'x'::public."K"])) AND b::public."K2"[]"""
    assert retyped(printed, {'public."K"'}, "text") == (
        """((a)::text = ANY (ARRAY['::public."K"'::text, 'x'::text])) AND b::public."K2"[]"""
    )
