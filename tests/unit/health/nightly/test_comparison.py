"""What is new, gone and still there over many nights."""

from __future__ import annotations

from dataclasses import replace

import pytest

from health.nightly.comparison import compare
from health.nightly.drift import Change, Drift
from health.nightly.night import NightlyRun
from tests.support.nights import CHECKS, Nights, kept, night


def codes(drift: Drift) -> tuple[list[str], list[str], list[str], list[str]]:
    parts = (drift.new, drift.gone, drift.still, drift.carried)
    new, gone, still, carried = ([finding.subject for finding in part] for part in parts)
    return new, gone, still, carried


# night → what its checks find and which give no answer; → new, gone, still there, carried
FORTY = {
    **{number: ((), (), ([], [], [], [])) for number in range(10)},
    10: (["failed:a"], (), (["a"], [], [], [])),
    **{number: (["failed:a"], (), ([], [], ["a"], [])) for number in range(11, 15)},
    15: (["failed:a", "drift:b"], (), (["b"], [], ["a"], [])),
    # 16 and 17: nothing ran
    18: (["drift:b"], (), ([], ["a"], ["b"], [])),
    19: ([], CHECKS, ([], [], [], ["b"])),
    20: ([], ["drift"], ([], [], [], ["b"])),
    21: (["drift:b"], (), ([], [], ["b"], [])),
    22: (["failed:a", "drift:b"], (), (["a"], [], ["b"], [])),
    23: ([], CHECKS, ([], [], [], ["b", "a"])),
    24: (["failed:a"], ["drift"], ([], [], ["a"], ["b"])),
    25: (["failed:a"], (), ([], ["b"], ["a"], [])),
    **{number: (["failed:a"], (), ([], [], ["a"], [])) for number in range(26, 40)},
}


def forty() -> tuple[Nights, dict[int, Drift]]:
    nights, drifts = Nights("prod"), {}
    for number, (findings, unjudged, _) in FORTY.items():
        drifts[number] = nights.run(night(number, findings, unjudged=unjudged)).drifts["prod"]
    return nights, drifts


def test_forty_nights() -> None:
    nights, drifts = forty()
    assert {number: codes(drift) for number, drift in drifts.items()} == {
        number: tuple(expected) for number, (*_, expected) in FORTY.items()
    }
    last = drifts[39]
    assert (last.still[0].first_seen[:10], last.still[0].days) == ("2026-01-23", 17)
    # Over the nights without an answer its age goes on.
    assert (drifts[22].still[0].subject, drifts[22].still[0].days) == ("b", 7)
    assert [drifts[number].nights_unjudged for number in (18, 19, 20, 21)] == [0, 1, 2, 0]
    assert drifts[39].missing == ("2026-01-17", "2026-01-18")
    assert len(last.trend) == 30
    assert (last.trend[0].date, last.trend[-1].date) == ("2026-01-11", "2026-02-09")
    assert [point.state for point in drifts[25].trend[-10:]] == [
        "missing", "missing", "blocked", "unknown", "unknown", "blocked", "blocked", "unknown", "blocked", "blocked",
    ]  # fmt: skip
    assert len(nights.runs) == 38


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ("warning", "error", True),
        ("accepted", "error", True),
        ("error", "warning", False),
        ("error", "accepted", False),
    ],
)
def test_a_finding_that_gets_worse_is_new(before: str, now: str, new: bool) -> None:
    nights = Nights("prod")
    nights.run(night(0, [kept("failed:a", before)]))  # type: ignore[arg-type]
    drift = nights.run(night(3, [kept("failed:a", now, 3)])).drifts["prod"]  # type: ignore[arg-type]
    (shown,) = drift.new if new else drift.still
    assert (shown.was, shown.days, bool(drift.blocking)) == (before, 3, new)


def test_a_finding_of_a_check_that_was_not_run_is_kept_and_of_one_that_is_no_more_is_gone() -> None:
    first = night(0, ["failed:a", "old:b"])
    partial = night(1, [], complete=False, judged=("drift",))
    whole = night(1, ["failed:a"])
    assert codes(compare([first], partial).drifts["prod"]) == ([], [], [], ["a", "b"])
    assert codes(compare([first], whole).drifts["prod"]) == ([], ["b"], ["a"], [])


