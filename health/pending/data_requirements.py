"""What a statement asks of rows that are there, told by the catalog of an empty copy before and after it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from health.pending.tables import CloneColumn, CloneConstraint, CloneUnique, Tables

Kind = Literal["unique", "not null", "foreign key", "check", "type"]
SQLSTATES: Mapping[Kind, str] = {
    "unique": "23505", "not null": "23502", "foreign key": "23503", "check": "23514", "type": "22001",
}  # fmt: skip
INVALID_LABEL, OUT_OF_RANGE = "22P02", "22003"
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
class DataRequirement:
    """What one statement asks of the rows of a table that is there; all names are those of today.

    Attributes:
        migration: the one that asks it.
        line: of its file.
        table: whose rows are meant.
        name: of the constraint or index; of the column for NOT NULL and types.
        columns: that it speaks of.
        keys: the columns of the table's primary key.
        sqlstate: that a deploy ends with where a row does not fit.
        nulls_distinct: of a unique index, whether NULL equals no other NULL.
        present: a column that a partial index asks to be there.
        target: the table and columns that a foreign key leads to; an empty name where that table is new and empty.
        operator: of a check, with the value to its right.
        labels: of an enum, those that there will be.
        limit: of a type: the longest text, or one more than the largest integer.
        all_rows: whether no row fits: a new column without a value in it.
        unasked: why no question is put; empty where one is.
    """

    kind: Kind
    migration: str
    line: int
    table: str
    name: str
    columns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    sqlstate: str = ""
    nulls_distinct: bool = True
    present: str | None = None
    target: tuple[str, tuple[str, ...]] | None = None
    operator: tuple[str, str | int] | None = None
    labels: tuple[str, ...] = ()
    limit: int = 0
    all_rows: bool = False
    unasked: str = ""

    @property
    def subject(self) -> str:
        """The migration with what it asks of which table."""
        return f"{self.migration}: {self.table}.{self.name}"


@dataclass(frozen=True)
class TableLock:
    """A lock that a statement takes on a table that is there.

    Attributes:
        table: its name of today.
        mode: PostgreSQL's name of the strongest lock.
        rewrites: whether the statement writes the whole table anew.
        line: of the statement.
    """

    table: str
    mode: str
    rewrites: bool
    line: int


@dataclass(frozen=True)
class Step:
    """One statement that ran, and the catalog around it.

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

    def demands(self) -> Iterator[DataRequirement]:
        """What it asks of rows that are there."""
        for number, table in self.after.items():
            if number in self.live and table != self.before.get(number):
                yield from _Judge(self, number).demands()


