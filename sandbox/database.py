"""The sandbox's database: migrations applied and recorded as Prisma's engine does it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from fixtures.files import read_migrations
from health.history import History, Migration, Recorded, Row
from health.secret import Secret
from sandbox.plan import Plan, RecordedRow

_TABLE = """
CREATE TABLE _prisma_migrations (
    id varchar(36) PRIMARY KEY NOT NULL,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
)
"""


def fill(port: int, plan: Plan, migrations: tuple[Migration, ...]) -> None:
    """Apply migrations one after the other, each file as one simple query, and stop where one fails."""
    known = [migration for migration in migrations if migration.name not in plan.extra_migrations]
    with _connect(port, plan.database_password) as connection:
        connection.execute(_TABLE)
        for number, migration in enumerate(known[: len(known) - plan.not_applied]):
            if migration.sql is None:
                break  # Prisma stops here (P3015) and writes no row
            age = timedelta(days=30, minutes=-number)
            row = RecordedRow(migration.name, migration.checksum or "", age=age)
            try:
                connection.execute(migration.sql.encode())
            except psycopg.Error as error:
                row.finished, row.logs, row.age = False, str(error), timedelta(hours=3)
            _insert(connection, row)
            if not row.finished:
                break
        for row in plan.rows:
            if known:
                row.name = row.name.replace("{last}", known[-1].name)
                row.checksum = row.checksum.replace("{checksum}", known[-1].checksum or "")
            _insert(connection, row)
        for statement in plan.afterwards:
            connection.execute(statement.encode())


def reader(port: int, password: str, path: Path) -> Callable[[], History]:
    """A function that reads the history anew."""

    def read() -> History:
        try:
            with _connect(port, password) as connection:
                rows = connection.execute("SELECT * FROM _prisma_migrations ORDER BY started_at").fetchall()
                clock = connection.execute("SELECT clock_timestamp()").fetchall()[0][0]
        except psycopg.OperationalError:
            raise OSError("the database is not to be reached") from None
        return History(read_migrations(path, ""), Recorded("public", True, tuple(Row(*row) for row in rows), clock))

    return read


def _insert(connection: psycopg.Connection, row: RecordedRow) -> None:
    """Record a row as Prisma's engine would have."""
    started = datetime.now(UTC) - row.age
    connection.execute(
        "INSERT INTO _prisma_migrations VALUES (%s, %s, %s, %s, %s, NULL, %s, %s)",
        (
            str(uuid.uuid4()),
            row.checksum,
            started + timedelta(seconds=0.2) if row.finished else None,
            row.name,
            row.logs,
            started,
            int(row.finished),
        ),
    )


def _connect(port: int, password: str) -> psycopg.Connection:
    secret = Secret(password)
    return psycopg.connect(
        host="127.0.0.1", port=port, user="postgres", password=secret.reveal(), dbname="postgres",
        autocommit=True, connect_timeout=5, application_name="sandbox",
    )  # fmt: skip
