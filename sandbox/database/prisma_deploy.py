"""``prisma migrate deploy`` on the sandbox's database: what it does there, and what it prints."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg

from fixtures.clone.servers.private_postgres import Address
from fixtures.migrations.directory import read_migrations
from health.migrations.directory import Migration
from health.prisma.engine import COLUMNS_SQL, MIGRATE_LOCK, TABLE
from sandbox.database.history import connect, reader

_LOCK_WAIT = "10s"  # the engine's own
_P3018 = """\
A migration failed to apply. New migrations cannot be applied before the error is recovered from. \
Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve

Migration name: {name}

Database error code: {state}

Database error:
ERROR: {said}

DbError {{ severity: "ERROR", parsed_severity: Some(Error), code: SqlState(E{state}), message: {quoted} }}
"""
_TEXTS = {
    "P1001": "Can't reach database server at `the cluster`:`5432`",
    "P1002": "The database server was reached but timed out.\nTimed out trying to acquire a postgres advisory lock "
    f"(SELECT pg_advisory_lock({MIGRATE_LOCK})). Timeout: 10000ms.",
    "P3005": "The database schema is not empty.",
    "P3009": "migrate found failed migrations in the target database, new migrations will not be applied.",
    "P3015": "Could not find the migration file at migration.sql. Please delete the directory or restore the file.",
    "P3019": "The datasource provider does not match the one in the lock file, migration_lock.toml.",
}


class DeployFailed(Exception):  # noqa: N818 - the outcome of the command
    """The command ends with status 1; everything that it has to say was printed before."""


def deploy(server: Address | None, password: str, directory: Path) -> Iterator[str]:
    """Apply what is pending; gives the lines that the command prints as it prints them.

    Raises:
        DeployFailed: it stopped.
    """
    yield f"{len(read_migrations(directory, '').migrations)} migrations found in prisma/migrations"
    try:
        if server is None:
            raise psycopg.OperationalError
        connection = connect(server, password)
    except psycopg.OperationalError:
        yield from _error("P1001")
        raise DeployFailed from None
    with connection:
        try:
            connection.execute(f"SET lock_timeout = '{_LOCK_WAIT}'".encode())
            connection.execute("SELECT pg_advisory_lock(%s::bigint)", (MIGRATE_LOCK,))
            connection.execute("RESET lock_timeout")
        except psycopg.errors.LockNotAvailable:
            yield from _error("P1002")
            raise DeployFailed from None
        history = reader(server, password, directory)()
        plan = history.deployment
        if plan.error is not None and plan.stops_at is None:
            told = (
                f"The `{row.migration_name}` migration started at {row.started_at} failed" for row in history.failed
            )
            yield from _error(plan.error, *(told if plan.error == "P3009" else ()))
            raise DeployFailed
        connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ({COLUMNS_SQL})".encode())
        for name in plan.applies:
            yield f"Applying migration `{name}`"
            yield from _apply(connection, history.directory.by_name[name])
        if plan.stops_at is not None:
            yield from _error("P3015", plan.stops_at)
            raise DeployFailed
    if not plan.applies:
        yield "No pending migrations to apply."
        return
    yield "The following migration(s) have been applied:"
    yield "migrations/"
    for name in plan.applies:
        yield f"  └─ {name}/"
        yield "    └─ migration.sql"
    yield "All migrations have been successfully applied."


def _apply(connection: psycopg.Connection, migration: Migration) -> Iterator[str]:
    """Run one file as one simple query, between its row's beginning and end."""
    row = str(uuid.uuid4())
    connection.execute(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES (%s, %s, %s)",
        (row, migration.checksum, migration.name),
    )
    try:
        connection.execute((migration.sql or "").encode())
    except psycopg.Error as error:
        said = error.diag.message_primary or "connection closed"
        text = _P3018.format(
            name=migration.name, state=error.sqlstate or "?????", said=said, quoted='"' + said.replace('"', '\\"') + '"'
        )
        with suppress(psycopg.Error):  # where the script began a transaction, that is aborted: Prisma's row has no logs
            connection.execute("UPDATE _prisma_migrations SET logs = %s WHERE id = %s", (text, row))
        yield "Error: P3018"
        yield from text.splitlines()
        raise DeployFailed from None
    connection.execute(
        "UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = %s", (row,)
    )


def _error(code: str, *more: str) -> Iterator[str]:
    yield f"Error: {code}"
    yield from _TEXTS[code].splitlines()
    yield from more
