"""What is kept of a record, and the exit status that the comparison gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from health.nightly.comparison import compare
from health.nightly.night import NightlyRun
from health.report.night import drift_status, night, nightly_run
from health.report.record import EnvironmentResult, FactsOverview, Record, judge_environment
from health.report.results import CheckResult, FindingResult, WaivedBy
from tests.support.nights import at

EVERY = frozenset({"one", "two"})
GREEN, BLIND = CheckResult("two", "n2", "passed", "error", 0.0), CheckResult("two", "n2", "unknown", "error", 0.0)


def found(subject: str, severity: Any = "error", **more: Any) -> FindingResult:
    return FindingResult(code="x", subject=subject, message="It is wrong.", severity=severity, **more)


def judged(*findings: FindingResult, two: CheckResult = GREEN, outcome: Any = None) -> EnvironmentResult:
    worst: Any = "failed" if any(each.severity == "error" and not each.waived for each in findings) else "passed"
    one = CheckResult("one", "n1", outcome or worst, "error", 0.0, findings=findings)
    return judge_environment("prod", "nightly", [one, two], EVERY)


def record(environment: EnvironmentResult, number: int = 0, status: int = 0) -> Record:
    return Record("1.0", at(number), 1.0, status, (environment,))


def status(before: EnvironmentResult | None, now: EnvironmentResult, given: int, fail_on: Any = "error") -> int:
    history = [compare([], nightly_run(record(before))).run] if before is not None else list[NightlyRun]()
    drift = compare(history, nightly_run(record(now, 1)), fail_on=fail_on).drifts["prod"]
    return drift_status(given, [replace(now, drift=drift)])


A, B, WARNED, WAIVED = (
    found("a"), found("b"), found("w", "warning"), found("a", waived=WaivedBy("r", "o", "2026-12-31")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("before", "now", "given", "fail_on", "expected"),
    [
        (None, judged(A), 1, "error", 1),
        (judged(A), judged(A), 1, "error", 0),
        (judged(A), judged(A, B), 1, "error", 1),
        (judged(A, B), judged(A), 1, "error", 0),
        (judged(WAIVED), judged(A), 1, "error", 1),
        (judged(A), judged(A, WARNED), 1, "error", 0),
        (judged(A), judged(A, WARNED), 1, "warning", 1),
        (judged(), judged(two=BLIND), 10, "error", 10),
        (judged(A), judged(A, two=BLIND), 1, "error", 10),
        (judged(A), judged(A, B, two=BLIND), 1, "error", 1),
        (judged(A), judged(A), 2, "error", 2),
        (judged(A), judged(A), 3, "error", 3),
        (judged(A), replace(judged(A), sound=False), 1, "error", 1),
        (judged(A), judged(outcome="failed"), 1, "error", 1),  # a plain assert
        (judged(outcome="failed"), judged(outcome="failed"), 1, "error", 0),
    ],
)
def test_the_status_follows_what_is_new(
    before: EnvironmentResult | None, now: EnvironmentResult, given: int, fail_on: str, expected: int
) -> None:
    assert status(before, now, given, fail_on) == expected


def test_long_subjects_that_begin_alike_stay_apart() -> None:
    kept = night(judged(found("s" * 5000 + "1"), found("s" * 5000 + "2")), at(0)).findings
    assert len({finding.key for finding in kept}) == 2
    assert max(len(finding.subject) for finding in kept) <= 300


def test_a_record_of_a_night_keeps_rows_and_levels() -> None:
    environment = judged(WAIVED, found("t", "warning", evidence={"rows": 3, "keys": ("1",)}), two=BLIND)
    environment = replace(environment, overview=FactsOverview(observed={"endpoint": "e"}))
    kept = night(environment, at(0))
    assert [(finding.level, finding.rows) for finding in kept.findings] == [("accepted", None), ("warning", 3)]
    assert (kept.judged, kept.unjudged, kept.complete, kept.observed) == (("one",), ("two",), True, {"endpoint": "e"})
