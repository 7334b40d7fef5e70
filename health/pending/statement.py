"""Constraints a statement adds to existing rows, found by comparing the catalog of an empty clone before and after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from health.pending.data_requirements import (
    CheckRequirement,
    DataRequirement,
    ForeignKeyRequirement,
    NotNullRequirement,
    TypeRequirement,
    UniqueRequirement,
)
from health.pending.tables import CloneColumn, CloneConstraint, CloneUnique, Tables

_INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_NUMBERS = {*_INTEGERS, "numeric", "real", "double precision"}
_TEXTS = {"text", "character varying"}
_OPERATORS = {"=", "<>", "<", "<=", ">", ">="}
_COLUMN = r'(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[a-z_][a-z0-9_$]*))'
_COMPARISON = re.compile(
    rf"CHECK \(\({_COLUMN} (?P<operator>[<>=]+) "
    r"(?:\(?'?(?P<number>-?\d+(?:\.\d+)?)'?\)?(?:::(?:smallint|integer|bigint|numeric|real|double precision))?"
    r"|'(?P<text>(?:[^'\\]|'')*)'::text)\)\)"
)
_PRESENT = re.compile(rf"(?:CHECK \()?\({_COLUMN} IS NOT NULL\)\)?")
_VARYING = re.compile(r"character varying\((\d+)\)")
# How Prisma takes a label away from an enum.
_TO_ENUM = re.compile(r"\bUSING\s*\(\s*\"(?:[^\"]|\"\")+\"::text::\"(?:[^\"]|\"\")+\"\s*\)", re.IGNORECASE)


@dataclass(frozen=True)
class StatementRun:
    """One statement that ran on the clone, and the catalog around it.

    Attributes:
        live: the tables as they are in the environment, before all migrations.
        before: those at hand before the statement, and ``after`` it.
        written: the tables whose rows an earlier statement may have changed.
    """

    migration: str
    line: int
    statement: str
    live: Tables
    before: Tables
    after: Tables
    written: frozenset[int] = frozenset()

    def requirements(self) -> Iterator[DataRequirement]:
        """Find what it requires of rows that exist."""
        for number, table in self.after.items():
            if number in self.live and table != self.before.get(number):
                yield from _TableChange(self, number).requirements()


class _TableChange:
    """One table before and after one statement."""

    def __init__(self, run: StatementRun, number: int) -> None:
        self.run, self.number = run, number
        self.live, self.after = run.live[number], run.after[number]
        self.before = run.before.get(number, self.live)

    def requirements(self) -> Iterator[DataRequirement]:
        for attribute, column in self.after.columns.items():
            yield from self._column(attribute, self.before.columns.get(attribute), column)
        for index, unique in self.after.uniques.items():
            if index not in self.before.uniques and not self._existed(unique):
                yield from self._unique(unique)
        for identity, constraint in self.after.constraints.items():
            known = self.before.constraints.get(identity)
            if constraint.validated and not (known and known.validated) and not self._held_before(constraint):
                yield from self._constraint(constraint)

    def _of(
        self, name: str, columns: tuple[int, ...] = (), why_unasked: str | None = None
    ) -> tuple[str, int, str, str, tuple[str, ...], tuple[str, ...], str | None]:
        """The fields that all kinds share, in their order."""
        if self._is_written and why_unasked is None:
            why_unasked = "an earlier statement changes rows of the table"
        live = self.live
        names = tuple(live.columns[number].name for number in columns if number in live.columns)
        keys = tuple(live.columns[number].name for number in live.primary_key if number in live.columns)
        return self.run.migration, self.run.line, live.name, name, names, keys, why_unasked

    def _existed(self, unique: CloneUnique) -> bool:
        """Whether an equal index existed already: a rewrite gives all of them new numbers."""
        like = (unique.columns, unique.predicate, unique.nulls_distinct)
        return 0 not in unique.columns and any(
            (old.columns, old.predicate, old.nulls_distinct) == like for old in self.before.uniques.values()
        )

    def _held_before(self, constraint: CloneConstraint) -> bool:
        """Whether it was valid already, before a change of type made it anew."""
        like = (constraint.name, constraint.kind, constraint.columns, constraint.target, True)
        return any(
            (old.name, old.kind, old.columns, old.target, old.validated) == like
            for number, old in self.before.constraints.items()
            if number not in self.after.constraints
        )

    def _column(self, attribute: int, before: CloneColumn | None, after: CloneColumn) -> Iterator[DataRequirement]:
        live = self.live.columns.get(attribute)
        if after.not_null and not (before and before.not_null):
            if live is not None:
                yield NotNullRequirement(*self._of(live.name, (attribute,)), all_rows=False)
            elif not (before or after).filled:
                yield NotNullRequirement(*self._of(after.name), all_rows=True)
        if live is not None and before is not None and before.type_key != after.type_key:
            yield from self._type(attribute, before, after)

    def _type(self, attribute: int, before: CloneColumn, after: CloneColumn) -> Iterator[DataRequirement]:
        varying, live = _VARYING.fullmatch(after.type), self.live.columns[attribute]
        texts = before.type in _TEXTS or _VARYING.fullmatch(before.type)
        using = re.search(r"\bUSING\b", self.run.statement, re.IGNORECASE)
        shared = self._of(live.name, (attribute,))
        converted = self._of(live.name, (attribute,), f"the change to {after.type} is a conversion")
        if after.kind == "e" and _TO_ENUM.search(self.run.statement) and (live.kind == "e" or texts):
            yield TypeRequirement(*shared, labels=after.labels)
        elif using or live.type_key != before.type_key:
            yield TypeRequirement(*converted)
        elif texts and varying:
            old = _VARYING.fullmatch(before.type)
            if old is None or int(old[1]) > int(varying[1]):
                yield TypeRequirement(*shared, longest=int(varying[1]))
        elif texts and after.type in _TEXTS:
            return
        elif before.type in _INTEGERS and after.type in _INTEGERS:
            if _INTEGERS[after.type] < _INTEGERS[before.type]:
                yield TypeRequirement(*shared, below=_INTEGERS[after.type])
        elif not (before.type in _NUMBERS and after.type in {"numeric", "double precision"}):
            yield TypeRequirement(*converted)

    def _unique(self, unique: CloneUnique) -> Iterator[DataRequirement]:
        new = [self.after.columns[number] for number in unique.columns if number and number not in self.live.columns]
        why, present = None, None
        if 0 in unique.columns:
            why = "its key is an expression"
        elif new:
            if unique.nulls_distinct and not all(column.filled for column in new) and not self._is_written:
                return  # NULL in every row
            why = "its key holds a column that is not there yet"
        elif not self._as_they_are(unique.columns):
            why = "a column of its key changes its type first"
        elif unique.predicate is not None:
            attribute = self._named(_PRESENT.fullmatch(unique.predicate))
            present = self.live.columns[attribute].name if attribute in self.live.columns else None
            why = None if present else "it is partial, and its condition is not one that is asked"
        shared = self._of(unique.name, unique.columns, why)
        yield UniqueRequirement(*shared, nulls_distinct=unique.nulls_distinct, present=present)

    def _constraint(self, constraint: CloneConstraint) -> Iterator[DataRequirement]:
        if constraint.kind == "f":
            yield from self._foreign_key(constraint)
        elif constraint.kind == "c":
            yield self._check(constraint)
        else:
            yield CheckRequirement(*self._of(constraint.name, why_unasked="exclusion constraints are not asked"))

    def _foreign_key(self, key: CloneConstraint) -> Iterator[DataRequirement]:
        new = [self.after.columns[number] for number in key.columns if number not in self.live.columns]
        if any(not column.filled for column in new) and not self._is_written:
            return  # NULL leads nowhere
        target, why = self.run.live.get(key.target), None
        names: tuple[str, ...] = ()
        if not self._as_they_are(key.columns):
            why = "a column of it is new or changes its type"
        elif not all(self._comparable(number) for number in key.columns):
            why = "a column of it has a type of its own"
        elif key.match != "s" and len(key.columns) > 1:
            why = "it is MATCH FULL"
        elif key.target in self.run.written:
            why = "an earlier statement changes rows of the table that it leads to"
        elif target is not None:
            names = tuple(target.columns[number].name for number in key.target_columns if number in target.columns)
            why = None if len(names) == len(key.columns) else "it leads to a column that is not there yet"
        shared = self._of(key.name, key.columns, why)
        yield ForeignKeyRequirement(*shared, target=target.name if target else None, target_columns=names)

    def _check(self, check: CloneConstraint) -> DataRequirement:
        """Read a condition that is understood whole: a migration's own expression never runs on the environment."""
        compared, present = _COMPARISON.fullmatch(check.definition), _PRESENT.fullmatch(check.definition)
        attribute = self._named(compared or present)
        if attribute in self.live.columns and self._as_they_are((attribute,)):
            if present:
                return CheckRequirement(*self._of(check.name, (attribute,)))
            value = _value(compared, self.live.columns[attribute].type) if compared else None
            if compared and value is not None:
                return CheckRequirement(*self._of(check.name, (attribute,)), comparison=(compared["operator"], value))
        return CheckRequirement(*self._of(check.name, why_unasked="its condition is not one that is asked"))

    @property
    def _is_written(self) -> bool:
        return self.number in self.run.written

    def _named(self, found: re.Match[str] | None) -> int:
        """The number of the column that a condition names; 0 for none."""
        if found is None:
            return 0
        name = found["plain"] or found["quoted"].replace('""', '"')
        return next((number for number, column in self.after.columns.items() if column.name == name), 0)

    def _as_they_are(self, columns: tuple[int, ...]) -> bool:
        return all(
            each in self.live.columns and self.after.columns[each].type_key == self.live.columns[each].type_key
            for each in columns
        )

    def _comparable(self, number: int) -> bool:
        column = self.live.columns[number]
        return column.builtin or column.kind == "e"


def _value(compared: re.Match[str], type_: str) -> str | int | None:
    """The value that a condition compares with; None where PostgreSQL may compare otherwise than is understood."""
    operator, number, text = compared["operator"], compared["number"], compared["text"]
    if operator not in _OPERATORS:
        return None
    if number is not None and type_ in _NUMBERS and "." not in number:
        return int(number)
    if text is not None and type_ == "text" and operator in {"=", "<>"}:
        return str(text).replace("''", "'")
    return None