def test_of_two_runs_that_began_together_the_next_is_compared_with_the_later_one() -> None:
    start = [compare([], night(0, ["failed:a"]), ()).run]
    one, other = (compare(start, night(1 + late, ["failed:a"])).run for late in (0.001, 0.0))
    drift = compare([*start, one, other], night(2, ["failed:a"])).drifts["prod"]
    assert drift.since == one.at
    assert codes(drift) == ([], [], ["a"], [])
    assert [point.date for point in drift.trend] == ["2026-01-01", "2026-01-02", "2026-01-03"]


@pytest.mark.parametrize("gap", [0.7, 1.0, 1.4])
def test_a_schedule_that_drifts_by_hours_misses_no_night(gap: float) -> None:
    nights = Nights("prod")
    for number in range(12):
        drift = nights.run(night(number * gap)).drifts["prod"]
    assert drift.missing == ()


def test_a_night_is_missing_where_the_next_run_is_hours_early() -> None:
    assert compare([night(0.5)], night(2.3)).drifts["prod"].missing == ("2026-01-02",)


def test_a_year_without_a_run_is_one_trend_of_missing_nights() -> None:
    drift = compare([night(0)], night(365)).drifts["prod"]
    assert len(drift.trend) == 30
    assert len(drift.missing) == 29


def test_what_changed_and_is_no_finding() -> None:
    seen = {"endpoint": "a.rds", "bastion": "i-1", "server version": "15.4", "layer": "l, version 3"}
    before = night(0, [kept("rows:T", rows=100)], observed=seen, applied=2, last=("m1", "m2"))
    later = {**seen, "endpoint": "b.rds", "layer": "l, version 4", "new": "x"}
    now = night(1, [kept("rows:T", rows=111)], observed=later, applied=4, last=("m2", "m3", "m4"))
    assert compare([before], now).drifts["prod"].changes == (
        Change("endpoint", "a.rds", "b.rds"),
        Change("layer", "l, version 3", "l, version 4"),
        Change("migrations applied", "2", "4 (m3, m4)"),
        Change("rows of rows, T", "100", "111"),
    )


@pytest.mark.parametrize(
    ("before", "now", "told"), [(100, 109, False), (100, 110, True), (5, 14, False), (9, 0, False)]
)
def test_rows_that_differ_by_little_are_no_change(before: int, now: int, told: bool) -> None:
    findings = [[kept("rows:T", "warning", rows=number)] for number in (before, now)]
    assert bool(compare([night(0, findings[0])], night(1, findings[1])).drifts["prod"].changes) is told


def test_a_change_is_seen_across_a_night_without_an_answer() -> None:
    nights = Nights("prod")
    nights.run(night(0, observed={"endpoint": "a"}, applied=1, last=("m1",)))
    nights.run(night(1, unjudged=CHECKS))
    drift = nights.run(night(2, observed={"endpoint": "b"}, applied=2, last=("m1", "m2"))).drifts["prod"]
    assert [change.what for change in drift.changes] == ["endpoint", "migrations applied"]


@pytest.mark.parametrize(
    ("old", "new", "known", "hint"),
    [
        ({"endpoint": "a"}, {"endpoint": "a"}, ("staging",), "prod"),
        ({"endpoint": "a"}, {"endpoint": "b"}, ("staging",), "prod"),  # by its findings
        ({"endpoint": "a"}, {"endpoint": "a"}, ("staging", "prod"), None),  # it was not asked for
    ],
)
def test_a_renamed_environment_is_new_with_a_hint(
    old: dict[str, str], new: dict[str, str], known: tuple[str, ...], hint: str | None
) -> None:
    history = [compare([], night(0, ["failed:a"], observed=old)).run]
    drift = compare(history, night(1, ["failed:a"], "staging", observed=new), known).drifts["staging"]
    assert (codes(drift), drift.since, drift.renamed_from) == ((["a"], [], [], []), None, hint)


def test_a_stranger_is_no_renamed_environment() -> None:
    history = [night(0, ["failed:a"], observed={"endpoint": "a"})]
    drift = compare(history, night(1, ["failed:b"], "staging", observed={"endpoint": "b"}), ["staging"])
    assert drift.drifts["staging"].renamed_from is None


def test_environments_are_compared_with_their_own_nights() -> None:
    both = NightlyRun("1.0", night(1).at, (*night(1, ["failed:a"]).nights, *night(1, ["failed:b"], "dev").nights))
    history = [night(0, ["failed:a"]), replace(both, nights=both.nights[1:])]
    drifts = compare(history, both).drifts
    assert codes(drifts["prod"]) == ([], [], ["a"], [])
    assert codes(drifts["dev"]) == ([], [], ["b"], [])
