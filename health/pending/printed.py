"""What a statement makes and does, with its expressions as PostgreSQL prints them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from health.pending.data_requirements import Key
from health.pending.future_rows import Expression
from health.pending.tables import CloneIndex, CloneTable, Tables


@dataclass(frozen=True)
class RowChange:
    """A statement that writes rows of one table, understood whole.

    Attributes:
        values: of an UPDATE: column → what it becomes.
        where: the condition of the rows; None for all.
        filled: of an INSERT: the columns that it gives a value.
        conflict: of an INSERT: the columns of ON CONFLICT, empty for any; None where it has no such clause.
        updates: whether a conflict updates the row that is there.
    """

    kind: Literal["update", "delete", "insert"]
    table: int
    values: Mapping[int, Expression] = field(default_factory=dict)
    where: Expression | None = None
    filled: frozenset[int] = frozenset()
    conflict: frozenset[int] | None = None
    updates: bool = False


@dataclass(frozen=True)
class IndexKey:
    """What an index computes of each row."""

    columns: tuple[Expression, ...]
    predicate: Expression | None = None


@dataclass(frozen=True)
class Printed:
    """The expressions of objects by their number, as PostgreSQL prints them.

    Attributes:
        checks: of tables and domains.
        indexes: of each key.
        defaults: table and column → a default, or what a generated column computes.
        operators: of exclusions.
        inserted: of an index → the keys that it holds on the clone; None where they are too many.
        parents: of a foreign key → the keys to which rows on the clone lead, and which are not there.
    """

    checks: Mapping[int, Expression] = field(default_factory=dict)
    indexes: Mapping[int, IndexKey] = field(default_factory=dict)
    defaults: Mapping[tuple[int, int], Expression] = field(default_factory=dict)
    operators: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    inserted: Mapping[int, tuple[Key, ...] | None] = field(default_factory=dict)
    parents: Mapping[int, tuple[Key, ...] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class NewObjects:
    """What a statement has made, and what its rows meet, by number: the expressions of these are read.

    Attributes:
        parents: the unique indexes to which foreign keys lead.
    """

    checks: frozenset[int]
    indexes: frozenset[int]
    defaults: frozenset[tuple[int, int]]
    parents: frozenset[int]


def new_objects(live: Tables, before: Tables, after: Tables, change: RowChange | None) -> NewObjects:
    """Find what is new in tables of today; all there is in a table that an UPDATE changes."""
    checks: set[int] = set()
    indexes: set[int] = set()
    defaults: set[tuple[int, int]] = set()
    parents: set[int] = set()
    for number, table in after.items():
        old = before.get(number)
        updated = change is not None and change.table == number
        if number not in live or not (updated or table != old):
            continue
        known = old if old and not updated else CloneTable("", "", 0)
        indexes |= table.indexes.keys() - known.indexes.keys()
        for identity, constraint in table.constraints.items():
            if known.constraints.get(identity) != constraint:
                checks.add(identity)
                if constraint.kind == "x":
                    indexes.add(constraint.target)
                elif constraint.kind == "f" and constraint.target in after:
                    parents |= after[constraint.target].indexes.keys()
        for attribute, column in table.columns.items():
            past = old.columns.get(attribute) if old else None
            if updated or past is None or past.checks != column.checks:
                checks.update(column.checks)
            if (past is None and column.default) or (column.generated and (updated or past is None)):
                defaults.add((number, attribute))
    return NewObjects(frozenset(checks), frozenset(indexes), frozenset(defaults), frozenset(parents))


def labelled(table: CloneTable, index: CloneIndex) -> bool:
    """Whether a column of an index is an enum, which a text is to stand for."""
    return any(table.columns[number].labels for number in index.columns if number)


def own_type(table: CloneTable, index: CloneIndex) -> str | None:
    """Why values of an index cannot be compared as PostgreSQL prints them; None where they can."""
    own = any(not table.columns[number].plain for number in index.columns if number)
    return "a column of it has a type of its own" if own else None


def used(index: CloneIndex, key: IndexKey) -> frozenset[int]:
    """The columns of an index's keys and predicate."""
    return frozenset(index.columns).union(*(each.columns for each in (*key.columns, key.predicate) if each))
