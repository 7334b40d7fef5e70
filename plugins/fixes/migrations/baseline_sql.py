"""The statement that makes a migration history, and the one that takes it away again."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from typing import LiteralString

from psycopg.sql import SQL, Composable

from health.catalog.catalog import Catalog
from health.history.history import History
from health.history.rows import COLUMNS
from health.migrations.directory import Migration
from health.prisma.engine import COLUMNS_SQL, TABLE
from plugins.fixes.history.row_sql import no_other_column, objects_there
from plugins.fixes.sql import (
    comma,
    fill,
    identifiers,
    literal,
    refuse_dependents,
    refuse_if,
    refuse_unless,
    table,
    transaction,
)

_CREATE: LiteralString = "  CREATE TABLE {table} (" + COLUMNS_SQL + "  );"
_ROW: LiteralString = "({id}, {checksum}, {time}, {name}, '', NULL, {time}, 0)"
_NOT_OURS: LiteralString = (
    "\n    WHERE ((id, checksum, migration_name) IN ({rows}) AND logs = '' AND rolled_back_at IS NULL\n"
    "      AND started_at = finished_at AND applied_steps_count = 0) IS NOT TRUE"
)
_TIME: LiteralString = "now() + {number} * interval '1 millisecond'"  # Prisma orders rows by their start alone
_THERE: LiteralString = "There is a migration history."
_GONE: LiteralString = "There is no migration history."


def create(history: History, catalog: Catalog, migrations: Sequence[Migration]) -> str:
    """Make the table, where there is none, and record these migrations as ``resolve --applied`` would."""
    name = table(history.recorded.schema)
    rows = SQL(",\n    ").join(
        fill(
            _ROW,
            id=literal(_id(migration)),
            checksum=literal(migration.checksum),
            name=literal(migration.name),
            time=fill(_TIME, number=literal(number)),
        )
        for number, migration in enumerate(migrations)
    )
    insert = "  INSERT INTO {table} ({columns})\n  VALUES {rows};"
    made: LiteralString = "" if history.recorded.table_exists else f"{_CREATE}\n"
    made += insert if migrations else ""
    # An invalid index is none that a migration left.
    keys = [
        key
        for key, definition in catalog.objects.items()
        if key[0] in ("table", "index") and not definition.endswith(" INVALID")
    ]
    return transaction(
        [
            refuse_if(_recorded(history) if history.recorded.table_exists else _exists(history), _THERE),
            *objects_there(catalog, keys),
            fill(made, table=name, columns=identifiers(COLUMNS), rows=rows),
        ]
    )


def drop(history: History, migrations: Sequence[Migration]) -> str:
    """Take that back, unless something else has been recorded since."""
    name = table(history.recorded.schema)
    rows = comma(
        fill(
            "({id}, {checksum}, {name})",
            id=literal(_id(each)),
            checksum=literal(each.checksum),
            name=literal(each.name),
        )
        for each in migrations
    )
    which: LiteralString = _NOT_OURS if migrations else ""
    others = fill("EXISTS (SELECT FROM {table}" + which + ")", table=name, rows=rows)
    there = history.recorded.table_exists
    return transaction(
        [
            refuse_unless(_recorded(history) if there else _exists(history), _GONE),
            fill("  LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;", table=name),
            refuse_if(others, "Something else has been recorded since."),
            no_other_column(name, history.recorded.extra_columns),
            *([] if there else [refuse_dependents(name.as_string(None))]),
            fill("  DELETE FROM {table};" if there else "  DROP TABLE {table};", table=name),
        ]
    )


def _recorded(history: History) -> Composable:
    return fill("EXISTS (SELECT FROM {table})", table=table(history.recorded.schema))


def _exists(history: History) -> Composable:
    qualified = table(history.recorded.schema).as_string(None)
    return fill("to_regclass({name}) IS NOT NULL", name=literal(qualified))


def _id(migration: Migration) -> str:
    seed = f"{TABLE}\0{migration.name}\0{migration.checksum}".encode("utf-8", "replace")
    return str(uuid.UUID(bytes=hashlib.sha256(seed).digest()[:16], version=4))
