"""The catalog of a database: its columns, and every other object that a migration can make.

A name of the environment's own schema is told without it; any other as schema, NUL and name, as no name holds NUL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from health.sanitize import one_line
from health.words import listed

_SHOWN = 4  # objects that a message names
_NOT_NULL, _DEFAULT = " NOT NULL", " DEFAULT "
_BETWEEN = "\0"  # a schema and a name
Key = tuple[str, str, str]  # kind, table or type that it belongs to, name


@dataclass(frozen=True)
class Column:
    """A column as ``pg_attribute`` has it; ``default`` is the expression's text."""

    table: str
    name: str
    type: str
    not_null: bool
    default: str | None

    @classmethod
    def of(cls, key: Key, definition: str) -> Column:
        """The column with this definition: a type with what else is set, NOT NULL, DEFAULT."""
        head, has_default, default = definition.partition(_DEFAULT)
        kept = head.removesuffix(_NOT_NULL)
        return cls(key[1], key[2], kept, kept != head, default if has_default else None)

    @property
    def definition(self) -> str:
        """As it was read."""
        not_null = _NOT_NULL if self.not_null else ""
        return self.type + not_null + (f"{_DEFAULT}{self.default}" if self.default is not None else "")


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
    """What is in a database.

    Attributes:
        schema: the environment's own.
        columns: of all tables, in their order.
        others: every other object, with its definition as PostgreSQL spells it.
        extensions: of the database, but for the one that every server has.
    """

    schema: str
    columns: tuple[Column, ...] = ()
    others: tuple[tuple[Key, str], ...] = ()
    extensions: tuple[Extension, ...] = ()

    @cached_property
    def objects(self) -> Mapping[Key, str]:
        """The definition of every object, columns among them."""
        columns = {("column", column.table, column.name): column.definition for column in self.columns}
        return {**dict(self.others), **columns}

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables of the environment's own schema."""
        return tuple(name for (kind, _, name), _ in self.others if kind == "table" and schema_of(name) is None)

    def column(self, table: str, name: str) -> Column | None:
        """One column, if it exists."""
        return next((c for c in self.columns if (c.table, c.name) == (table, name)), None)


def name_in(schema: str | None, name: str) -> str:
    """A name in a schema; None is the environment's own."""
    return name if schema is None else f"{schema}{_BETWEEN}{name}"


def schema_of(name: str) -> str | None:
    """The schema of a name; None is the environment's own."""
    schema, between, _ = name.partition(_BETWEEN)
    return schema if between else None


def other_schemas(catalog: Catalog) -> tuple[str, ...]:
    """The schemas but the environment's own in which something is."""
    found = (schema_of(name) for key in catalog.objects for name in key[1:])
    return tuple(sorted({schema for schema in found if schema is not None}))


def path_of(name: str, schema: str) -> tuple[str, str]:
    """The schema and the bare name of a name.

    Args:
        name: as a key has it.
        schema: the environment's own.
    """
    other, between, bare = name.rpartition(_BETWEEN)
    return (other, bare) if between else (schema, name)


def describe(key: Key) -> str:
    """An object as a person names it: ``column "Entity"."data"``."""
    kind, owner, name = key
    full = f'"{owner}"."{name}"' if owner and not kind.endswith("index") else f'"{name}"'
    return f"{kind} {full}".replace(_BETWEEN, '"."')


def named(names: Sequence[str]) -> str:
    """The first few names on one line, and how many more there are."""
    return listed([one_line(f'"{name}"'.replace(_BETWEEN, '"."')) for name in names], _SHOWN)


def describe_some(keys: Sequence[Key]) -> str:
    """The first few objects as a person names them on one line, and how many more there are."""
    return listed([one_line(describe(key)) for key in keys], _SHOWN)
