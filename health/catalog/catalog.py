"""The catalog of one schema: its columns, and every other object that a migration can make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from health.sanitize import one_line
from health.words import listed

_SHOWN = 4  # objects that a message names
Key = tuple[str, str, str]  # kind, table or type that it belongs to, name


@dataclass(frozen=True)
class Column:
    """A column as ``pg_attribute`` has it; ``default`` is the expression's text."""

    table: str
    name: str
    type: str
    not_null: bool
    default: str | None


@dataclass(frozen=True)
class Extension:
    """An extension of a database.

    Attributes:
        used: whether anything else in the database depends on what it brings.
    """

    name: str
    schema: str
    used: bool


@dataclass(frozen=True)
class Catalog:
    """What is in a schema.

    Attributes:
        columns: of all tables, in their order.
        others: every other object, with its definition as PostgreSQL spells it; empty where the spelling differs
            between its versions.
        extensions: of the database, but for the one that every server has.
    """

    schema: str
    columns: tuple[Column, ...] = ()
    others: tuple[tuple[Key, str], ...] = ()
    extensions: tuple[Extension, ...] = ()

    @cached_property
    def objects(self) -> Mapping[Key, str]:
        """The definition of every object, columns among them."""
        columns = {("column", column.table, column.name): _definition(column) for column in self.columns}
        return {**dict(self.others), **columns}

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables."""
        return tuple(name for (kind, _, name), _ in self.others if kind == "table")

    def column(self, table: str, name: str) -> Column | None:
        """One column, if it exists."""
        return next((c for c in self.columns if (c.table, c.name) == (table, name)), None)


def describe(key: Key) -> str:
    """An object as a person names it: ``column "Entity"."data"``."""
    kind, owner, name = key
    return f'{kind} "{owner}"."{name}"' if owner and kind != "index" else f'{kind} "{name}"'


def describe_some(keys: Sequence[Key]) -> str:
    """The first few objects as a person names them on one line, and how many more there are."""
    return listed([one_line(describe(key)) for key in keys], _SHOWN)


def _definition(column: Column) -> str:
    not_null = " NOT NULL" if column.not_null else ""
    return column.type + not_null + (f" DEFAULT {column.default}" if column.default is not None else "")
