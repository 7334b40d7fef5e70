"""Constraints a statement adds to existing rows, found by comparing the catalog of a clone before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from health.pending.data_requirements import (
    CheckRequirement,
    DataRequirement,
    ExclusionRequirement,
    ForeignKeyRequirement,
    Key,
    NotNullRequirement,
    UniqueRequirement,
    ValueRequirement,
)
from health.pending.future_rows import NULL, Expression, FutureRows, Value
from health.pending.printed import Printed, labelled, own_type, used
from health.pending.tables import CloneColumn, CloneConstraint, CloneIndex, CloneTable, Tables
from health.pending.types import free, typed

_FILLS = {"now()", "gen_random_uuid()", "CURRENT_TIMESTAMP"}  # what Prisma writes: never NULL
_MANY = "too many rows are inserted before"


@dataclass(frozen=True)
class StatementRun:
    """One statement that ran on the clone, and the catalog around it.

    Attributes:
        live: the tables as they are in the environment, before all migrations.
        before: those at hand before the statement, and ``after`` it.
        rows: of each table of today, before the statement.
        printed: the expressions of what is new.
        conversions: table and column → the expression by which the statement converts it.
    """

    migration: str
    line: int
    live: Tables
    before: Tables
    after: Tables
    rows: Mapping[int, FutureRows]
    printed: Printed = field(default_factory=Printed)
    conversions: Mapping[tuple[int, int], Expression] = field(default_factory=dict)

    def outcome(self) -> tuple[list[DataRequirement], dict[int, FutureRows]]:
        """What it requires of rows that exist, and what it makes of them."""
        after = dict(self.rows)
        changed = [
            number for number, table in self.after.items() if number in self.rows and table != self.before.get(number)
        ]
        for number in changed:
            after[number] = TableChange(self, number, after).made()
        found = [each for number in changed for each in TableChange(self, number, after).requirements()]
        return found, self._reorganised(after)

    def _reorganised(self, rows: dict[int, FutureRows]) -> dict[int, FutureRows]:
        """The same, where tables were made parts of others, or taken off them: whose rows are whose is not known."""
        related = {number for of in (self.before, self.after) for number, table in of.items() if table.family}
        moved = any(
            number not in self.after or self.after[number].partition != self.before[number].partition
            for number in related & self.before.keys()
        )
        joined = {number for number in related & self.before.keys() if not self.before[number].family}
        if not moved and not joined:
            return rows
        why = "an earlier statement changes which tables are parts of others"
        return {number: each.lost(why) if number in related else each for number, each in rows.items()}


class TableChange:
    """One table before and after one statement.

    Args:
        run: the statement.
        number: of the table.
        rows: of all tables after the statement.
    """

    def __init__(self, run: StatementRun, number: int, rows: Mapping[int, FutureRows]) -> None:
        self.run, self.number, self.all = run, number, rows
        self.live, self.after = run.live[number], run.after[number]
        self.before = run.before.get(number, self.live)
        self.earlier, self.rows = run.rows[number], rows[number]

    def made(self) -> FutureRows:
        """What the statement makes of the rows."""
        values, unknown = {}, {}
        for number, column in self.after.columns.items():
            old = self.before.columns.get(number)
            values[number], why = self._value(number, old, column)
            if why is not None:
                unknown[number] = why
        same = all(
            number in self.before.columns and self._unchanged(self.before.columns[number], column)
            for number, column in self.after.columns.items()
        )
        if same:
            return replace(self.earlier, names={number: self.earlier.names[number] for number in values})
        rows = self.earlier.changed(values, unknown=unknown)
        new = [number for number, column in self.after.columns.items() if column.generated]
        new = [number for number in new if number not in self.before.columns]
        return computed(rows, self.number, self.after, new, self.run.printed) if new else rows

    def requirements(self) -> Iterator[DataRequirement]:
        """Find what the statement requires of rows that exist."""
        for number, column in self.after.columns.items():
            old = self.before.columns.get(number)
            if not (column.inherited and self.before.family):
                yield from self._column(number, old, column)
        for number, index in self.after.indexes.items():
            if number not in self.before.indexes and not self._existed(index) and not self._of_parent(index):
                yield from self.index(number, index)
        for number, constraint in self.after.constraints.items():
            known = self.before.constraints.get(number)
            new = constraint.validated and not (known and known.validated) and not self._held_before(constraint)
            nowhere = constraint.kind == "f" and constraint.match == "s"  # where a column of it is NULL
            if nowhere and any(map(self.rows.empty, constraint.columns)):
                continue
            if new and not self._of_parent(constraint):
                yield self.constraint(number, constraint)
        if self.after.partition not in (None, self.before.partition):
            yield self._partition(self.after.partition or "")

    def shared(
        self, name: str, why_unasked: str | None = None, rows: FutureRows | None = None
    ) -> tuple[str, int, str, str, tuple[str, ...], str | None, FutureRows]:
        """The fields that all kinds share, in their order."""
        rows = rows or self.rows
        return self.run.migration, self.run.line, rows.shown, name, rows.keys, why_unasked, rows

    def index(self, number: int, index: CloneIndex) -> Iterator[DataRequirement]:
        """What an index requires."""
        key = self.run.printed.indexes[number]
        columns = tuple(each.sql for each in key.columns)
        predicate = key.predicate.sql if key.predicate else None
        rows = self.rows.texts(*key.columns, key.predicate)
        why = rows.why_unasked(index.columns, *key.columns, key.predicate)
        if not index.unique:
            values = tuple(f"CASE WHEN {predicate} THEN {each} END" for each in columns) if predicate else columns
            yield ValueRequirement(*self.shared(index.name, why, rows), values)
        elif not (index.nulls_distinct and any(map(self.rows.empty, index.columns))):
            others: tuple[Key, ...] | None = ()
            if not self.rows.fed & used(index, key):
                others = self.run.printed.inserted.get(number, ())
            if others:
                rows = replace(rows, as_texts=rows.as_texts or labelled(self.after, index))
                why = why or own_type(self.after, index)
            if others and self.rows.doubtful:
                why = why or "whether a row is inserted before hangs on those that are there"
            shared = self.shared(index.name, why or (_MANY if others is None else None), rows)
            yield UniqueRequirement(*shared, columns, predicate, index.nulls_distinct, others or ())

    def constraint(self, number: int, constraint: CloneConstraint) -> DataRequirement:
        """What a constraint requires."""
        if constraint.kind == "f":
            return self._foreign_key(constraint)
        if constraint.kind == "x":
            key = self.run.printed.indexes[constraint.target]
            operators = self.run.printed.operators[number]
            rows = self.rows.texts(*key.columns, key.predicate)
            why = rows.why_unasked((), *key.columns, key.predicate)
            if not operators:
                why = "one of its operators is not PostgreSQL's own"
            predicate = key.predicate.sql if key.predicate else None
            shared = self.shared(constraint.name, why, rows)
            return ExclusionRequirement(*shared, tuple(each.sql for each in key.columns), operators, predicate)
        condition = self.run.printed.checks[number]
        rows = self.rows.texts(condition)
        return CheckRequirement(*self.shared(constraint.name, rows.why_unasked((), condition), rows), condition.sql)

    def _value(self, number: int, old: CloneColumn | None, column: CloneColumn) -> tuple[Value, str | None]:
        """A column after the statement, and why its values are not known."""
        if old is None:
            return self._new_value(number, column)
        if old.type_key == column.type_key:
            return Value(column.name, source=old.name), None
        if not column.cast:
            return Value(column.name, sql=NULL), f"the change to {column.type} is a conversion of the schema's own"
        using = self.run.conversions.get((self.number, number))
        if using is None:
            return Value(column.name, source=old.name, cast=column.cast), None
        return Value(column.name, sql=using.sql, cast=column.cast), self.earlier.why_unasked((), using)

    def _new_value(self, number: int, column: CloneColumn) -> tuple[Value, str | None]:
        if not column.default and not column.generated:
            return Value(column.name, sql=NULL, cast=column.cast or None), None
        default = self.run.printed.defaults.get((self.number, number))
        if column.generated or default is None or default.why_unasked is not None or not column.cast:
            why = default.why_unasked if default else None
            return Value(column.name, sql=NULL), why or "it holds a column that is not there yet"
        return Value(column.name, sql=default.sql, cast=column.cast), None

    @staticmethod
    def _unchanged(before: CloneColumn, after: CloneColumn) -> bool:
        return (before.name, before.type_key) == (after.name, after.type_key)

    def _column(self, number: int, old: CloneColumn | None, column: CloneColumn) -> Iterator[DataRequirement]:
        name = self.live.columns[number].name if number in self.live.columns else column.name
        if old is not None and old.type_key != column.type_key:
            yield from self._type(number, old, column, name)
        if old is None and column.generated:
            what = self.run.printed.defaults[self.number, number]
            rows = self.rows.texts(what)
            yield ValueRequirement(*self.shared(name, rows.why_unasked((), what), rows), (what.sql,))
        if column.not_null and not (old and old.not_null) and not (old is None and self._fills(number, column)):
            shared = self.shared(name, self.rows.why_unasked([number]))
            yield NotNullRequirement(*shared, column.name, all_rows=self.rows.empty(number))
        yield from self.domain(number, column, [each for each in column.checks if not old or each not in old.checks])

    def domain(self, number: int, column: CloneColumn, checks: Iterable[int]) -> Iterator[DataRequirement]:
        """What the conditions of a column's domain require."""
        name = self.live.columns[number].name if number in self.live.columns else column.name
        for check in checks:
            condition = self.run.printed.checks[check]
            rows = self.rows.texts(condition)
            why = rows.why_unasked([number], replace(condition, columns=frozenset()))
            yield CheckRequirement(*self.shared(name, why, rows), condition.sql, column.name)

    def _fills(self, number: int, column: CloneColumn) -> bool:
        """Whether a new column is known to have a value in every row."""
        default = self.run.printed.defaults.get((self.number, number))
        if not column.default:
            return False
        return default is None or default.why_unasked is not None or "(" not in default.sql or default.sql in _FILLS

    def _type(self, number: int, old: CloneColumn, column: CloneColumn, name: str) -> Iterator[DataRequirement]:
        using = self.run.conversions.get((self.number, number))
        if using is None and free(old, column):
            return
        rows = self.earlier.texts(using)
        value = Value(column.name, source=None if using else old.name, sql=using.sql if using else None)
        why = rows.why_unasked((), using) if using else rows.why_unasked([number])
        if not column.cast or column.type.startswith("bit"):
            why = why or f"the change to {column.type} is a conversion"
        yield typed(self.shared(name, why, rows), value, old, column)

    def _foreign_key(self, key: CloneConstraint) -> DataRequirement:
        target, why = self.all.get(key.target), self.rows.why_unasked(key.columns)
        others: tuple[Key, ...] | None = ()
        names: tuple[str, ...] = ()
        if not all(self.after.columns[number].comparable for number in key.columns):
            why = why or "a column of it has a type of its own"
        if target is not None:
            names = target.named(key.target_columns)
            why = why or target.why_unasked(key.target_columns) or target.why_grown
            others = self._parents(key) if not target.fed & set(key.target_columns) else ()
        shared = self.shared(key.name, why or (_MANY if others is None else None))
        columns = self.rows.named(key.columns)
        return ForeignKeyRequirement(*shared, columns, target, names, key.match == "f", others or ())

    def _parents(self, key: CloneConstraint) -> tuple[Key, ...] | None:
        """The keys that are inserted into the table that a foreign key leads to."""
        for number, index in self.run.after[key.target].indexes.items():
            if set(index.columns) == set(key.target_columns) and number in self.run.printed.inserted:
                keys = self.run.printed.inserted[number]
                order = [index.columns.index(column) for column in key.target_columns]
                return None if keys is None else tuple(tuple(each[at] for at in order) for each in keys)
        return ()

    def _partition(self, condition: str) -> DataRequirement:
        why = self.rows.why_unasked(self.after.columns)
        if not condition or any(column.labels or not column.plain for column in self.after.columns.values()):
            why = why or "its condition is not one of PostgreSQL's own types and functions"
        return CheckRequirement(*self.shared("its partition", why), condition)

    def _of_parent(self, thing: CloneIndex | CloneConstraint) -> bool:
        return thing.inherited and self.before.family

    def _kept(self, columns: Iterable[int]) -> bool:
        """Whether columns have the values that they had before the statement."""
        return all(number in self.before.columns and self._keeps(number) for number in columns)

    def _keeps(self, number: int) -> bool:
        old, new = self.before.columns[number], self.after.columns[number]
        converted = (self.number, number) in self.run.conversions
        return old.type_key == new.type_key or (not converted and free(old, new))

    def _existed(self, index: CloneIndex) -> bool:
        """Whether an equal index existed already: a rewrite gives all of them new numbers."""
        like = replace(index, name="")
        return self._kept(number for number in index.columns if number) and any(
            replace(old, name="") == like and (0 not in index.columns or old.name == index.name)
            for number, old in self.before.indexes.items()
        )

    def _held_before(self, constraint: CloneConstraint) -> bool:
        """Whether it was valid already, before a change of type made it anew."""
        retyped = any(
            number in self.before.columns and self.before.columns[number].type_key != column.type_key
            for number, column in self.after.columns.items()
            if number in constraint.columns
        )
        like = replace(constraint, target=0)
        return (retyped and self._kept(constraint.columns)) and any(
            replace(old, target=0) == like
            for number, old in self.before.constraints.items()
            if number not in self.after.constraints
        )


def computed(
    rows: FutureRows, number: int, table: CloneTable, generated: Iterable[int], printed: Printed
) -> FutureRows:
    """The rows with generated columns computed from the others."""
    values = {each: Value(name, source=name) for each, name in rows.names.items()}
    unknown = {}
    known = dict(rows.unknown)
    for each in generated:
        column, what = table.columns[each], printed.defaults[number, each]
        known.pop(each, None)
        why = replace(rows, unknown=known).why_unasked((), what)
        if why is not None or not column.cast:
            unknown[each] = why or f"{column.type} is a type of the schema's own"
        else:
            values[each] = Value(column.name, sql=what.sql, cast=column.cast)
    return replace(rows, unknown=known).changed(values, unknown=unknown)
