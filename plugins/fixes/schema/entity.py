"""Fixes for objects that the application needs."""

from __future__ import annotations

from collections.abc import Iterator

from health.catalog.catalog import Catalog
from health.config.environment import Environment
from health.finding import Finding, Fix, NoFix
from health.history.history import History
from health.sanitize import printable
from plugins.fixes import fixes

_DATA = ("column", "Entity", "data")
_COLUMN_EXISTS = (
    "EXISTS (SELECT FROM pg_catalog.pg_attribute\n    WHERE attrelid = to_regclass({table_text})"
    " AND attname = {column_text} AND attnum > 0 AND NOT attisdropped)"
)


@fixes("entity-data-column-nullable")
def entity_data_column_nullable(finding: Finding, environment: Environment, catalog: Catalog) -> Iterator[Fix | NoFix]:
    """Give the column its default, fill the rows that lack a value with it, and forbid NULL."""
    from plugins.fixes.schema.object_sql import SchemaObject

    change = [
        "ALTER TABLE {owner} ALTER COLUMN {own} SET DEFAULT '{{}}';",
        "UPDATE {owner} SET {own} = DEFAULT WHERE {own} IS NULL;",
        "ALTER TABLE {owner} ALTER COLUMN {own} SET NOT NULL;",
    ]
    yield Fix(
        "sql",
        "Give the column its default, fill the rows without a value, and forbid NULL",
        SchemaObject(environment.schema, _DATA).change(catalog.objects[_DATA], change),
        note="There is no undo: which rows held NULL is not kept.",
    )


@fixes("entity-data-column-missing")
def entity_data_column_missing(finding: Finding, history: History, environment: Environment) -> Iterator[Fix | NoFix]:
    """Run the statement of the migration that is recorded as applied; the undo drops the column while it is unused."""
    added = history.directory.adding_column("Entity", "data")
    if added is None:
        yield NoFix("No migration of the directory adds the column: update @friggframework/core, then deploy.")
        return
    migration, statement = added
    if any(row.migration_name == migration.name for row in history.failed):
        yield NoFix(f"Mend the failed row of {migration.name} first; the deploy then adds the column.")
        return
    if printable(statement) != statement:
        yield NoFix(f"The statement in {migration.name} holds control characters; mend that file first.")
        return
    from psycopg.sql import Identifier

    from plugins.fixes.schema.object_sql import SchemaObject
    from plugins.fixes.sql import (
        EVERY_ROW,
        fill,
        identifier,
        literal,
        refuse_if,
        refuse_unless,
        run_in_schema,
        transaction,
    )

    names = {
        "table": identifier(environment.schema, "Entity"),
        "column": identifier("data"),
        "table_text": literal(Identifier(environment.schema, "Entity").as_string(None)),
        "column_text": literal("data"),
    }
    exists = fill(_COLUMN_EXISTS, **names)
    yield Fix(
        "sql",
        "Run the migration's own statement again",
        transaction([refuse_if(exists, "The column exists."), *run_in_schema(environment.schema, [statement])]),
        undo=transaction(
            [
                refuse_unless(exists, "The column does not exist."),
                EVERY_ROW,
                fill("  LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;", **names),
                refuse_if(
                    fill("EXISTS (SELECT FROM {table} WHERE {column} IS DISTINCT FROM '{{}}'::jsonb)", **names),
                    "Data was written to the column since.",
                ),
                *SchemaObject(environment.schema, _DATA).alone(),
                fill("  ALTER TABLE {table} DROP COLUMN {column};", **names),
            ]
        ),
        note="What the column held before it was dropped does not come back.",
    )
