"""Puts a case into the sandbox's database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg.pq import TransactionStatus

from fixtures.clone.servers.private_postgres import Address
from health.finding import CouldNotCheck
from health.prisma.statement_batches import as_sent, one_by_one
from health.prisma.version import PrismaVersion
from health.sanitize import short
from health.sql.splitter import locate
from sandbox.case import Case
from sandbox.database import extension
from sandbox.database.history import begin_anew, connect, make_table, record
from sandbox.plan import RecordedRow

_LIMIT_S = 45.0  # for everything; pytest waits for a sandbox for a minute
_SHOWN = 60  # characters of a statement
_OF_AN_APPLIED = "Correct the file, or take its name out of applied in case.toml."
# What several statements in one query cannot do, and one after the other can.
_ALONE = (psycopg.errors.ActiveSqlTransaction, psycopg.errors.UnsafeNewEnumValueUsage)


def put(server: Address, password: str, case: Case, database: str = "postgres") -> None:
    """Bring an empty database into a case's state.

    Raises:
        CouldNotCheck: a file of it fails, or takes too long.
    """
    try:
        _Placement(server, password, case, database).run()
    except psycopg.Error as error:  # the history's own table, or its schema, was taken away
        what = f"the case cannot be recorded: {_said(error)}"
        raise CouldNotCheck(what, str(case.path), "Leave the table to the sandbox; after.sql may change it.") from None


class _Placement:
    """The sessions that a case is put in place by; all of them end at one time."""

    def __init__(self, server: Address, password: str, case: Case, database: str) -> None:
        self._server, self._password, self._case, self._database = server, password, case, database
        self._until = time.monotonic() + _LIMIT_S

    def run(self) -> None:
        self._script("before.sql")
        with self._session() as session:
            make_table(session)
            self._apply(session)
            self._record_others(session)
        self._script("after.sql")

    def _apply(self, session: psycopg.Connection) -> None:
        """Run and record the applied migrations, each in a session as it is at its beginning."""
        one_query = PrismaVersion(self._case.prisma, "").one_query
        for number, name in enumerate(self._case.applied):
            migration = self._case.migrations.by_name[name]
            file = self._case.path / "migrations" / name / "migration.sql"
            self._execute(session, as_sent(migration.sql or "", one_query=one_query), file, _OF_AN_APPLIED)
            begin_anew(session)
            record(session, RecordedRow(name, migration.checksum or "", age=timedelta(days=30, minutes=-number)))

    def _record_others(self, session: psycopg.Connection) -> None:
        for number, row in enumerate(self._case.rows):
            age = timedelta(hours=3, seconds=-number)
            try:
                values = row.name, row.checksum, row.finished, row.rolled_back, row.logs
                record(session, RecordedRow(*values, age, ran=row.ran))
            except psycopg.Error as error:
                what = f"row {number + 1} cannot be recorded: {_said(error)}"
                raise CouldNotCheck(what, str(self._case.path / "case.toml"), "Correct it.") from None

    def _script(self, name: str) -> None:
        """Run a script that is no migration: as one query, or, where that cannot be, its statements one by one."""
        if (script := self._case.scripts.get(name)) is None:
            return
        with self._session() as session:
            file, error = self._case.path / name, _error_of(session, script)
            if isinstance(error, _ALONE):
                begin_anew(session)
                self._execute(session, one_by_one(locate(script)), file, "Correct the file.")
            elif error is not None:
                self._require_extensions(error, file)
                raise self._refusal(error, _line(script, error), file, "Correct the file.")
            _require_ended(session, file)

    def _execute(self, session: psycopg.Connection, scripts: Sequence[str], file: Path, remedy: str) -> None:
        for script in scripts:
            if (error := _error_of(session, script)) is not None:
                self._require_extensions(error, file)
                where = _line(script, error) if len(scripts) == 1 else f" in {short(script, _SHOWN)}"
                raise self._refusal(error, where, file, remedy)
        _require_ended(session, file)

    def _require_extensions(self, error: psycopg.Error, file: Path) -> None:
        applied = (self._case.migrations.by_name[name].sql or "" for name in self._case.applied)
        with self._session() as session:
            extension.require(session, error, (*applied, *self._case.scripts.values()), file)

    def _refusal(self, error: psycopg.Error, where: str, file: Path, remedy: str) -> CouldNotCheck:
        if time.monotonic() < self._until:
            return CouldNotCheck(f"{file.name} fails: {_said(error)}{where}", str(file), remedy)
        what = f"the case takes longer than {_LIMIT_S:g} s to be put in place, and was stopped"
        return CouldNotCheck(what, str(file), "Make it smaller.")

    @contextmanager
    def _session(self) -> Iterator[psycopg.Connection]:
        with connect(self._server, self._password, "-c search_path=public", self._database) as session:
            stopping = threading.Timer(max(0, self._until - time.monotonic()), _stop, [session])
            stopping.daemon = True
            stopping.start()
            try:
                yield session
            finally:
                stopping.cancel()


def _stop(session: psycopg.Connection) -> None:
    with suppress(psycopg.Error):  # it may have ended
        session.cancel_safe()


def _error_of(session: psycopg.Connection, script: str) -> psycopg.Error | None:
    try:
        session.execute(script.encode())
    except psycopg.Error as error:
        return error
    return None


def _require_ended(session: psycopg.Connection, file: Path) -> None:
    if session.info.transaction_status != TransactionStatus.IDLE:
        raise CouldNotCheck(f"{file.name} leaves its transaction open", str(file), "End it with COMMIT.")


def _said(error: psycopg.Error) -> str:
    return f"{error.sqlstate}: {error.diag.message_primary}" if error.diag.message_primary else str(error)


def _line(script: str, error: psycopg.Error) -> str:
    position = error.diag.statement_position
    return f", line {script.count(chr(10), 0, int(position) - 1) + 1}" if position is not None else ""
