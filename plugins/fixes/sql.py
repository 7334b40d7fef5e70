"""The form of every SQL fix: one guarded transaction, every value and identifier quoted by psycopg.

Import it where it is used: psycopg takes a fifth of a second that most starts can save.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import LiteralString

from psycopg.sql import SQL, Composable, Identifier, Literal

from health.history import MIGRATE_LOCK, TABLE
from health.text import printable


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


def transaction(body: Iterable[Composable], then: Iterable[Composable] = ()) -> str:
    """One transaction: it waits for no lock, refuses while a migration runs, then does what is asked.

    Args:
        body: PL/pgSQL statements, each with its own guard.
        then: statements that must stand outside a DO block.
    """
    no_migration = refuse_unless(
        fill("pg_try_advisory_xact_lock({lock})", lock=Literal(MIGRATE_LOCK)), "A migration is running."
    )
    block = SQL("\n").join([SQL("BEGIN"), no_migration, *body, SQL("END")])
    composed = SQL("\n").join(
        [
            SQL("BEGIN;"),
            SQL("SET LOCAL lock_timeout = '3s';"),
            # A quoted literal: what is quoted in it can hold no $tag$ that would end it.
            fill("DO {block};", block=Literal(block.as_string(None))),
            *then,
            SQL("COMMIT;"),
        ]
    )
    return composed.as_string(None) + "\n"
