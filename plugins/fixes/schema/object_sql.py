"""Changing one object of a schema, if it is as it was seen.

Import it where it is used: psycopg takes a fifth of a second that most starts can save.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from psycopg.sql import SQL, Identifier

from health.catalog.catalog import Key
from plugins.fixes.sql import fill, literal, refuse_unless, transaction

# The definition of each kind of object as fixtures.database.catalog_queries reads it; no row where there is none.
_IS: dict[str, LiteralString] = {
    "column": "SELECT concat(format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' NOT NULL' END,\n"
    "      ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))\n"
    "    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum\n"
    "    WHERE a.attrelid = to_regclass({owner_text}) AND a.attname = {text} AND NOT a.attisdropped",
    "constraint": "SELECT pg_get_constraintdef(oid) FROM pg_constraint\n"
    "    WHERE conrelid = to_regclass({owner_text}) AND conname = {text}",
    "index": "SELECT concat(pg_get_indexdef(indexrelid), CASE WHEN NOT indisvalid THEN ' INVALID' END)\n"
    "    FROM pg_index WHERE indexrelid = to_regclass({name_text})",
    "enum label": "SELECT '' FROM pg_enum WHERE enumtypid = to_regtype({owner_text}) AND enumlabel = {text}",
}


class SchemaObject:
    """An object of a schema by its key in the catalog: a column, constraint, index or enum label."""

    def __init__(self, schema: str, key: Key) -> None:
        kind, owner, name = key
        full, above = Identifier(schema, name), Identifier(schema, owner)
        self._kind = kind
        self._names = {
            "name": full,
            "own": Identifier(name),
            "owner": above,
            "text": literal(name),
            "name_text": literal(full.as_string(None)),
            "owner_text": literal(above.as_string(None)),
        }

    def change(self, seen: str | None, statements: Sequence[str]) -> str:
        """One transaction that runs statements if the object is as it was seen.

        Args:
            seen: its definition; None where it was not there.
            statements: with ``{name}``, ``{own}``, ``{owner}`` and ``{text}``, as PostgreSQL spells definitions
                where ``search_path`` is ``pg_catalog``: every other name has its schema.
        """
        is_ = fill("(" + _IS[self._kind] + ") IS NOT DISTINCT FROM {seen}", **self._names, seen=literal(seen))
        look = [SQL("  PERFORM set_config('search_path', 'pg_catalog', true);"), refuse_unless(is_, "It has changed.")]
        # Constants of plugins.fixes.schema.drift, with definitions from PostgreSQL's catalog.
        run = (SQL(each).format(**self._names) for each in statements)
        return transaction(look, then=run)
