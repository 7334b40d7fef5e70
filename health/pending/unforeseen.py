"""Which statements do something that hangs on rows, and on which tables."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from health.pending.tables import Tables

_WRITES = {"UPDATE", "DELETE", "INSERT", "MERGE", "WITH", "COPY"}
_RUNS = {"DO", "CALL", "SELECT", "EXECUTE", "VALUES", "TABLE", "EXPLAIN"}
_FILLS = re.compile(r"CREATE\s.*?\b(?:TABLE|MATERIALIZED\s+VIEW)\b.*?\bAS\b|REFRESH\b", re.IGNORECASE | re.DOTALL)
# Not ON UPDATE CASCADE, nor FOR NO KEY UPDATE.
_BODY_WRITES = re.compile(
    r"\b(?:insert into|delete from|merge into|truncate|(?<!on )(?<!for )(?<!key )update)\b", re.IGNORECASE
)
_WORD = re.compile(r"\w+")
_READ = 100_000  # characters of a statement


@dataclass(frozen=True)
class Unforeseen:
    """What a statement does that hangs on rows.

    Attributes:
        what: in words.
        lost: the tables whose rows are not known after it.
        grown: those that may have more rows after it.
    """

    what: str
    lost: frozenset[int] = frozenset()
    grown: frozenset[int] = frozenset()


def may_hang(statement: str) -> bool:
    """Whether a statement is of a kind that reads or writes rows."""
    text = " ".join(statement[:_READ].split())
    return text.split(None, 1)[0].upper() in _WRITES | _RUNS or _FILLS.match(text) is not None


def unforeseen(
    statement: str, live: Tables, touched: Collection[int], written: Collection[int], functions: Collection[str]
) -> Unforeseen | None:
    """What a statement that was not understood does with rows; None where it has nothing to do with them.

    Args:
        statement: that has run on tables without rows.
        live: the tables whose rows are not on the clone.
        touched: those of them from which it read.
        written: those to which it wrote.
        functions: the names of the functions that are not PostgreSQL's own.
    """
    text = " ".join(statement[:_READ].split())
    words = {word.lower() for word in _WORD.findall(text)}
    first = text.split(None, 1)[0].upper() if text else ""
    calls = bool(words & set(functions)) or first in {"CALL", "EXECUTE"}
    every = frozenset(live)
    named = frozenset(number for number, table in live.items() if table.name.lower() in words)
    if first in _WRITES:
        acts = calls or any(live[number].acts for number in written if number in live)
        into = frozenset(written) & every
        only_adds = first == "INSERT" and not acts and " do update" not in text.lower()
        hangs = bool((into | frozenset(touched)) & every) or calls
        if not hangs or not every:
            return None
        return Unforeseen("it writes rows", every if acts else (frozenset() if only_adds else into), into)
    if first in _RUNS or _FILLS.match(text):
        writes = first == "DO" and _BODY_WRITES.search(text) is not None
        dynamic = first == "DO" and "execute" in words and writes
        if not every or not (touched or calls or (writes and (named or dynamic))):
            return None
        changed = every if calls or dynamic else (named | frozenset(touched)) & every if writes else frozenset()
        return Unforeseen("it runs on what the rows are", changed, changed)
    return None
