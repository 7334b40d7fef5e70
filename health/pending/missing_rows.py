"""What a copy without rows refuses for the want of them, as a person's block or a seed that looks something up."""

from __future__ import annotations

import re

from health.sql.failure import SqlFailure

_FOREIGN_KEY = "23503"
_BY_ROWS = ("21", "22", "23", "P0")  # cardinality, data, integrity, raised by PL/pgSQL
_RAISED = "P0"
_IDENTIFIER = re.compile(r'"((?:[^"]|"")+)"|([A-Za-z_\x80-\U0010ffff][\w$]*)')
_WRITES = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|ALTER\s+TABLE)\b", re.IGNORECASE)
_CALLS = re.compile(r"\s*(?:DO|CALL|SELECT)\b", re.IGNORECASE)
_READ = 100_000  # characters of a statement


def hangs_on_rows(failure: SqlFailure, statement: str, tables: frozenset[str]) -> bool:
    """Whether a failure may come from rows that the environment has and the copy has not.

    Args:
        failure: what the copy said.
        statement: to which.
        tables: the names of the environment's tables whose rows the copy has not.
    """
    state = failure.sqlstate or ""
    if not tables or not state.startswith(_BY_ROWS):
        return False
    if state == _FOREIGN_KEY:
        return True
    named = _named(statement[:_READ])
    if written := _WRITES.match(statement):
        own = next(iter(_named(statement[written.end() : _READ])), "")
        named = [name for place, name in enumerate(named) if name != own or own in named[:place]]
    raised = state.startswith(_RAISED) and _CALLS.match(statement) is not None  # by a function, which may read anything
    return raised or not tables.isdisjoint(named)


def _named(text: str) -> list[str]:
    return [quoted.replace('""', '"') or bare.lower() for quoted, bare in _IDENTIFIER.findall(text)]
