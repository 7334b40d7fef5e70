"""Fixes for the migration history."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, LiteralString

from health.environment import Environment
from health.finding import Finding, Fix, NoFix
from health.history import COLUMNS, WORKER_LIMIT_S, History, Row
from plugins.fixes import fixes, shell

if TYPE_CHECKING:
    from psycopg.sql import Composable

_THIS_ROW: LiteralString = "id = {id}\n     AND migration_name = {name}\n    "
_FAILED: LiteralString = _THIS_ROW + " AND finished_at IS NULL AND rolled_back_at IS NULL"
_APPLIED: LiteralString = _THIS_ROW + " AND finished_at IS NOT NULL AND rolled_back_at IS NULL"
_ROLLED_BACK: LiteralString = _THIS_ROW + " AND finished_at IS NULL AND rolled_back_at IS NOT NULL"
_EXTRA_COLUMNS = "The table has columns that Prisma does not make, which an undo could not restore."


@fixes("failed-migration")
def failed_migration(finding: Finding, history: History) -> Iterator[Fix | NoFix]:
    """Mark the row as rolled back, as `prisma migrate resolve --rolled-back` does; DELETE by id is the fallback.

    Neither is offered while a migration may still be running.
    """
    row = _row(history, finding)
    if history.recorded.lock_holder is not None:
        yield NoFix(
            f"The migration lock is held ({history.recorded.lock_holder}): a migration is running, and the row may "
            "be its own. Wait until it has ended, then run again."
        )
        return
    if history.may_be_running(row):
        left = max(1, math.ceil((WORKER_LIMIT_S - history.age_s(row)) / 60))
        yield NoFix(
            f"The row is younger than the worker's {WORKER_LIMIT_S} s, so it may be a migration at work. "
            f"Run again in {left} min."
        )
        return
    sql = _RowSql(history, row)
    yield Fix(
        "sql",
        "Mark the failed row as rolled back",
        sql.roll_back(),
        undo=sql.undo_roll_back(),
        note="The next deploy applies the migration again. Look first for objects that its script left behind: "
        "the row does not tell, and the script would fail on them once more.",
    )
    if history.recorded.extra_columns:
        yield NoFix(_EXTRA_COLUMNS)
        return
    yield Fix(
        "sql",
        "Delete the failed row",
        sql.delete(_FAILED),
        option="A",
        fallback=True,
        undo=sql.insert_again(),
        note="The deploy does the same as after the other fix, but the trace of the failure is lost.",
    )


@fixes("orphaned-migration")
def orphaned_migration(finding: Finding, history: History, environment: Environment) -> Iterator[Fix | NoFix]:
    """Restore the directory; DELETE of the row by its id is the fallback, and loses what may be the only witness."""
    row = _row(history, finding)
    path = f"*/{row.migration_name}/migration.sql"
    yield Fix(
        "command",
        "Find the commit that had the directory, and restore it from there",
        f"git -C {shell.quote(str(environment.app))} log --all --oneline -- {shell.quote(path)}",
        note="In node_modules it comes with the version of the package that held it. Nothing in the database "
        "changes, so there is nothing to undo.",
        rank=90,
    )
    if history.recorded.extra_columns:
        yield NoFix(_EXTRA_COLUMNS)
        return
    sql = _RowSql(history, row)
    yield Fix(
        "sql",
        "Delete the orphaned row",
        sql.delete(_APPLIED),
        fallback=True,
        undo=sql.insert_again(),
        note="WARNING: the row may be the only witness of tables that exist. A later migration that creates them "
        "fails then (42P07), and nothing tells why. An orphan blocks no deploy of Prisma's.",
        rank=90,
    )


@fixes("pending-migration", "entity-data-column-pending")
def pending_migration(finding: Finding, environment: Environment) -> Iterator[Fix]:
    """Deploy."""
    yield Fix(
        "command",
        f"Deploy {environment.name}",
        shell.deploy(environment),
        note="Prisma has no way back from an applied migration: there is no undo.",
        rank=50,
    )


def _row(history: History, finding: Finding) -> Row:
    return next(row for row in history.recorded.rows if row.id == finding.evidence["id"])


class _RowSql:
    """The transactions that change one row of ``_prisma_migrations``, or change nothing."""

    def __init__(self, history: History, row: Row) -> None:
        from plugins.fixes import sql

        self._sql, self._row = sql, row
        self._names = {
            "table": sql.table(history.recorded.schema),
            "id": sql.literal(row.id),
            "name": sql.literal(row.migration_name),
            "started": sql.literal(row.started_at),
        }

    def roll_back(self) -> str:
        change = self._fill("UPDATE {table} SET rolled_back_at = now()\n   WHERE " + _FAILED)
        return self._sql.transaction([self._sql.changed_one(change, "The row is no longer failed.")])

    def undo_roll_back(self) -> str:
        change = self._fill("UPDATE {table} SET rolled_back_at = NULL\n   WHERE " + _ROLLED_BACK)
        said = "The row is not one that was rolled back."
        return self._sql.transaction([self._no_newer_row(), self._sql.changed_one(change, said)])

    def delete(self, state: LiteralString) -> str:
        change = self._fill("DELETE FROM {table}\n   WHERE " + state)
        return self._sql.transaction([self._sql.changed_one(change, "The row has changed.")])

    def insert_again(self) -> str:
        columns = self._sql.identifiers(COLUMNS)
        values = self._sql.comma(self._sql.literal(getattr(self._row, column)) for column in COLUMNS)
        change = self._fill("INSERT INTO {table} ({columns})\n  VALUES ({values})", columns=columns, values=values)
        return self._sql.transaction([self._no_newer_row(), self._sql.changed_one(change, "The row was not inserted.")])

    def _no_newer_row(self) -> Composable:
        newer: LiteralString = (
            "EXISTS (SELECT FROM {table}\n    WHERE migration_name = {name} AND id <> {id} AND started_at >= {started})"
        )
        return self._sql.refuse_if(self._fill(newer), "There is a newer row of this migration.")

    def _fill(self, template: LiteralString, **values: Composable) -> Composable:
        return self._sql.fill(template, **self._names, **values)
