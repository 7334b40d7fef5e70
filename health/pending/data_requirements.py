"""Constraints that a pending statement puts on existing rows, one class for each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

RequirementKind = Literal["unique", "not null", "foreign key", "check", "type"]
INVALID_LABEL, OUT_OF_RANGE, TOO_LONG = "22P02", "22003", "22001"


@dataclass(frozen=True)
class _Requirement:
    """What every requirement has; names are those in the environment today.

    Attributes:
        migration: the one with the statement.
        line: of its file.
        table: whose rows are meant.
        name: of the constraint or index; of the column for NOT NULL and types.
        columns: that it is about.
        keys: the columns of the table's primary key.
        why_unasked: why the environment cannot be asked about it; None where it can.
    """

    migration: str
    line: int
    table: str
    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    why_unasked: str | None

    @property
    def subject(self) -> str:
        """The migration with the table and the constraint."""
        return f"{self.migration}: {self.table}.{self.name}"


@dataclass(frozen=True)
class UniqueRequirement(_Requirement):
    """No two rows have the same values.

    Attributes:
        nulls_distinct: whether NULL equals no other NULL.
        present: the column that a partial index requires to have a value.
    """

    kind: ClassVar[RequirementKind] = "unique"
    sqlstate: ClassVar[str] = "23505"
    nulls_distinct: bool
    present: str | None


@dataclass(frozen=True)
class NotNullRequirement(_Requirement):
    """A column has a value.

    Attributes:
        all_rows: whether no row fits: a new column without a value in it.
    """

    kind: ClassVar[RequirementKind] = "not null"
    sqlstate: ClassVar[str] = "23502"
    all_rows: bool


@dataclass(frozen=True)
class ForeignKeyRequirement(_Requirement):
    """Each row refers to a row that exists.

    Attributes:
        target: the table that it refers to; None where that is new and empty.
        target_columns: of that table.
    """

    kind: ClassVar[RequirementKind] = "foreign key"
    sqlstate: ClassVar[str] = "23503"
    target: str | None
    target_columns: tuple[str, ...]


@dataclass(frozen=True)
class CheckRequirement(_Requirement):
    """A column compares with a value, or has one at all.

    Attributes:
        comparison: an operator, and the value to its right; None where the column only must not be NULL.
    """

    kind: ClassVar[RequirementKind] = "check"
    sqlstate: ClassVar[str] = "23514"
    comparison: tuple[str, str | int] | None = None


@dataclass(frozen=True)
class TypeRequirement(_Requirement):
    """A column's values fit its new type.

    Attributes:
        labels: of an enum, those that there will be.
        below: of an integer, one more than the largest.
        longest: of a text, its length.
    """

    kind: ClassVar[RequirementKind] = "type"
    labels: tuple[str, ...] | None = None
    below: int | None = None
    longest: int | None = None

    @property
    def sqlstate(self) -> str:
        """The error of a deploy where a row does not fit."""
        if self.labels is not None:
            return INVALID_LABEL
        return TOO_LONG if self.below is None else OUT_OF_RANGE


DataRequirement = UniqueRequirement | NotNullRequirement | ForeignKeyRequirement | CheckRequirement | TypeRequirement


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
