"""What else than the rows say may have run of a migration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from health.history.history import History
from health.history.rows import HistoryTable, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.prisma.engine import checksum
from health.reconstruction.hypotheses import Ran, hypotheses, usual

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SQL = "SELECT 1; SELECT 2; SELECT 3;"


def row(state: str = "applied", steps: int = 1, digest: str = checksum(SQL)) -> Row:
    ended, back = (NOW if state == each else None for each in ("applied", "rolled back"))
    return Row(f"{state}{steps}{digest}", digest, ended, "m", None, back, NOW, steps)


@dataclass(frozen=True)
class Case:
    """The rows of a migration with three statements, and the cost of what may have run."""

    rows: tuple[Row, ...]
    usual: Ran
    costs: dict[Ran, float]


ONE, TWO = (0,), (0, 1)
CASES = {
    "no row": Case((), (), {None: 1, ONE: 2, TWO: 2}),
    "failed": Case((row("failed", 0),), (), {None: 0, ONE: 0, TWO: 0}),
    "rolled back": Case((row("rolled back", 0),), (), {None: 1, ONE: 1, TWO: 1}),
    "applied by the engine": Case((row(),), None, {(): 2, ONE: 3, TWO: 3}),
    "resolved by hand": Case((row(steps=0),), None, {(): 1, ONE: 2, TWO: 2}),
    "written by a person": Case((row(digest="manual"),), None, {(): 1, ONE: 1, TWO: 1}),
    "failed, then applied": Case((row("failed", 0), row()), None, {(): 2, ONE: 2, TWO: 2}),
    "edited since": Case((row(digest=checksum("SELECT 1;")),), None, {(): 2, ONE: 1, TWO: 1}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_contradicts_a_row_costs_what_the_row_is_worth(name: str) -> None:
    case = CASES[name]
    directory = MigrationDirectory("m", "test", (Migration("m", SQL, checksum(SQL)),))
    history = History(directory, HistoryTable("public", True, case.rows, NOW))
    assert usual(history, "m") == case.usual
    assert {each.ran: each.cost for each in hypotheses(history, "m", 3)} == case.costs


def test_of_a_long_file_no_beginnings_are_tried() -> None:
    directory = MigrationDirectory("m", "test", (Migration("m", SQL, checksum(SQL)),))
    history = History(directory, HistoryTable("public", True, (), NOW))
    assert [each.ran for each in hypotheses(history, "m", 41)] == [None]
