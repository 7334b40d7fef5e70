"""The form of every SQL fix: one guarded transaction, every value and identifier quoted by psycopg.

Import it where it is used: psycopg takes a fifth of a second that most starts can save.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import LiteralString

from psycopg.sql import SQL, Composable, Identifier, Literal

from health.catalog.catalog import Key, path_of
from health.prisma.engine import MIGRATE_LOCK, TABLE
from health.sanitize import printable

_RELATIONS = ("table", "view", "materialized view", "sequence", "foreign table")
# Objects that have a name of their own, and those of a table or type: what holds of one that is not there. An index
# whose CONCURRENTLY failed is there, and not valid.
_OWN_NAME: dict[str, LiteralString] = {
    "table": "to_regclass(name) IS NULL",
    "enum": "to_regtype(name) IS NULL",
    "index": "NOT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indexrelid = to_regclass(name) AND indisvalid)",
}
_AMONG: LiteralString = "unnest({names}::text[]) AS name\n    WHERE "
_OWNED: dict[str, LiteralString] = {
    "column": "NOT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass({owner})\n"
    "      AND attname = name AND attnum > 0 AND NOT attisdropped)",
    "constraint": "NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass({owner})\n"
    "      AND conname = name)",
    "enum label": "NOT EXISTS (SELECT FROM pg_catalog.pg_enum WHERE enumtypid = to_regtype({owner})\n"
    "      AND enumlabel = name)",
}


def literal(value: str | int | datetime | None) -> Composable:
    """A value as SQL that survives a terminal and a copy from it: what is not plain is spelt in hexadecimal."""
    if isinstance(value, str) and not (value.isprintable() and printable(value) == value):
        return SQL("convert_from(decode({}, 'hex'), 'UTF8')").format(Literal(value.encode().hex()))
    if isinstance(value, datetime):
        return SQL("{}::timestamptz").format(Literal(value.isoformat()))
    return Literal(value)


def table(schema: str) -> Composable:
    """The name of Prisma's table in a schema."""
    return Identifier(schema, TABLE)


def comma(parts: Iterable[Composable]) -> Composable:
    """A list."""
    return SQL(", ").join(parts)


def identifiers(names: Iterable[str]) -> Composable:
    """A list of columns."""
    return comma(map(Identifier, names))


def fill(template: LiteralString, **values: Composable) -> Composable:
    """A template with its ``{names}`` filled in."""
    return SQL(template).format(**values)


def refuse_unless(condition: Composable, said: LiteralString) -> Composable:
    """PL/pgSQL that raises, and so changes nothing, unless a condition holds."""
    return refuse_if(fill("NOT {condition}", condition=condition), said)


def refuse_if(condition: Composable, said: LiteralString) -> Composable:
    """PL/pgSQL that raises, and so changes nothing, if a condition holds."""
    return fill(
        "  IF {condition} THEN\n    RAISE EXCEPTION {said};\n  END IF;",
        condition=condition,
        said=Literal(said + " Nothing was changed."),
    )


def changed_one(statement: Composable, said: LiteralString) -> Composable:
    """PL/pgSQL that runs a statement and raises unless it changed a row."""
    return fill(
        "  {statement};\n  IF NOT FOUND THEN\n    RAISE EXCEPTION {said};\n  END IF;",
        statement=statement,
        said=Literal(said + " Nothing was changed."),
    )


def present(schema: str, keys: Iterable[Key], said: LiteralString) -> list[Composable]:
    """PL/pgSQL that raises unless these exist: relations, columns, constraints, enums and their labels."""
    owned: dict[tuple[str, str], list[str]] = {}
    named: dict[str, list[str]] = {}
    for kind, owner, name in keys:
        owned.setdefault((kind, owner), []).append(name)
        named.setdefault("table" if kind in _RELATIONS else kind, []).append(name)
    absent = [
        fill(_AMONG + gone, names=_names(schema, named[kind])) for kind, gone in _OWN_NAME.items() if kind in named
    ] + [
        fill(_AMONG + gone, names=_array(names), owner=literal(Identifier(*path_of(owner, schema)).as_string(None)))
        for (kind, owner), names in owned.items()
        for gone in [_OWNED.get(kind)]
        if gone is not None
    ]
    return [refuse_if(fill("EXISTS (SELECT FROM {absent})", absent=each), said) for each in absent]


def transaction(
    body: Iterable[Composable], then: Iterable[Composable] = (), finally_: Iterable[Composable] = ()
) -> str:
    """One transaction: it waits for no lock, refuses while a migration runs, then does what is asked.

    Args:
        body: PL/pgSQL statements, each with its own guard.
        then: statements that must stand outside a DO block.
        finally_: PL/pgSQL statements to run after those.
    """
    last = list(finally_)
    composed = SQL("\n").join(
        [
            SQL("BEGIN;"),
            SQL("SET LOCAL lock_timeout = '3s';"),
            _block([_no_migration(), *body]),
            *then,
            *([_block(last)] if last else []),
            SQL("COMMIT;"),
        ]
    )
    return composed.as_string(None) + "\n"


def step(body: Iterable[Composable]) -> str:
    """A look at the state alone, for what stands before a statement that no transaction can hold."""
    return _block([_no_migration(), *body]).as_string(None)


def _no_migration() -> Composable:
    lock = fill("pg_try_advisory_xact_lock({lock})", lock=Literal(MIGRATE_LOCK))
    return refuse_unless(lock, "A migration is running.")


def _block(body: Iterable[Composable]) -> Composable:
    block = SQL("\n").join([SQL("BEGIN"), *body, SQL("END")])
    # A quoted literal: what is quoted in it can hold no $tag$ that would end it.
    return fill("DO {block};", block=Literal(block.as_string(None)))


def _names(schema: str, relations: Iterable[str]) -> Composable:
    return _array(Identifier(*path_of(name, schema)).as_string(None) for name in relations)


def _array(texts: Iterable[str]) -> Composable:
    return fill("ARRAY[{texts}]", texts=comma(map(literal, texts)))
