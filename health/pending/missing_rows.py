"""What a copy without rows refuses for the want of them, such as a block that looks for one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from health.pending.tables import Tables
from health.sql.failure import SqlFailure

_FOREIGN_KEY = "23503"
_BY_ROWS = ("21", "22", "23", "P0")  # cardinality, data, integrity, raised by PL/pgSQL
_RAISED = "P0"
_IDENTIFIER = re.compile(r'"((?:[^"]|"")+)"|([A-Za-z_\x80-\U0010ffff][\w$]*)')
_WRITES = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|ALTER\s+TABLE)\b", re.IGNORECASE)
_CALLS = re.compile(r"\s*(?:CALL|SELECT)\b", re.IGNORECASE)
_DOES = re.compile(r"\s*DO\b", re.IGNORECASE)
_HIDES = re.compile(r"\b(?:EXECUTE|(?:PERFORM|SELECT|CALL)\s+[\w.\"]+\s*\()", re.IGNORECASE)
_PARENT = re.compile(r'^insert or update on .*violates foreign key constraint "(.+)"$')
_READ = 100_000  # characters of a statement


def parents_of(*tables: Tables) -> dict[str, str]:
    """The table to which each foreign key leads, by the key's name; the later tables count."""
    known = {number: table for each in tables for number, table in each.items()}
    keys = ((table, key) for table in known.values() for key in table.constraints.values() if key.kind == "f")
    return {key.name: known[key.target].name for _, key in keys if key.target in known}


def hangs_on_rows(failure: SqlFailure, statement: str, tables: frozenset[str], parents: Mapping[str, str]) -> bool:
    """Whether a failure may come from rows that the environment has and the copy has not.

    Args:
        failure: what the copy said.
        statement: to which.
        tables: the names of the environment's tables whose rows the copy has not.
        parents: the table to which a foreign key leads, by the key's name.
    """
    state = failure.sqlstate or ""
    if not tables or not state.startswith(_BY_ROWS):
        return False
    if state == _FOREIGN_KEY:
        key = _PARENT.match(failure.message)
        return key is None or parents.get(key[1]) in {None, *tables}
    named = _named(statement[:_READ])
    if written := _WRITES.match(statement):
        own = next(iter(_named(statement[written.end() : _READ])), "")
        named = [name for place, name in enumerate(named) if name != own or own in named[:place]]
    return not tables.isdisjoint(named) or (state.startswith(_RAISED) and _reads_unseen(statement))


def _reads_unseen(statement: str) -> bool:
    """Whether a statement may read tables that it does not name: by a function, or by SQL that it makes."""
    if _DOES.match(statement):
        return _HIDES.search(statement, 0, _READ) is not None
    return _CALLS.match(statement) is not None


def _named(text: str) -> list[str]:
    return [quoted.replace('""', '"') or bare.lower() for quoted, bare in _IDENTIFIER.findall(text)]
