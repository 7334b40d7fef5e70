"""Whether the values of one type are values of another, and what that requires of them."""

from __future__ import annotations

import re
from dataclasses import replace

from health.pending.data_requirements import TypeRequirement
from health.pending.future_rows import FutureRows, Value
from health.pending.tables import CloneColumn
from health.sql.clauses import identifier

INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_NUMBERS = {*INTEGERS, "numeric", "real", "double precision"}
_TEXTS = {"text", "character varying"}
_VARYING = re.compile(r"character varying\((\d+)\)")
VARYING = re.compile(r"character(?: varying)?\((\d+)\)")


def free(before: CloneColumn, after: CloneColumn) -> bool:
    """Whether every value of a type is one of another type, without a word of the statement on it."""
    if before.type in INTEGERS and after.type in INTEGERS:
        return INTEGERS[after.type] >= INTEGERS[before.type]
    if before.type in _NUMBERS and after.type in {"numeric", "double precision"}:
        return True
    old, new = _VARYING.fullmatch(before.type), _VARYING.fullmatch(after.type)
    if before.type in _TEXTS or VARYING.fullmatch(before.type):
        return after.type in _TEXTS or (old is not None and new is not None and int(old[1]) <= int(new[1]))
    return False


def typed(
    shared: tuple[str, int, str, str, tuple[str, ...], str | None, FutureRows],
    value: Value,
    old: CloneColumn | None,
    column: CloneColumn,
) -> TypeRequirement:
    """What a column's type requires of values."""
    if column.labels:
        return TypeRequirement(*shared, value, column.plain, labels=column.labels, array=column.plain.endswith("[]"))
    if varying := VARYING.fullmatch(column.plain):
        return TypeRequirement(*shared, value, column.plain, longest=int(varying[1]))
    if old and value.source and old.type in INTEGERS and column.type in INTEGERS:
        return TypeRequirement(*shared, value, column.plain, below=INTEGERS[column.type])
    inner = _cast_of(value.sql or "", column.cast)
    value = replace(value, sql=inner) if inner else value
    named = value.source if value.sql is None else identifier(value.sql)
    text = (value.sql or "").endswith("::text")
    if old is not None and named == old.name:
        text = old.type in _TEXTS or VARYING.fullmatch(old.type) is not None
    return TypeRequirement(*shared, value, column.cast, text)


def _cast_of(sql: str, type_: str) -> str | None:
    """What an expression casts to a type, where it does nothing else."""
    sql = sql.removeprefix("(").removesuffix(")") if sql.startswith("((") else sql
    cast = f"::{type_}"
    if not sql.endswith(cast):
        return None
    inner = sql.removesuffix(cast)
    if not (inner.startswith("(") and inner.endswith(")")):
        return None
    inner, depth = inner[1:-1], 0
    for mark in inner:
        depth += (mark == "(") - (mark == ")")
        if depth < 0 or mark in "'\"":
            return inner if depth == 0 and re.fullmatch(r'"[^"]+"', inner) else None
    return inner
