"""What a statement that writes rows makes of those that exist, and which constraints they then meet."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from health.pending.data_requirements import (
    DataRequirement,
    NotNullRequirement,
    ParentRequirement,
    ReferencedRequirement,
    SeedRequirement,
    UnforeseenRows,
    ValueRequirement,
)
from health.pending.future_rows import FutureRows, Value
from health.pending.printed import RowChange, labelled, own_type, used
from health.pending.statement import StatementRun, TableChange, computed
from health.pending.types import VARYING, typed

_LITERAL = re.compile(r"(?:'(?:[^']|'')*'|-?\d+(?:\.\d+)?|true|false)(?:::[\w ]+)?")
_CHANGES = "an earlier statement changes rows of the table"
_DEFERRED = "it is checked at the end of the transaction"
_CHECKED_BY_CHILD = {"a", "r"}  # NO ACTION, RESTRICT


def write_outcome(run: StatementRun, change: RowChange) -> tuple[list[DataRequirement], dict[int, FutureRows]]:
    """What a write requires of rows that exist, and what it makes of them."""
    return {"update": _update, "delete": _delete, "insert": _insert}[change.kind](run, change)


def lost(rows: Mapping[int, FutureRows], which: Collection[int]) -> dict[int, FutureRows]:
    """The rows of some tables are not known any more."""
    return {number: each.lost(_CHANGES) if number in which else each for number, each in rows.items()}


def grown(rows: Mapping[int, FutureRows], which: Collection[int]) -> dict[int, FutureRows]:
    """Some tables get rows that are not known."""
    why = "an earlier statement inserts rows into the table that it leads to"
    return {number: replace(each, why_grown=why) if number in which else each for number, each in rows.items()}


def unforeseen(run: StatementRun, what: str, rows: FutureRows | None = None) -> UnforeseenRows:
    """The statement hangs on rows, and is not understood."""
    rows = rows or FutureRows("", "", (), ())
    return UnforeseenRows(run.migration, run.line, rows.shown, what, rows.keys, what, rows)


def _update(run: StatementRun, change: RowChange) -> tuple[list[DataRequirement], dict[int, FutureRows]]:
    table, rows = run.after[change.table], run.rows[change.table]
    why = rows.why_unasked((), change.where, *change.values.values())
    values = {number: Value(name, source=name) for number, name in rows.names.items()}
    condition = change.where.sql if change.where else None
    unknown = {}
    for number, value in change.values.items():
        column = table.columns[number]
        if why is not None or not column.cast:
            unknown[number] = why or f"{column.type} is a type of the schema's own"
            continue
        source = column.name if condition else None
        values[number] = Value(column.name, source=source, sql=value.sql, cast=column.cast, when=condition)
    known = {number: told for number, told in rows.unknown.items() if number not in change.values or condition}
    now = replace(rows, unknown=known).changed(values, unknown=unknown)
    generated = [number for number, column in table.columns.items() if column.generated]
    if generated:
        now = computed(now, change.table, table, generated, run.printed)
    after = {**run.rows, change.table: now}
    return list(_met(run, change, after)), after


def _met(run: StatementRun, change: RowChange, after: Mapping[int, FutureRows]) -> Iterator[DataRequirement]:
    """What the values that an UPDATE sets have to meet."""
    table, here = run.after[change.table], TableChange(run, change.table, after)
    condition = change.where.sql if change.where else None
    computing = {number: value for number, value in change.values.items() if not _LITERAL.fullmatch(value.sql)}
    for number, value in computing.items():
        column = table.columns[number]
        rows = here.earlier.texts(value, change.where)
        shared = here.shared(column.name, rows.why_unasked((), value, change.where), rows)
        new = Value(column.name, source=column.name if condition else None, sql=value.sql, when=condition)
        if column.labels or VARYING.fullmatch(column.plain):
            yield typed(shared, new, None, column)
        elif column.cast and (value.columns or "(" in value.sql):
            cast = f"CASE WHEN {condition} THEN ({value.sql})::{column.cast} END"
            yield ValueRequirement(*shared, (cast if condition else f"({value.sql})::{column.cast}",))
        if column.not_null:
            shared = here.shared(column.name, here.rows.why_unasked([number]))
            yield NotNullRequirement(*shared, column.name, all_rows=False)
    for number in change.values:
        yield from here.domain(number, table.columns[number], table.columns[number].checks)
    yield from _constraints_met(run, change, here)


def _constraints_met(run: StatementRun, change: RowChange, here: TableChange) -> Iterator[DataRequirement]:
    """The constraints of the table that hold for what an UPDATE sets."""
    table, changed = run.after[change.table], set(change.values)
    for number, index in table.indexes.items():
        if used(index, run.printed.indexes[number]) & changed and not index.inherited:
            yield from here.index(number, index)
    for number, constraint in table.constraints.items():
        if set(constraint.columns) & changed and not constraint.inherited:
            yield here.constraint(number, constraint if constraint.validated else replace(constraint, validated=True))
    if any(
        constraint.kind == "f" and constraint.target == change.table and set(constraint.target_columns) & changed
        for other in run.after.values()
        for constraint in other.constraints.values()
    ):
        yield unforeseen(run, "it changes a key that other rows lead to", here.rows)


def _delete(run: StatementRun, change: RowChange) -> tuple[list[DataRequirement], dict[int, FutureRows]]:
    rows = run.rows[change.table]
    why = rows.why_unasked((), change.where)
    if why is not None:
        return [unforeseen(run, why, rows)], lost(run.rows, {change.table})
    values = {number: Value(name, source=name) for number, name in rows.names.items()}
    where = change.where.sql if change.where else "true"
    gone = rows.changed(values, f"({where})")
    after = {**run.rows, change.table: rows.changed(values, f"({where}) IS NOT TRUE")}
    found: list[DataRequirement] = []
    for number, other in run.after.items():
        for key in other.constraints.values():
            if key.kind != "f" or key.target != change.table or key.inherited or number not in after:
                continue
            if key.deletes not in _CHECKED_BY_CHILD:
                after = lost(after, {number})
                if key.deletes == "c" and _has_children(run, number):
                    found.append(unforeseen(run, "it deletes rows that lead to those of other tables", rows))
                continue
            children = after[number]
            shared = TableChange(run, change.table, after).shared(key.name, None, gone)
            told = children.why_unasked(key.columns) or gone.why_unasked(key.target_columns)
            told = told or (_DEFERRED if key.deferred else None)
            shared = (*shared[:5], told, gone)
            columns, leading = gone.named(key.target_columns), children.named(key.columns)
            found.append(ReferencedRequirement(*shared, columns, children, leading, restricts=key.deletes == "r"))
    return found, after


def _has_children(run: StatementRun, number: int) -> bool:
    return any(
        key.kind == "f" and key.target == number for other in run.after.values() for key in other.constraints.values()
    )


def _insert(run: StatementRun, change: RowChange) -> tuple[list[DataRequirement], dict[int, FutureRows]]:
    table, rows = run.after[change.table], run.rows[change.table]
    fed = frozenset(
        number for number, column in table.columns.items() if number not in change.filled and column.default
    )
    now = replace(rows, fed=rows.fed | fed, doubtful=rows.doubtful or change.conflict is not None)
    if change.updates:
        now = replace(now, unknown={**now.unknown, **dict.fromkeys(now.names, _CHANGES)})
    after = {**run.rows, change.table: now}
    here, found = TableChange(run, change.table, after), []
    for number, index in ((number, index) for number, index in table.indexes.items() if index.unique):
        key = run.printed.indexes[number]
        arbiter = change.conflict is not None and (not change.conflict or change.conflict == set(index.columns))
        if arbiter or used(index, key) & now.fed:
            continue
        keys = run.printed.inserted.get(number, ())
        before = rows.texts(*key.columns, key.predicate)
        why = before.why_unasked(index.columns, *key.columns, key.predicate)
        why = why or own_type(table, index) or ("too many rows are inserted" if keys is None else None)
        before = replace(before, as_texts=before.as_texts or labelled(table, index))
        if keys == ():
            continue
        shared = here.shared(index.name, why, before)
        predicate = key.predicate.sql if key.predicate else None
        found.append(SeedRequirement(*shared, tuple(each.sql for each in key.columns), predicate, keys or ()))
    return [*found, *_parents(run, change, after)], after


def _parents(run: StatementRun, change: RowChange, after: Mapping[int, FutureRows]) -> Iterator[DataRequirement]:
    """The rows to which inserted ones lead."""
    here = TableChange(run, change.table, after)
    for number, key in run.after[change.table].constraints.items():
        keys = run.printed.parents.get(number, ())
        if key.kind != "f" or key.target not in after or keys == ():
            continue
        target = replace(after[key.target], keys=())
        why = target.why_unasked(key.target_columns) or target.why_grown or (_DEFERRED if key.deferred else None)
        shared = here.shared(key.name, why or ("too many rows are inserted" if keys is None else None))
        columns = target.named(key.target_columns)
        yield ParentRequirement(*shared[:4], (), shared[5], target, columns, keys or ())
