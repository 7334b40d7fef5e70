"""The form of every SQL fix: one guarded statement, every value and identifier quoted by psycopg.

A client that goes on after errors runs what comes behind a refused guard: so nothing does. What no transaction can hold
comes behind a guard that leaves the session read only where it refuses.

Import it where it is used: psycopg takes a fifth of a second that most starts can save.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from typing import LiteralString

from psycopg.sql import SQL, Composable, Identifier, Literal

from health.catalog.catalog import Key, path_of
from health.prisma.engine import MIGRATE_LOCK, TABLE
from health.sanitize import plain, printable

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

_PINNED = SQL("  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);")
_WAIT = SQL("  PERFORM pg_catalog.set_config('lock_timeout', '3s', true);")
EVERY_ROW = SQL("  PERFORM set_config('row_security', 'off', true);")  # or an error, where a policy hides some
# Of the SET before it the transaction knows only if it began after that.
_APART = SQL(
    "  IF pg_catalog.current_setting('transaction_read_only') <> 'on' THEN\n"
    "    RAISE EXCEPTION 'Run these statements one by one, outside a transaction. Nothing was changed.'\n"
    "      USING ERRCODE = 'active_sql_transaction';\n"
    "  END IF;"
)


def literal(value: str | int | datetime | None) -> Composable:
    """A value as SQL that survives a terminal and a copy from it: what is not plain is spelt in hexadecimal."""
    if isinstance(value, str) and not (value.isprintable() and printable(value) == value):
        octets = Literal(value.encode().hex())
        return SQL("pg_catalog.convert_from(pg_catalog.decode({}, 'hex'), 'UTF8')").format(octets)
    if isinstance(value, datetime):
        return SQL("{}::pg_catalog.timestamptz").format(Literal(value.isoformat()))
    return Literal(value)


def identifier(*names: str) -> Composable:
    """A name, with its schema's before it, that survives a terminal and a copy: what is not plain is spelt in numbers.

    For code alone: what PostgreSQL reads as a name in a text, as ``to_regclass`` does, has no such spelling.
    """
    return SQL(".").join(Identifier(name) if _is_plain(name) else SQL(_spelt(name)) for name in names)


def _is_plain(name: str) -> bool:
    return plain(name) and "\n" not in name


def _spelt(name: str) -> LiteralString:
    # Numbers of six digits hold for every character, and every server takes them, whatever its strings are.
    return 'U&"' + "".join(f"\\+{ord(char):06x}" for char in name) + '"'


def table(schema: str) -> Composable:
    """The name of Prisma's table in a schema."""
    return identifier(schema, TABLE)


def comma(parts: Iterable[Composable]) -> Composable:
    """A list."""
    return SQL(", ").join(parts)


def identifiers(names: Iterable[str]) -> Composable:
    """A list of columns."""
    return comma(map(identifier, names))


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


def refuse_dependents(owner: str, column: str | None = None) -> Composable:
    """PL/pgSQL that raises if anything depends on a table, or on a column of it, that dropping it would drop too.

    Its default, its primary key and NOT NULL are part of it. A table's name has its schema, and is quoted.
    """
    of_column: LiteralString = (
        " AND (d.refobjsubid, true) IN (SELECT attnum, true FROM pg_attribute\n"
        "      WHERE attrelid = d.refobjid AND attname = {column})"
    )
    depends: LiteralString = (
        "EXISTS (WITH RECURSIVE tables AS (SELECT to_regclass({owner})::oid AS oid\n"
        "      UNION SELECT inhrelid FROM pg_inherits JOIN tables ON inhparent = tables.oid)\n"
        "    SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid IN (TABLE tables)"
        + (of_column if column is not None else "")
        + "\n      AND d.deptype <> 'i' AND d.classid <> 'pg_attrdef'::regclass\n"
        "      AND NOT (d.classid = 'pg_class'::regclass AND d.objid IN (TABLE tables))\n"
        "      AND NOT (d.classid = 'pg_constraint'::regclass\n"
        "        AND EXISTS (SELECT FROM pg_constraint WHERE oid = d.objid AND contype IN ({own}))))"
    )
    names = {"owner": literal(owner), "own": SQL("'n'") if column is not None else SQL("'n', 'p'")}
    if column is not None:
        names["column"] = literal(column)
    return refuse_if(fill(depends, **names), "Something that was made since depends on it.")


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


