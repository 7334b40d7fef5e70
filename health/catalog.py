"""The part of a database's catalog that checks look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column as ``pg_attribute`` has it; ``default`` is the expression's text."""

    table: str
    name: str
    type: str
    not_null: bool
    default: str | None


@dataclass(frozen=True)
class Catalog:
    """The tables of one schema and their columns."""

    schema: str
    tables: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, table: str, name: str) -> Column | None:
        """One column, if it exists."""
        return next((c for c in self.columns if (c.table, c.name) == (table, name)), None)
