"""The order in which migrations ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from health.history.history import History
from health.history.rows import HistoryTable
from health.history.start_order import by_start
from tests.support.fix_cases import NOW, row
from tests.support.lineage import directory

FILES = directory({name: f"SELECT '{name}'" for name in "abcd"})


def history(*started: str, steps: int = 1, again: Sequence[str] = ()) -> History:
    """A history in which these were applied one after the other, and those once more much later."""
    rows = [
        row("applied", id=str(number), migration_name=name, started_at=NOW + number * timedelta(seconds=1))
        for number, name in enumerate((*started, *again))
    ]
    counted = tuple(replace(each, applied_steps_count=steps, checksum="0" * 64) for each in rows)
    return History(FILES, HistoryTable("public", True, counted, NOW))


@pytest.mark.parametrize(
    ("ran", "order"),
    [
        (history(), None),
        (history("a", "b", "c", "d"), None),
        (history("b", "d"), None),
        (history("a", "c", "b", "d"), "acbd"),
        (history("c", "a"), "cdab"),
        (history("d", "a", "b"), "dabc"),
        (history("b", "a"), "bcda"),
        (history("a", "b", "c", "d", again=["a"]), None),
        (history("a", "b", "c", "d", steps=0), None),
        (history("d", "c", "b", "a", steps=0), None),
    ],
)
def test_what_ran_is_ordered_by_its_start_and_the_rest_stays_behind_its_neighbour(
    ran: History, order: str | None
) -> None:
    timed = by_start(ran)
    assert (timed and "".join(each.name for each in timed.directory.migrations)) == order