def run(statement: str) -> Composable:
    """PL/pgSQL that runs a statement as it is, whatever PL/pgSQL itself would make of it."""
    return fill("  EXECUTE {statement};", statement=_dollar_quoted(_bare(statement), "statement"))


def run_in_schema(schema: str, statements: Iterable[str]) -> Iterator[Composable]:
    """PL/pgSQL that runs statements of a migration where its engine would: they name objects without their schema."""
    yield _search_path(schema)
    yield from map(run, statements)
    yield _PINNED


def transaction(body: Iterable[Composable]) -> str:
    """One statement: it waits for no lock, refuses while a migration runs, then does what is asked.

    Args:
        body: PL/pgSQL statements, each with its own guard. All of PostgreSQL's names are its own in them.
    """
    return _block([_PINNED, _WAIT, _no_migration(), *body]).as_string(None) + "\n"


def outside_transaction(guards: Iterable[Composable], schema: str, statement: str) -> str:
    """A statement that no transaction can hold, between others: where a guard refuses, the session stays read only.

    Args:
        guards: PL/pgSQL statements that refuse.
        schema: where the statement finds objects that it names without their schema.
        statement: as it is.
    """
    lock = Literal(MIGRATE_LOCK)
    look = [
        _PINNED,
        _WAIT,
        _APART,
        _no_migration(),
        *guards,
        fill("  PERFORM pg_catalog.pg_advisory_lock({lock});", lock=lock),  # ours already: this does not wait
        _search_path(schema, local=False),
        SQL("  PERFORM pg_catalog.set_config('default_transaction_read_only', 'off', false);"),
    ]
    lines = [
        SQL("SET default_transaction_read_only = on;"),
        _block(look),
        SQL(f"{_bare(statement)};"),  # the migration's own, from the checkout
        fill("SELECT pg_catalog.pg_advisory_unlock({lock});", lock=lock),
        SQL("RESET search_path;"),
        SQL("RESET default_transaction_read_only;"),
    ]
    return SQL("\n").join(lines).as_string(None) + "\n"


def _search_path(schema: str, *, local: bool = True) -> Composable:
    template: LiteralString = "  PERFORM pg_catalog.set_config('search_path', {path}, {local});"
    path = f"{Identifier(schema).as_string(None)}, pg_temp"  # last, or a temporary table would be looked at first
    return fill(template, path=literal(path), local=Literal(local))


def _no_migration() -> Composable:
    lock = fill("pg_catalog.pg_try_advisory_xact_lock({lock})", lock=Literal(MIGRATE_LOCK))
    return refuse_unless(lock, "A migration is running.")


def _block(body: Iterable[Composable]) -> Composable:
    block = SQL("\n").join([SQL("\nBEGIN"), *body, SQL("END\n")])
    return fill("DO {block};", block=_dollar_quoted(block.as_string(None), "health"))


def _bare(statement: str) -> str:
    return statement.rstrip().rstrip(";")


def _dollar_quoted(text: str, tag: str) -> Composable:
    """A text between dollar quotes, whose tag is the first one that does not end within it."""
    quotes = (f"${tag}{number or ''}$" for number in count())
    quote = next(each for each in quotes if (text + each).index(each) == len(text))
    return SQL(f"{quote}{text}{quote}")  # quoted as it must be, and no template


def _names(schema: str, relations: Iterable[str]) -> Composable:
    return _array(Identifier(*path_of(name, schema)).as_string(None) for name in relations)


def _array(texts: Iterable[str]) -> Composable:
    return fill("ARRAY[{texts}]", texts=comma(map(literal, texts)))
