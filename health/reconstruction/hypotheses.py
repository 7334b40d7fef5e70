"""What may have run of a migration, and how much of that contradicts what its rows say.

A row weighs what it is worth: one that the engine wrote after the whole file ran (``applied_steps_count`` of 1) more
than one that ``migrate resolve`` or a person wrote (0, or a checksum that no engine writes). A failed row says nothing
of how far its script came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from health.history.history import History

Ran = tuple[int, ...] | None  # the statements of a file that ran, by their places; None: the whole file
NOTHING: Ran = ()
_MOST_PREFIXES = 40  # statements of a file of which each beginning is tried


@dataclass(frozen=True)
class Hypothesis:
    """That so much of a migration ran.

    Attributes:
        cost: of what it contradicts.
        counted: whether that is a row that the engine wrote after the whole file ran.
    """

    name: str
    ran: Ran
    cost: float
    counted: bool = False


def usual(history: History, name: str) -> Ran:
    """What the rows say of a migration: all of it ran, or nothing."""
    return None if name in history.applied else NOTHING


def hypotheses(history: History, name: str, statements: int) -> list[Hypothesis]:
    """What else than that may have run, the cheapest first.

    Args:
        history: the rows.
        name: of a migration of the directory.
        statements: that its file has.
    """
    parts = list(_parts(statements))
    whole, rows = history.applied.get(name, []), history.by_name.get(name, [])
    if whole:
        surely = any(row.engine_made and row.applied_steps_count > 0 for row in whole)
        # A file that was edited since holds statements that never ran, whatever the row says of the others.
        part_cost = 1.0 if name in history.edited_names else (1.0 if len(rows) > len(whole) else 2.0) + surely
        return [
            Hypothesis(name, NOTHING, 1.0 + surely, counted=surely),
            *(Hypothesis(name, part, part_cost, counted=surely) for part in parts),
        ]
    cost = 0.0 if name in history.failed_by_name else 1.0
    part_cost = cost if rows else 2.0
    return [Hypothesis(name, None, cost), *(Hypothesis(name, part, part_cost) for part in parts)]


def _parts(statements: int) -> Iterator[Ran]:
    if 1 < statements <= _MOST_PREFIXES:
        yield from (tuple(range(end)) for end in range(1, statements))


def cost_of(supposed: Iterable[Hypothesis]) -> float:
    """What several of them contradict together."""
    return sum(each.cost for each in supposed)
