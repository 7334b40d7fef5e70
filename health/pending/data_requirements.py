"""Constraints that a pending statement puts on existing rows, one class for each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from health.pending.future_rows import FutureRows, Value

RequirementKind = Literal[
    "unique", "not null", "foreign key", "check", "type", "exclusion", "value", "referenced", "seed", "rows"
]
INVALID_LABEL, OUT_OF_RANGE, TOO_LONG, NO_VALUE = "22P02", "22003", "22001", "22000"

_RESTRICTS_SINCE = 180000
Key = tuple[str, ...]  # the values of a unique index in one row, as text


@dataclass(frozen=True)
class _Requirement:
    """What every requirement has.

    Attributes:
        migration: the one with the statement.
        line: of its file.
        table: whose rows are meant, by its name of today.
        name: of the constraint or index; of the column for NOT NULL and types.
        keys: the columns of the table's primary key.
        why_unasked: why the environment cannot be asked about it; None where it can.
        rows: as the statements before will have made them.
    """

    migration: str
    line: int
    table: str
    name: str
    keys: tuple[str, ...]
    why_unasked: str | None
    rows: FutureRows

    @property
    def subject(self) -> str:
        """The migration with the table and the constraint."""
        return f"{self.migration}: {self.table}.{self.name}"


@dataclass(frozen=True)
class UniqueRequirement(_Requirement):
    """No two rows have the same values.

    Attributes:
        key: the expressions of the index.
        predicate: the condition of the rows that a partial index counts.
        nulls_distinct: whether NULL equals no other NULL.
        others: keys of rows that pending statements insert.
    """

    kind: ClassVar[RequirementKind] = "unique"
    sqlstate: ClassVar[str] = "23505"
    key: tuple[str, ...]
    predicate: str | None
    nulls_distinct: bool
    others: tuple[Key, ...] = ()


@dataclass(frozen=True)
class SeedRequirement(_Requirement):
    """No row has the key of one that is inserted."""

    kind: ClassVar[RequirementKind] = "seed"
    sqlstate: ClassVar[str] = "23505"
    key: tuple[str, ...]
    predicate: str | None
    others: tuple[Key, ...]


@dataclass(frozen=True)
class NotNullRequirement(_Requirement):
    """A column has a value.

    Attributes:
        all_rows: whether no row fits: a new column without a value in it.
    """

    kind: ClassVar[RequirementKind] = "not null"
    sqlstate: ClassVar[str] = "23502"
    column: str
    all_rows: bool


@dataclass(frozen=True)
class ForeignKeyRequirement(_Requirement):
    """Each row refers to a row that exists.

    Attributes:
        columns: that refer.
        target: the rows that they refer to; None where that table is new.
        target_columns: of those.
        full: whether a row may not refer in part (MATCH FULL).
        others: keys of rows that pending statements insert there.
    """

    kind: ClassVar[RequirementKind] = "foreign key"
    sqlstate: ClassVar[str] = "23503"
    columns: tuple[str, ...]
    target: FutureRows | None
    target_columns: tuple[str, ...]
    full: bool = False
    others: tuple[Key, ...] = ()


@dataclass(frozen=True)
class ParentRequirement(_Requirement):
    """The rows that inserted ones refer to exist; ``rows`` are those of the table that they refer to."""

    kind: ClassVar[RequirementKind] = "foreign key"
    sqlstate: ClassVar[str] = "23503"
    columns: tuple[str, ...]
    others: tuple[Key, ...]


@dataclass(frozen=True)
class ReferencedRequirement(_Requirement):
    """No row that is deleted is referred to; ``rows`` are those that are deleted.

    Attributes:
        restricts: whether that is by RESTRICT, which has a code of its own from PostgreSQL 18 on.
    """

    kind: ClassVar[RequirementKind] = "referenced"
    sqlstate: ClassVar[str] = "23503"
    columns: tuple[str, ...]
    children: FutureRows
    child_columns: tuple[str, ...]
    restricts: bool = False

    def refused(self, server: int) -> str:
        """The code of a server, whose version is as libpq tells it."""
        return "23001" if self.restricts and server >= _RESTRICTS_SINCE else self.sqlstate


@dataclass(frozen=True)
class CheckRequirement(_Requirement):
    """A condition is not false.

    Attributes:
        condition: as PostgreSQL prints it.
        column: what ``VALUE`` means in the condition of a domain; None for a table's own.
    """

    kind: ClassVar[RequirementKind] = "check"
    sqlstate: ClassVar[str] = "23514"
    condition: str
    column: str | None = None


@dataclass(frozen=True)
class ExclusionRequirement(_Requirement):
    """No two rows have values of which all operators are true."""

    kind: ClassVar[RequirementKind] = "exclusion"
    sqlstate: ClassVar[str] = "23P01"
    key: tuple[str, ...]
    operators: tuple[str, ...]
    predicate: str | None


@dataclass(frozen=True)
class ValueRequirement(_Requirement):
    """An expression has a value in every row: of a generated column, a default or an index."""

    kind: ClassVar[RequirementKind] = "value"
    sqlstate: ClassVar[str] = NO_VALUE  # until the server says which
    values: tuple[str, ...]


@dataclass(frozen=True)
class TypeRequirement(_Requirement):
    """A column's values fit its new type.

    Attributes:
        value: what is converted.
        type: PostgreSQL's own, as it prints it.
        text: whether it is read from a text.
        labels: of an enum, those that there will be; ``array`` for an array of it.
        below: of an integer, one more than the largest.
        longest: of a text, its length.
    """

    kind: ClassVar[RequirementKind] = "type"
    value: Value
    type: str
    text: bool = False
    labels: tuple[str, ...] | None = None
    array: bool = False
    below: int | None = None
    longest: int | None = None

    @property
    def sqlstate(self) -> str:
        """The error of a deploy where a row does not fit."""
        if self.longest is not None:
            return TOO_LONG
        return INVALID_LABEL if self.below is None else OUT_OF_RANGE


@dataclass(frozen=True)
class UnforeseenRows(_Requirement):
    """What a statement does hangs on rows in a way that is not understood."""

    kind: ClassVar[RequirementKind] = "rows"
    sqlstate: ClassVar[str] = ""

    @property
    def subject(self) -> str:
        """The migration alone: one for a file."""
        return self.migration


DataRequirement = (
    UniqueRequirement
    | SeedRequirement
    | NotNullRequirement
    | ForeignKeyRequirement
    | ParentRequirement
    | ReferencedRequirement
    | CheckRequirement
    | ExclusionRequirement
    | ValueRequirement
    | TypeRequirement
    | UnforeseenRows
)


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
