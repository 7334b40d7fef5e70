"""Statements that change the rows of one migration, or change nothing.

Import it where it is used: psycopg takes a fifth of a second that most starts can save.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import LiteralString

from psycopg.sql import SQL, Composable, Identifier, Literal

from health.catalog.catalog import Catalog, Key
from health.history.history import History
from health.history.rows import COLUMNS, Row
from health.sql.statements import stands_alone
from plugins.fixes.sql import (
    changed_one,
    comma,
    fill,
    identifiers,
    literal,
    outside_transaction,
    present,
    refuse_if,
    refuse_unless,
    run_in_schema,
    table,
    transaction,
)

_ROW: LiteralString = "id = {id}\n     AND migration_name = {name}\n     AND "
_IN_FORCE: LiteralString = "finished_at IS NOT NULL AND rolled_back_at IS NULL"
_AS_RECORDED: LiteralString = (
    "\n     AND checksum = {checksum} AND logs = '' AND applied_steps_count = {steps} AND started_at = finished_at"
)
_CHANGED: LiteralString = "The row has changed."
MISSING: LiteralString = "An object of the migration is missing."


class RowSql:
    """What can be done with rows of one migration; each row must be as it was read.

    Args:
        history: as it was read.
        rows: those to be changed, all of one name.
        name: of the migration, where there is no row to be changed.
    """

    def __init__(self, history: History, rows: Sequence[Row], name: str | None = None) -> None:
        self._rows = rows
        self._name = rows[0].migration_name if name is None else name
        self._schema = history.recorded.schema
        self._table = table(self._schema)
        self._extra_columns = history.recorded.extra_columns
        self._by_name = history.by_name
        self._known = self._ids_of(self._name)

    def roll_back(self) -> str:
        """Mark the rows as rolled back, as ``prisma migrate resolve --rolled-back`` does."""
        return transaction(self._rolled_back())

    def undo_roll_back(self) -> str:
        """Take the mark away again."""
        return transaction([self._no_newer_row(), *self._not_rolled_back()])

    def apply(self, checksum: str, steps: int = 0, guard: Iterable[Composable] = (), first: Sequence[str] = ()) -> str:
        """Record the migration as applied, as ``prisma migrate resolve --applied`` does.

        Args:
            checksum: of the file.
            steps: what ``applied_steps_count`` shall be; the engine writes 0.
            guard: PL/pgSQL that refuses where the objects are not there.
            first: statements to run before, in the same transaction.
        """
        record = [*self._rolled_back(), self._insert(self._values(checksum, steps))]
        if not first:
            return transaction([self._no_newer_row(), *guard, *record])
        return transaction([*self._unchanged(), *run_in_schema(self._schema, first), *guard, *record])

    def step(self, statement: str) -> str:
        """One statement that cannot stand in a transaction with others, behind a look at the rows."""
        if stands_alone(statement):
            return outside_transaction(self._unchanged(), self._schema, statement)
        return transaction([*self._unchanged(), *run_in_schema(self._schema, [statement])])

    def undo_apply(self, checksum: str, steps: int = 0) -> str:
        """Take the record away again, as :meth:`apply` wrote it; what was run before it stays."""
        made = self._fill(
            "DELETE FROM {table}\n   WHERE " + _ROW + _IN_FORCE + _AS_RECORDED,
            id=self._new_id,
            checksum=literal(checksum),
            steps=Literal(steps),
        )
        said: LiteralString = "The row is not there, or it has changed."
        look = [self._no_newer_row(self._new_id), no_other_column(self._table, self._extra_columns)]
        return transaction([*look, changed_one(made, said), *self._not_rolled_back()])

    def delete(self) -> str:
        """Remove the rows of which nothing has changed: what they hold is what the undo puts back."""
        return transaction(
            [no_other_column(self._table), *(changed_one(self._removed(row), _CHANGED) for row in self._rows)]
        )

    def insert_again(self) -> str:
        """Put removed rows back, byte for byte."""
        back = [self._insert([literal(getattr(row, column)) for column in COLUMNS]) for row in self._rows]
        return transaction([self._no_newer_row(), *back])

    def rename(self, before: str, after: str) -> str:
        """Give the one row another name; the same with both exchanged undoes it."""
        (row,) = self._rows
        values = {"id": literal(row.id), "before": literal(before), "after": literal(after)}
        change: LiteralString = "UPDATE {table} SET migration_name = {after}\n   WHERE id = {id}\n"
        change += "     AND migration_name = {before}\n     AND " + _IN_FORCE
        newer = [self._no_newer(name, values["id"]) for name in (after, before)]
        return transaction([*newer, changed_one(self._fill(change, **values), _CHANGED)])

    def set_checksum(self, before: str, after: str, first: Sequence[str] = ()) -> str:
        """Give the one row another checksum; the same with both exchanged undoes it.

        Args:
            before: what it has.
            after: what it gets.
            first: statements to run before, in the same transaction.
        """
        (row,) = self._rows
        values = {"id": literal(row.id), "before": literal(before), "after": literal(after)}
        has: LiteralString = _ROW + "rolled_back_at IS NULL\n     AND checksum = {before}"
        change = self._fill("UPDATE {table} SET checksum = {after}\n   WHERE " + has, **values)
        record = changed_one(change, _CHANGED)
        if not first:
            return transaction([self._no_newer_row(), record])
        unchanged = self._fill("EXISTS (SELECT FROM {table}\n    WHERE " + has + ")", **values)
        look = [self._no_newer_row(), refuse_unless(unchanged, _CHANGED)]
        return transaction([*look, *run_in_schema(self._schema, first), record])

    def _removed(self, row: Row) -> Composable:
        same = [
            self._fill("{column} IS NOT DISTINCT FROM {value}", column=Identifier(column), value=literal(value))
            for column, value in ((name, getattr(row, name)) for name in COLUMNS)
            if column not in ("id", "logs")
        ]
        digest = None if row.logs is None else hashlib.sha256(row.logs.encode("utf-8", "replace")).hexdigest()
        same.append(
            fill(
                "encode(sha256(convert_to(logs, 'UTF8')), 'hex') IS NOT DISTINCT FROM {digest}", digest=literal(digest)
            )
        )
        where = SQL("\n     AND ").join(same)
        return self._fill("DELETE FROM {table}\n   WHERE id = {id}\n     AND {where}", id=literal(row.id), where=where)

    def _rolled_back(self) -> Iterator[Composable]:
        for row in self._rows:
            change = "UPDATE {table} SET rolled_back_at = now()\n   WHERE " + _ROW + _state(row)
            yield changed_one(self._one(change, row), _CHANGED)

    def _not_rolled_back(self) -> Iterator[Composable]:
        for row in self._rows:
            state = "finished_at IS NULL" if row.finished_at is None else "finished_at IS NOT NULL"
            change = (
                "UPDATE {table} SET rolled_back_at = NULL\n   WHERE " + _ROW + state + " AND rolled_back_at IS NOT NULL"
            )
            yield changed_one(self._one(change, row), "The row is not one that was rolled back.")

    def _unchanged(self) -> Iterator[Composable]:
        """PL/pgSQL that refuses where rows are not as they were read."""
        yield self._no_newer_row()
        for row in self._rows:
            there: LiteralString = "EXISTS (SELECT FROM {table}\n    WHERE " + _ROW + _state(row) + ")"
            yield refuse_unless(self._one(there, row), _CHANGED)

    def _values(self, checksum: str, steps: int) -> list[Composable]:
        now = SQL("now()")
        values = {
            "id": self._new_id,
            "checksum": literal(checksum),
            "finished_at": now,
            "migration_name": literal(self._name),
            "logs": literal(""),
            "rolled_back_at": literal(None),
            "started_at": now,
            "applied_steps_count": Literal(steps),
        }
        return [values[column] for column in COLUMNS]

    @property
    def _new_id(self) -> Composable:
        """The id of the row that records the migration: the same in the fix and in its undo, and in every run."""
        seed = hashlib.sha256("\0".join([self._name, *self._known]).encode("utf-8", "replace")).digest()
        return literal(str(uuid.UUID(bytes=seed[:16], version=4)))

    def _insert(self, values: Sequence[Composable]) -> Composable:
        change = self._fill(
            "INSERT INTO {table} ({columns})\n  VALUES ({values})", columns=identifiers(COLUMNS), values=comma(values)
        )
        return changed_one(change, "The row was not inserted.")

    def _ids_of(self, name: str) -> list[str]:
        return [row.id for row in self._by_name.get(name, ())]

    def _no_newer_row(self, *also_known: Composable) -> Composable:
        return self._no_newer(self._name, *also_known)

    def _no_newer(self, name: str, *also_known: Composable) -> Composable:
        known = [*map(literal, self._ids_of(name)), *also_known]
        newer: LiteralString = "EXISTS (SELECT FROM {table}\n    WHERE migration_name = {searched}"
        newer += " AND id NOT IN ({known}))" if known else ")"
        return refuse_if(
            self._fill(newer, known=comma(known), searched=literal(name)), "There is a newer row of this migration."
        )

    def _one(self, template: LiteralString, row: Row) -> Composable:
        return self._fill(template, id=literal(row.id))

    def _fill(self, template: LiteralString, **values: Composable) -> Composable:
        return fill(template, table=self._table, name=literal(self._name), **values)


def no_other_column(table: Composable, known: Iterable[str] = ()) -> Composable:
    """PL/pgSQL that refuses where Prisma's table has a column, beside those known, that an undo could not restore."""
    others: LiteralString = "EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass({name}) AND attnum > 0\n"
    others += "      AND NOT attisdropped AND attname NOT IN ({columns}))"
    filled = fill(others, name=literal(table.as_string(None)), columns=comma(map(literal, (*COLUMNS, *known))))
    return refuse_if(filled, "The table has another column.")


def objects_there(catalog: Catalog, keys: Iterable[Key]) -> list[Composable]:
    """PL/pgSQL that refuses where objects that were seen are gone."""
    seen = [key for key in keys if key in catalog.objects]
    return present(catalog.schema, seen, MISSING)


def _state(row: Row) -> LiteralString:
    finished: LiteralString = "finished_at IS NULL" if row.finished_at is None else "finished_at IS NOT NULL"
    return finished + (
        " AND rolled_back_at IS NULL" if row.rolled_back_at is None else " AND rolled_back_at IS NOT NULL"
    )