class _Judge:
    """One table around one statement."""

    def __init__(self, step: Step, number: int) -> None:
        self.step, self.number = step, number
        self.live, self.after = step.live[number], step.after[number]
        self.before = step.before.get(number, self.live)

    def demands(self) -> Iterator[DataRequirement]:
        for attribute, column in self.after.columns.items():
            yield from self._column(attribute, self.before.columns.get(attribute), column)
        for index, unique in self.after.uniques.items():
            if index not in self.before.uniques and not self._same(unique):
                yield from self._unique(unique)
        for identity, constraint in self.after.constraints.items():
            known = self.before.constraints.get(identity)
            if constraint.validated and not (known and known.validated) and not self._stands(constraint):
                yield from self._constraint(constraint)

    def _demand(self, kind: Kind, name: str, columns: tuple[int, ...] = (), **more: object) -> DataRequirement:
        if self.number in self.step.written and not more.get("unasked"):
            more["unasked"] = "an earlier statement changes rows of the table"
        names = tuple(self.live.columns[each].name for each in columns if each in self.live.columns)
        keys = tuple(self.live.columns[each].name for each in self.live.primary_key if each in self.live.columns)
        known = {"sqlstate": SQLSTATES[kind], **more}
        return DataRequirement(kind, self.step.migration, self.step.line, self.live.name, name, names, keys, **known)  # type: ignore[arg-type]  # what a kind has of its own

    def _same(self, unique: CloneUnique) -> bool:
        """Whether a like index stands already, as after a rewrite, which gives all of them new numbers."""
        like = (unique.columns, unique.predicate, unique.nulls_distinct)
        return 0 not in unique.columns and any(
            (each.columns, each.predicate, each.nulls_distinct) == like for each in self.before.uniques.values()
        )

    def _stands(self, constraint: CloneConstraint) -> bool:
        """Whether it held already, before a change of type made it anew."""
        like = (constraint.name, constraint.kind, constraint.columns, constraint.target, True)
        return any(
            (each.name, each.kind, each.columns, each.target, each.validated) == like
            for number, each in self.before.constraints.items()
            if number not in self.after.constraints
        )

    def _column(self, attribute: int, before: CloneColumn | None, after: CloneColumn) -> Iterator[DataRequirement]:
        live = self.live.columns.get(attribute)
        if after.not_null and not (before and before.not_null):
            if live is not None:
                yield self._demand("not null", live.name, (attribute,))
            elif not (before or after).filled:
                yield self._demand("not null", after.name, all_rows=True)
        if live is not None and before is not None and before.type_key != after.type_key:
            yield from self._type(attribute, before, after)

    def _type(self, attribute: int, before: CloneColumn, after: CloneColumn) -> Iterator[DataRequirement]:
        varying, live = _VARYING.fullmatch(after.type), self.live.columns[attribute]
        texts = before.type in _TEXTS or _VARYING.fullmatch(before.type)
        using = re.search(r"\bUSING\b", self.step.statement, re.IGNORECASE)
        if after.kind == "e" and _TO_ENUM.search(self.step.statement) and (live.kind == "e" or texts):
            yield self._demand("type", live.name, (attribute,), labels=after.labels, sqlstate=INVALID_LABEL)
        elif using or live.type_key != before.type_key:
            yield self._demand("type", live.name, (attribute,), unasked=f"the change to {after.type} is a conversion")
        elif texts and varying:
            old = _VARYING.fullmatch(before.type)
            if old is None or int(old[1]) > int(varying[1]):
                yield self._demand("type", live.name, (attribute,), limit=int(varying[1]))
        elif texts and after.type in _TEXTS:
            return
        elif before.type in _INTEGERS and after.type in _INTEGERS:
            if _INTEGERS[after.type] < _INTEGERS[before.type]:
                limit = _INTEGERS[after.type]
                yield self._demand("type", live.name, (attribute,), limit=limit, sqlstate=OUT_OF_RANGE)
        elif not (before.type in _NUMBERS and after.type in {"numeric", "double precision"}):
            yield self._demand("type", live.name, (attribute,), unasked=f"the change to {after.type} is a conversion")

    def _unique(self, unique: CloneUnique) -> Iterator[DataRequirement]:
        fresh = [self.after.columns[each] for each in unique.columns if each and each not in self.live.columns]
        why, present = "", None
        if 0 in unique.columns:
            why = "its key is an expression"
        elif fresh:
            if unique.nulls_distinct and not all(column.filled for column in fresh) and not self._is_written:
                return  # NULL in every row
            why = "its key holds a column that is not there yet"
        elif not self._as_they_are(unique.columns):
            why = "a column of its key changes its type first"
        elif unique.predicate is not None:
            attribute = self._named(_PRESENT.fullmatch(unique.predicate))
            present = self.live.columns[attribute].name if attribute in self.live.columns else None
            why = "" if present else "it is partial, and its condition is not one that is asked"
        yield self._demand(
            "unique", unique.name, unique.columns, nulls_distinct=unique.nulls_distinct, present=present, unasked=why
        )

    def _constraint(self, constraint: CloneConstraint) -> Iterator[DataRequirement]:
        if constraint.kind == "f":
            yield from self._foreign_key(constraint)
        elif constraint.kind == "c":
            yield self._check(constraint)
        else:
            yield self._demand("check", constraint.name, unasked="exclusion constraints are not asked")

    def _foreign_key(self, key: CloneConstraint) -> Iterator[DataRequirement]:
        fresh = [self.after.columns[each] for each in key.columns if each not in self.live.columns]
        if any(not column.filled for column in fresh) and not self._is_written:
            return  # NULL leads nowhere
        target, why = self.step.live.get(key.target), ""
        names: tuple[str, ...] = ()
        if not self._as_they_are(key.columns):
            why = "a column of it is new or changes its type"
        elif not all(self._comparable(each) for each in key.columns):
            why = "a column of it has a type of its own"
        elif key.match != "s" and len(key.columns) > 1:
            why = "it is MATCH FULL"
        elif key.target in self.step.written:
            why = "an earlier statement changes rows of the table that it leads to"
        elif target is not None:
            names = tuple(target.columns[each].name for each in key.target_columns if each in target.columns)
            why = "" if len(names) == len(key.columns) else "it leads to a column that is not there yet"
        yield self._demand(
            "foreign key", key.name, key.columns, target=(target.name if target else "", names), unasked=why
        )

    def _check(self, check: CloneConstraint) -> DataRequirement:
        """Only what is understood whole is asked: a migration's own expression never runs on the environment."""
        found, present = _COMPARISON.fullmatch(check.definition), _PRESENT.fullmatch(check.definition)
        attribute = self._named(found or present)
        if attribute in self.live.columns and self._as_they_are((attribute,)):
            if present:
                return self._demand("check", check.name, (attribute,), present=self.live.columns[attribute].name)
            type_ = self.live.columns[attribute].type
            if found and found["operator"] in _OPERATORS:
                if found["number"] is not None and type_ in _NUMBERS and "." not in found["number"]:
                    value: str | int = int(found["number"])
                    return self._demand("check", check.name, (attribute,), operator=(found["operator"], value))
                if found["text"] is not None and type_ == "text" and found["operator"] in {"=", "<>"}:
                    value = found["text"].replace("''", "'")
                    return self._demand("check", check.name, (attribute,), operator=(found["operator"], value))
        return self._demand("check", check.name, unasked="its condition is not one that is asked")

    @property
    def _is_written(self) -> bool:
        return self.number in self.step.written

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
