"""The tables of a copy, as far as it matters to their rows, by PostgreSQL's own numbers: those outlive names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CloneColumn:
    """A column of a copy.

    Attributes:
        type: as PostgreSQL spells it; ``type_key`` stays the same where only the type's name changes.
        filled: whether a new one has a value in rows that are there.
    """

    name: str
    type: str
    type_key: str
    not_null: bool
    filled: bool
    kind: str = "b"  # pg_type.typtype: e is an enum
    builtin: bool = True
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class CloneUnique:
    """A unique index: the numbers of its columns, 0 for an expression."""

    name: str
    columns: tuple[int, ...]
    predicate: str | None
    nulls_distinct: bool
    primary: bool


@dataclass(frozen=True)
class CloneConstraint:
    """A foreign key (``f``), check (``c``) or exclusion (``x``)."""

    name: str
    kind: str
    columns: tuple[int, ...]
    target: int
    target_columns: tuple[int, ...]
    validated: bool
    match: str
    definition: str


@dataclass(frozen=True)
class CloneTable:
    """A table of a copy; columns by their number, the others by their object's number."""

    name: str
    file: int
    columns: Mapping[int, CloneColumn] = field(default_factory=dict)
    uniques: Mapping[int, CloneUnique] = field(default_factory=dict)
    constraints: Mapping[int, CloneConstraint] = field(default_factory=dict)

    @property
    def primary_key(self) -> tuple[int, ...]:
        """The numbers of its columns; empty where there is none."""
        return next((unique.columns for unique in self.uniques.values() if unique.primary), ())


Tables = Mapping[int, CloneTable]  # by their number, which outlives a change of name
