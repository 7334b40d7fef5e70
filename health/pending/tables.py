"""The tables of a copy, as far as it matters to their rows, by PostgreSQL's own numbers: those outlive names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CloneColumn:
    """A column of a copy.

    Attributes:
        type: as PostgreSQL spells it; ``type_key`` stays the same where only the type's name changes.
        default: whether it has one, or is an identity; ``generated`` columns are computed.
        plain: the type of PostgreSQL's own that stands for it: text for an enum, the base of a domain; empty for a
            type of the schema's own.
        labels: of an enum, or of the enum of which it is an array.
        checks: the numbers of the conditions of its domain.
        not_null: also where its domain says so.
        inherited: whether a parent has it.
        known: the type, where it is of an extension that the environment has too and that only computes.
    """

    name: str
    type: str
    type_key: str
    not_null: bool
    default: bool = False
    generated: bool = False
    plain: str = ""
    labels: tuple[str, ...] = ()
    checks: tuple[int, ...] = ()
    inherited: bool = False
    known: str = ""

    @property
    def cast(self) -> str:
        """The type to which values are cast in a question to the environment; empty where none can be named."""
        return self.plain or self.known

    @property
    def comparable(self) -> bool:
        """Whether PostgreSQL's own ``=`` compares it."""
        return bool(self.plain)


@dataclass(frozen=True)
class CloneIndex:
    """An index that is unique, or computes something of rows: the numbers of its columns, 0 for an expression."""

    name: str
    columns: tuple[int, ...]
    unique: bool
    computes: bool
    predicate: str | None
    nulls_distinct: bool
    primary: bool
    inherited: bool = False


@dataclass(frozen=True)
class CloneConstraint:
    """A foreign key (``f``), check (``c``) or exclusion (``x``); ``target`` is a table, or an exclusion's index."""

    name: str
    kind: str
    columns: tuple[int, ...]
    target: int
    target_columns: tuple[int, ...]
    validated: bool
    match: str
    deletes: str = "a"  # what becomes of a row whose parent is deleted: pg_constraint.confdeltype
    deferred: bool = False
    inherited: bool = False


@dataclass(frozen=True)
class CloneTable:
    """A table of a copy; columns by their number, the others by their object's number.

    Attributes:
        acts: whether rows that are written start a trigger or rule of its own.
        family: whether it has parents or children, whose rows are the same.
        partition: the condition of its rows, where it is a partition; empty where that is not one to ask.
    """

    schema: str
    name: str
    file: int
    columns: Mapping[int, CloneColumn] = field(default_factory=dict)
    indexes: Mapping[int, CloneIndex] = field(default_factory=dict)
    constraints: Mapping[int, CloneConstraint] = field(default_factory=dict)
    acts: bool = False
    family: bool = False
    partition: str | None = None

    @property
    def primary_key(self) -> tuple[int, ...]:
        """The numbers of its columns; empty where there is none."""
        return next((index.columns for index in self.indexes.values() if index.primary), ())


Tables = Mapping[int, CloneTable]  # by their number, which outlives a change of name
