"""What a person sees while a migration runs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from health.config.environment import Environment, Limits
from health.runs.triggered import MigrationRun, RunState
from plugins.output import progress
from plugins.output.progress import Progress

SENT = MigrationRun("https://api/db-migrate", "qa", datetime(2026, 1, 1, tzinfo=UTC))
STATES: tuple[RunState, ...] = ("INITIALIZING", "RUNNING", "RUNNING", "COMPLETED")
RUNS = [SENT, *(replace(SENT, id="42", state=state, seconds=2.0 * number) for number, state in enumerate(STATES, 1))]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, runs: Sequence[MigrationRun]) -> str:
    with Progress(Environment("qa", "qa", limits=Limits(migration_s=16)), stream) as told:
        for run in runs:
            told.show(run)
    return stream.getvalue()


def test_a_log_gets_a_line_for_each_change() -> None:
    assert shown(io.StringIO(), RUNS).splitlines() == [
        "qa: migration asked for (0 s)",
        "qa: migration 42 INITIALIZING (2 s)",
        "qa: migration 42 RUNNING (4 s)",
        "qa: migration 42 COMPLETED (8 s)",
    ]


def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_EVERY_S", 0)
    assert len(shown(io.StringIO(), RUNS).splitlines()) == len(RUNS)


def test_a_terminal_gets_one_line_that_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = shown(Terminal(), RUNS)
    assert text.count("\n") == 1
    assert text.endswith("\r\x1b[Kqa: migration 42 COMPLETED (8 s) [############------------]\n")


def test_the_line_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert {len(line) < 40 for line in shown(Terminal(), RUNS).rstrip("\n").split("\r\x1b[K")} == {True}
