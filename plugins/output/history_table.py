"""A history of nightly runs in a table of a PostgreSQL database: one row for each run and environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

from fixtures.clients.postgres import log_in
from fixtures.config.database_url import resolve_database_url
from fixtures.database.tls_files import tls_files
from fixtures.database.url_session import connection_arguments
from health.config.database_hosts import DatabaseUrlError
from health.config.database_url import DatabaseUrl, read_database_url
from health.nightly.night import NightlyRun
from health.report.history_lines import HistoryError, NightlyHistory, parse, to_line
from health.sanitize import one_line
from health.secrets.secret import hide

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composed

TABLE = "migration_health_nights"
LARGEST = 200_000_000  # characters
_CONNECT_S = 5
_STATEMENT_MS = 20_000
_LOCK = 4_715_229_318  # an advisory lock of ours; Prisma's is 72707369
_COLUMNS = ["id", "at", "environment", "tool_version", "night"]
# In the transaction: a pooler drops settings of the login.
_SET: LiteralString = """
SELECT pg_catalog.set_config(name, value, true) FROM (VALUES
    ('statement_timeout', %s), ('lock_timeout', %s), ('search_path', 'pg_catalog'), ('row_security', 'off'),
    ('default_transaction_read_only', 'off')) AS setting(name, value)
"""
_COLUMNS_OF: LiteralString = """
SELECT attname::text FROM pg_catalog.pg_attribute
WHERE attrelid = pg_catalog.to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_CREATE: LiteralString = """
CREATE TABLE {table} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    environment text NOT NULL,
    tool_version text NOT NULL,
    night json NOT NULL
)
"""
_READ: LiteralString = "SELECT night::text FROM {table} ORDER BY id"
_SIZE: LiteralString = "SELECT COALESCE(pg_catalog.sum(pg_catalog.length(night::text)), 0) FROM {table}"
_INSERT: LiteralString = "INSERT INTO {table} (at, environment, tool_version, night) VALUES (%s, %s, %s, %s::json)"
# The last row of an environment stays, however old it is: it is what the next night is compared with.
_DROP: LiteralString = """
DELETE FROM {table} AS old USING (
    SELECT id, pg_catalog.dense_rank() OVER (ORDER BY (at AT TIME ZONE 'UTC')::date DESC) AS nth,
        pg_catalog.row_number() OVER (PARTITION BY environment ORDER BY id DESC) AS last
    FROM {table}) AS place
WHERE old.id = place.id AND nth > %s AND last > 1
"""


def resolve(text: str) -> DatabaseUrl:
    """Read ``--history postgresql://…``, in which ``${VARIABLE}`` stands for a variable's value.

    Raises:
        HistoryError: it is no URL of a PostgreSQL server, or a variable is not set.
    """
    __tracebackhide__ = True  # a traceback would show the URL
    try:
        return read_database_url(resolve_database_url(text, os.environ, (), "--history").text.reveal())
    except DatabaseUrlError as error:
        raise HistoryError(str(error)) from None


class HistoryTable:
    """A history in a table, which is made where it is not there: ``migration_health_nights`` in the URL's schema.

    Args:
        url: of the database.
    """

    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url
        self.place = f"{TABLE} at {url.place}"

    def read(self) -> NightlyHistory:
        """Read the history; a table that is not there is made.

        Raises:
            HistoryError: the database cannot be used, or a table of this name is another tool's.
        """
        with self._transaction() as connection:
            (size,) = connection.execute(self._named(_SIZE)).fetchone() or (0,)
            if size > LARGEST:
                raise HistoryError(f"{self.place}: larger than {LARGEST:,} characters. Keep fewer nights.")
            rows = connection.execute(self._named(_READ)).fetchall()
            return parse((line for (line,) in rows), self.place)

    def append(self, run: NightlyRun, nights: int) -> None:
        """Insert a row for each environment of a run, and drop what is older than the last nights.

        Raises:
            HistoryError: it could not be written; nothing of it is there then.
        """
        with self._transaction() as connection:
            for night in run.nights:
                line = to_line(replace(run, nights=(night,)))
                connection.execute(self._named(_INSERT), (run.time, night.environment, run.version, line))
            connection.execute(self._named(_DROP), (nights,))

    def _named(self, text: LiteralString) -> Composed:
        from psycopg.sql import SQL, Identifier

        return SQL(text).format(table=Identifier(self._url.schema, TABLE))

    @contextmanager
    def _transaction(self) -> Iterator[Connection[Any]]:
        """Give a connection whose transaction has the lock and in which the table is there."""
        __tracebackhide__ = True  # a traceback through log_in() would show the password
        import psycopg

        try:
            with (
                tls_files(self._url, Path.cwd()) as files,
                log_in(connection_arguments(self._url, files), _CONNECT_S) as connection,
            ):
                connection.prepare_threshold = None  # a pooler's next session has nothing prepared
                connection.execute(_SET, (str(_STATEMENT_MS), str(_STATEMENT_MS)))
                connection.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", (_LOCK,))
                self._make(connection)
                yield connection
        except DatabaseUrlError as error:
            raise HistoryError(str(error)) from None
        except psycopg.Error as error:
            said = hide(one_line(str(error).partition("\n")[0], 200))
            raise HistoryError(f"{self.place}: {said}. Check the URL, and what its role may do.") from None

    def _make(self, connection: Connection[Any]) -> None:
        from psycopg.sql import Identifier

        name = Identifier(self._url.schema, TABLE).as_string(connection)
        columns = [column for (column,) in connection.execute(_COLUMNS_OF, (name,)).fetchall()]
        if not columns:
            connection.execute(self._named(_CREATE))
        elif columns != _COLUMNS:
            raise HistoryError(
                f"{self.place}: a table of this name is not ours. It is left as it is; name another schema."
            )
