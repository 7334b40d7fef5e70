"""What the functions have logged: in a quiet time, and when something went wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

# Each line is an event of its own: Prisma's child process writes to the function's standard output.
QUIET: Mapping[str, tuple[str, ...]] = {
    "auth": (
        "START RequestId: 1f0e8f2a-5d7c-4f3b-9c3e-1d2f3a4b5c6d Version: $LATEST",
        "[Frigg] GET /api/integrations -> 200",
        "END RequestId: 1f0e8f2a-5d7c-4f3b-9c3e-1d2f3a4b5c6d",
    ),
    "dbMigrationWorker": (
        "Database Migration Lambda Started",
        "SQS event detected",
        "✓ Environment validated",
        "  Database URL: postgresql://***:***@cluster/postgres",
        "Executing Database Migration",
        "11 migrations found in prisma/migrations",
        "No pending migrations to apply.",
        "✓ Database migration completed successfully",
    ),
}
COLUMN_MISSING = (
    "prisma:error ",
    "\x1b[31mInvalid \x1b[1m`n.entity.findMany()`\x1b[22m invocation:\x1b[39m",
    "The column `Entity.data` does not exist in the current database.",
    "[Frigg] GET /api/entities -> 500: The column `Entity.data` does not exist in the current database.",
)


def failed(name: str) -> tuple[str, ...]:
    """What the worker logs when a migration fails on a table that exists."""
    return (
        f"Applying migration `{name}`",
        "Error: P3018",
        "",
        "A migration failed to apply. New migrations cannot be applied before the error is recovered from. Read more "
        "about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve",
        f"Migration name: {name}",
        "Database error code: 42P07",
        "Database error:",
        'ERROR: relation "Process" already exists',
        'DbError { severity: "ERROR", parsed_severity: Some(Error), code: SqlState(E42P07), '
        'message: "relation \\"Process\\" already exists", detail: None, hint: None, position: None }',
        "Migration Failed",
        "Error: MigrationError PostgreSQL migration failed: Migration process exited with code 1",
    )


def write(client: Any, group: str, lines: Sequence[str]) -> None:
    """Write lines into a new stream of a new log group, as of a minute ago."""
    stream = "2026/11/22/[$LATEST]58419525dade4d17a495dceeeed44708"
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    begin = int((time.time() - 60) * 1000)
    events = [{"timestamp": begin + number, "message": line} for number, line in enumerate(lines) if line]
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
