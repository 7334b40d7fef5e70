"""The sandbox's database: migrations applied and recorded as Prisma's engine does it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from fixtures.clone.servers.private_postgres import Address, PrivatePostgres
from fixtures.migrations.directory import read_migrations
from health.history.history import History
from health.history.rows import HistoryTable, Row
from health.migrations.directory import Migration
from health.prisma.engine import COLUMNS_SQL, MIGRATE_LOCK, TABLE
from health.secrets.secret import Secret
from health.sql.statements import split
from sandbox.database import extension
from sandbox.plan import Plan, RecordedRow

_TABLE = f"CREATE TABLE IF NOT EXISTS {TABLE} ({COLUMNS_SQL})"
_STATEMENT_MS = 20_000
USER = "postgres"  # the master user, as its cluster was made with it


def fill(server: Address, plan: Plan, migrations: tuple[Migration, ...], directory: Path) -> Migration | None:
    """Apply migrations one after the other, each file as one simple query, and stop where one fails.

    Gives the migration that ``{last}`` stands for in the plan's rows.

    Raises:
        CouldNotCheck: a file of the directory asks for an extension that the server lacks.
    """
    known = [migration for migration in migrations if migration.name not in plan.extra_migrations]
    last, half = _last(known, plan)
    applied = known[: known.index(last) + (not plan.not_applied)] if last else []
    limited = f"-c search_path=public -c statement_timeout={_STATEMENT_MS}"  # the directory may be a user's own
    with connect(server, plan.database_password, limited) as connection:
        make_table(connection)
        for number, migration in enumerate(applied):
            if migration.sql is None:
                break  # Prisma stops here (P3015) and writes no row
            age = timedelta(days=30, minutes=-number)
            row = RecordedRow(migration.name, migration.checksum or "", age=age)
            halved = plan.half_applied and migration is last
            try:
                for script in half if halved else [migration.sql]:
                    connection.execute(script.encode())
            except psycopg.Error as error:
                begin_anew(connection)
                extension.require(connection, error, (each.sql or "" for each in applied), directory)
                row.finished, row.logs, row.age = False, str(error), timedelta(hours=3)
            begin_anew(connection)
            if not halved and (plan.last_recorded or migration is not last):
                record(connection, row)
            if not row.finished:
                break
        for row in plan.rows:
            if last is not None:
                row.name = row.name.replace("{last}", last.name)
                row.checksum = row.checksum.replace("{checksum}", last.checksum or "")
            record(connection, row)
        for statement in plan.afterwards:
            connection.execute(statement.encode())
    return last


def hold_lock(server: Address, password: str) -> psycopg.Connection:
    """A session that holds the migration lock until it is closed, as a migration at work does."""
    connection = connect(server, password)
    connection.execute("SELECT pg_advisory_lock(%s::bigint)", (MIGRATE_LOCK,))
    return connection


def take_connections(server: PrivatePostgres) -> ExitStack:
    """Sessions that hold every connection which the server has, until they are closed."""
    sessions = ExitStack()
    with suppress(psycopg.OperationalError):  # too many clients
        while True:
            sessions.enter_context(connect(server.address, server.password.reveal(), user=server.superuser))
    return sessions


def _last(known: list[Migration], plan: Plan) -> tuple[Migration | None, list[str]]:
    """The last migration that the plan speaks of, and the first half of its statements."""
    for migration in reversed(known):
        statements = (split(migration.sql or "") or []) if plan.half_applied else []
        if not plan.half_applied or len(statements) > 1:
            return migration, statements[: len(statements) // 2]
    return None, []


def reader(server: Address | None, password: str, path: Path) -> Callable[[], History]:
    """A function that reads the history anew.

    It raises PermissionError where the password is refused, another OSError where there is nothing to be reached,
    as where there is no server.
    """

    def read() -> History:
        if server is None:
            raise OSError("the database is not to be reached")
        try:
            with connect(server, password) as connection:
                table, others, clock = connection.execute(
                    "SELECT to_regclass('public._prisma_migrations'), array(SELECT tablename::text FROM pg_tables"
                    " WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'), clock_timestamp()"
                ).fetchall()[0]
                query = "SELECT * FROM public._prisma_migrations ORDER BY started_at"
                rows = connection.execute(query).fetchall() if table else []
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise PermissionError("the database refuses the password") from None
            raise OSError("the database is not to be reached") from None
        told = tuple(Row(*map(_in_utc, row)) for row in rows)
        recorded = HistoryTable("public", table is not None, told, clock, (), tuple(others))
        return History(read_migrations(path, ""), recorded)

    return read


def _in_utc(value: Any) -> Any:
    """A value of a row; a time without a zone is in UTC, as the engine takes it."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def make_table(connection: psycopg.Connection) -> None:
    """Make the table of the history, as the engine does before its first migration."""
    connection.execute(_TABLE.encode())


def begin_anew(connection: psycopg.Connection) -> None:
    """Bring a session back to its beginning: a migration may leave it without a search path, or read only."""
    connection.commit()
    connection.execute("DISCARD ALL")


def record(connection: psycopg.Connection, row: RecordedRow) -> None:
    """Record a row as Prisma's engine would have."""
    started = datetime.now(UTC) - row.age
    ended = started + timedelta(seconds=0.2)
    connection.execute(
        "INSERT INTO _prisma_migrations VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            str(uuid.uuid4()),
            row.checksum,
            ended if row.finished else None,
            row.name,
            row.logs,
            ended + timedelta(minutes=10) if row.rolled_back else None,
            started,
            int(row.finished and row.ran),
        ),
    )


def connect(
    server: Address, password: str, options: str = "", database: str = "postgres", user: str = USER
) -> psycopg.Connection:
    """A session, of the master user unless another is named, which commits each statement; ``options`` are libpq's."""
    secret = Secret(password)
    return psycopg.connect(
        host=server.host, port=server.port, user=user, password=secret.reveal(), dbname=database,
        autocommit=True, connect_timeout=5, application_name="sandbox", options=options,
        prepare_threshold=None,  # what is run discards prepared statements
    )  # fmt: skip
