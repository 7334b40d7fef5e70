"""The history as text: what was written by half is passed over, what is another tool's is refused."""

from __future__ import annotations

import json

import pytest

from health.report.history_lines import HistoryError, NightlyHistory, parse, retained, to_line
from tests.support.nights import kept, night

RUN = night(3, [kept("failed:a \u202e\n", rows=3), kept("drift:b", "accepted")], observed={"endpoint": "a"}, applied=2)
LINE = to_line(RUN)


def test_a_run_survives_its_line() -> None:
    assert LINE.isascii()
    assert "\n" not in LINE
    assert parse([LINE, ""], "f") == NightlyHistory((RUN,))


@pytest.mark.parametrize("length", [1, 10, 27, 40, len(LINE) // 2, len(LINE) - 1])
@pytest.mark.parametrize("more", [[], [LINE]])
def test_half_a_line_is_passed_over(length: int, more: list[str]) -> None:
    assert parse([LINE, LINE[:length], *more], "f") == NightlyHistory((RUN, *[RUN for _ in more]), 1)


@pytest.mark.parametrize(
    "change",
    [
        {"at": "yesterday"},
        {"at": "2026-01-01T00:00:00"},
        {"at": "2026-01-01\x1b00:00:00+00:00"},
        {"at": 5},
        {"nights": 5},
        {"nights": [5]},
        {"nights": [{"environment": "prod"}]},
        {"nights": None},
        {"version": None},
        {"schema": "1", "nights": {}},
    ],
    ids=str,
)
def test_a_line_of_other_values_is_no_run(change: dict[str, object]) -> None:
    line = json.dumps({**json.loads(LINE), **change})
    assert parse([line, LINE], "f") == NightlyHistory((RUN,), 1)


def test_zeros_of_a_machine_that_went_down_are_passed_over() -> None:
    assert parse(["\0" * 40, f"{LINE[:20]}\0\0", LINE], "f") == NightlyHistory((RUN,), 2)


@pytest.mark.parametrize(
    "line", ['{"tool": "terraform"}', "a,b,c", "[]", '{"schema": 1}', "\ufffd\ufffd", "::error::x"]
)
@pytest.mark.parametrize("before", [[], [LINE]])
def test_the_history_of_another_tool_is_refused(line: str, before: list[str]) -> None:
    with pytest.raises(HistoryError, match=rf"f: line {len(before) + 1} is not of a history of migration-health"):
        parse([*before, line], "f")


def test_a_newer_version_is_named() -> None:
    line = json.dumps({**json.loads(LINE), "schema": 2, "version": "9.0"})
    with pytest.raises(HistoryError, match=r"migration-health 9\.0"):
        parse([line], "f")


def test_what_is_kept_is_the_last_nights_and_each_environments_last() -> None:
    runs = [night(0, name="old"), *(night(number) for number in range(5)), night(4.1)]
    history = NightlyHistory(tuple(runs))
    assert [run.at for run in retained(history, 2)] == [runs[at].at for at in (0, 4, 5, 6)]
    assert retained(history, 99) == history.runs
