"""What a statement asks of rows, where the catalog alone decides whether it is asked and how.

What PostgreSQL makes of real statements stands in the tests of fixtures/pending/forecast.py and in tests/engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from health.pending.data_requirements import CheckRequirement, DataRequirement, ForeignKeyRequirement, TypeRequirement
from health.pending.statement import StatementRun
from health.pending.tables import CloneColumn, CloneConstraint, CloneTable, CloneUnique

A, B, NEW = 1, 2, 3  # tables; A and B are there
ID, TEXT, NUMBER, OWN, CODE, FRESH = range(1, 7)  # columns of A; FRESH is not there yet


def column(name: str, type_: str = "text", **more: Any) -> CloneColumn:
    return CloneColumn(name, type_, type_, **{"not_null": False, "filled": False, **more})


def unique(*columns: int, predicate: str | None = None, nulls_distinct: bool = True) -> dict[int, CloneUnique]:
    return {90: CloneUnique("i", columns, predicate, nulls_distinct, primary=False)}


def constraint(kind: str, *columns: int, **more: Any) -> dict[int, CloneConstraint]:
    known: dict[str, Any] = {"target": 0, "target_columns": (), "validated": True, "match": "s", "definition": ""}
    return {91: CloneConstraint("c", kind, columns, **{**known, **more})}


def key(*columns: int, to: int = B, of: tuple[int, ...] = (1,), match: str = "s") -> dict[int, CloneConstraint]:
    return constraint("f", *columns, target=to, target_columns=of, match=match)


LIVE = {
    A: CloneTable(
        "A",
        1,
        {
            ID: column("id", "integer", not_null=True),
            TEXT: column("t"),
            NUMBER: column("n", "integer"),
            OWN: column("own", "own_type", builtin=False),
            CODE: column('a "code"', "character varying(9)"),
        },
        {80: CloneUnique("A_pkey", (ID,), None, nulls_distinct=True, primary=True)},
    ),
    B: CloneTable("B", 2, {1: column("id", "integer", not_null=True)}),
}


@dataclass(frozen=True)
class Case:
    """A statement on the table A: what it has then beside what it had, and whether that is asked.

    Attributes:
        earlier: columns as statements before have made them.
        written: tables of which they have changed rows.
        why: it is not asked; empty where it is, None where nothing is.
    """

    why: str | None
    columns: Mapping[int, CloneColumn] = field(default_factory=dict)
    uniques: Mapping[int, CloneUnique] = field(default_factory=dict)
    constraints: Mapping[int, CloneConstraint] = field(default_factory=dict)
    earlier: Mapping[int, CloneColumn] = field(default_factory=dict)
    written: tuple[int, ...] = ()

    def requirements(self) -> tuple[DataRequirement, ...]:
        before = replace(LIVE[A], columns={**LIVE[A].columns, **self.earlier})
        after = replace(
            before,
            columns={**before.columns, **self.columns},
            uniques={**before.uniques, **self.uniques},
            constraints=self.constraints,
        )
        tables = {**LIVE, A: before}
        return tuple(
            StatementRun("m", 1, "", LIVE, tables, {**tables, A: after}, frozenset(self.written)).requirements()
        )


FILLED, EMPTY = column("x", filled=True), column("x")
WIDER = {NUMBER: column("n", "bigint")}
CASES = {
    "a foreign key": Case("", constraints=key(NUMBER)),
    "to a table that is new": Case("", constraints=key(NUMBER, to=NEW)),
    "to a column that is new": Case("it leads to a column that is not there yet", constraints=key(NUMBER, of=(9,))),
    "to rows that were changed": Case(
        "an earlier statement changes rows of the table that it leads to", constraints=key(NUMBER), written=(B,)
    ),
    "of rows that were changed": Case(
        "an earlier statement changes rows of the table", constraints=key(NUMBER), written=(A,)
    ),
    "of a type with an equality of its own": Case("a column of it has a type of its own", constraints=key(OWN)),
    "of two columns": Case("", constraints=key(ID, NUMBER, of=(1, 1))),
    "of two columns, both or none": Case("it is MATCH FULL", constraints=key(ID, NUMBER, of=(1, 1), match="f")),
    "of one column, MATCH FULL": Case("", constraints=key(NUMBER, match="f")),
    "of a new column": Case(None, {FRESH: EMPTY}, constraints=key(FRESH)),
    "of a new column with values": Case(
        "a column of it is new or changes its type", {FRESH: FILLED}, constraints=key(FRESH)
    ),
    "of a new column that was filled": Case(
        "a column of it is new or changes its type", constraints=key(FRESH), earlier={FRESH: EMPTY}, written=(A,)
    ),
    "of a column of another type": Case(
        "a column of it is new or changes its type", constraints=key(NUMBER), earlier=WIDER
    ),
    "that is not validated": Case(None, constraints=constraint("f", NUMBER, target=B, validated=False)),
    "a unique index": Case("", uniques=unique(TEXT, NUMBER)),
    "over NULLs of a new column": Case(None, {FRESH: EMPTY}, unique(FRESH)),
    "over NULLs that are alike": Case(
        "its key holds a column that is not there yet", {FRESH: EMPTY}, unique(FRESH, nulls_distinct=False)
    ),
    "over a new column with values": Case(
        "its key holds a column that is not there yet", {FRESH: FILLED}, unique(TEXT, FRESH)
    ),
    "over one empty column of two": Case(None, {FRESH: EMPTY}, unique(TEXT, FRESH)),
    "over two new columns, one with values": Case(None, {FRESH: FILLED, 7: column("y")}, unique(FRESH, 7)),
    "over a column of another type": Case(
        "a column of its key changes its type first", uniques=unique(NUMBER), earlier=WIDER
    ),
    "for rows with a value": Case("", uniques=unique(TEXT, predicate="(n IS NOT NULL)")),
    "for rows with a value in a new column": Case(
        "it is partial, and its condition is not one that is asked",
        uniques=unique(TEXT, predicate="(x IS NOT NULL)"),
        earlier={FRESH: EMPTY},
    ),
    "an exclusion": Case("exclusion constraints are not asked", constraints=constraint("x", TEXT)),
    "a number of any size": Case(None, {NUMBER: column("n", "numeric")}),
    "a number as text": Case("the change to text is a conversion", {NUMBER: column("n")}),
    "a text as number": Case("the change to integer is a conversion", {TEXT: column("t", "integer")}),
    "a shorter text": Case("", {CODE: column("code", "character varying(8)")}),
    "a text without a limit": Case(None, {CODE: column("code", "character varying")}),
    "a second change of type": Case(
        "the change to character varying(8) is a conversion",
        {TEXT: column("t", "character varying(8)")},
        earlier={TEXT: column("t", "character varying(20)")},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_asked_and_why_the_rest_is_not(case: str) -> None:
    why = CASES[case].why
    assert [requirement.why_unasked or "" for requirement in CASES[case].requirements()] == (
        [] if why is None else [why]
    )


def test_names_are_those_of_today() -> None:
    renamed = {NUMBER: column("new name", "integer"), CODE: column("other", "character varying(8)")}
    (type_, index) = Case("", {CODE: renamed[CODE]}, unique(NUMBER), earlier={NUMBER: renamed[NUMBER]}).requirements()
    assert isinstance(type_, TypeRequirement)
    assert (type_.name, type_.columns, type_.longest, type_.keys) == ('a "code"', ('a "code"',), 8, ("id",))
    assert (index.columns, index.subject) == (("n",), "m: A.i")
    (new,) = Case("", constraints=key(NUMBER, to=NEW)).requirements()
    assert isinstance(new, ForeignKeyRequirement)
    assert (new.target, new.target_columns) == (None, ())
    before = {A: replace(LIVE[A], name="Z"), B: replace(LIVE[B], name="Y")}
    after = {**before, A: replace(before[A], constraints=key(NUMBER))}
    (parent,) = StatementRun("m", 1, "", LIVE, before, after).requirements()
    assert isinstance(parent, ForeignKeyRequirement)
    assert (parent.table, parent.columns, parent.target, parent.target_columns) == ("A", ("n",), "B", ("id",))


def test_what_stood_before_is_not_asked_again() -> None:
    """A change of type makes indexes and constraints anew, with numbers of their own."""
    old = CloneTable("A", 1, LIVE[A].columns, unique(TEXT), key(NUMBER))
    new = replace(
        old,
        columns={**old.columns, **WIDER},
        uniques={95: old.uniques[90]},
        constraints={96: old.constraints[91]},
    )

    def asked(before: CloneTable) -> list[str]:
        live = {A: old, B: LIVE[B]}
        return [
            each.kind for each in StatementRun("m", 1, "", live, {**live, A: before}, {**live, A: new}).requirements()
        ]

    assert asked(old) == []
    assert asked(replace(old, uniques=unique(TEXT, NUMBER))) == ["unique"]
    assert asked(replace(old, constraints=constraint("f", NUMBER, target=B, target_columns=(1,), validated=False))) == [
        "foreign key"
    ]


# PostgreSQL's own spelling of a condition → the columns, and what is asked of them; None: not understood.
CHECKS: dict[str, tuple[tuple[str, ...], object] | None] = {
    "CHECK ((n >= 0))": (("n",), (">=", 0)),
    "CHECK ((n <> '-4'::integer))": (("n",), ("<>", -4)),
    "CHECK ((n IS NOT NULL))": (("n",), None),
    "CHECK ((t = 'it''s'::text))": (("t",), ("=", "it's")),
    "CHECK ((t <> ''::text))": (("t",), ("<>", "")),
    'CHECK (("a ""code""" IS NOT NULL))': (('a "code"',), None),
    "CHECK ((n > 0)) NO INHERIT": None,
    "CHECK ((n IS NOT NULL)) NO INHERIT": None,
    "CHECK (((n > 0) OR f(n)))": None,
    "CHECK ((n > f(0)))": None,
    "CHECK ((n >= 0)) OR ((n < 0))": None,
    "CHECK ((n > 0.5))": None,
    "CHECK ((n <=> 0))": None,
    "CHECK ((n = t))": None,
    "CHECK ((t < 'm'::text))": None,  # how texts are sorted hangs on the collation
    "CHECK ((t = E'\\\\'::text))": None,
    "CHECK ((t = 'a'::text) OR ('b' = 'b'::text))": None,
    "CHECK ((t = 5))": None,
    "CHECK ((own = 'x'::text))": None,
    'CHECK ((("a ""code""")::text = \'x\'::text))': None,
    "CHECK ((absent IS NOT NULL))": None,
    "CHECK ((length(t) > 0))": None,
}


@pytest.mark.parametrize("definition", CHECKS)
def test_a_condition_is_asked_only_where_it_is_understood_whole(definition: str) -> None:
    (condition,) = Case(None, constraints=constraint("c", definition=definition)).requirements()
    assert isinstance(condition, CheckRequirement)
    understood = None if condition.why_unasked else (condition.columns, condition.comparison)
    assert understood == CHECKS[definition]
