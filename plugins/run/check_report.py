"""What a check's report carries; between the processes of ``-n`` it travels as JSON."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

from health.report.json_values import from_json, to_json
from health.report.record import FactsOverview
from health.report.results import CheckResult, RehearsalOutcome


@dataclass(frozen=True)
class CheckReport:
    """A check's result, with what became known of its target by then.

    Attributes:
        target: the name of the target, as the node id has it.
        overview: what the facts show; only where no earlier report has it.
        rehearsal: what came of trying all fixes; only on the last report of a target.
    """

    target: str
    check: CheckResult
    overview: FactsOverview | None = None
    rehearsal: RehearsalOutcome | None = None


def report_on(report: object) -> CheckReport | None:
    """Return what a report of pytest's carries; None if it is not a check's."""
    carried: CheckReport | None = getattr(report, "health", None)
    return carried


def result_on(report: object) -> CheckResult | None:
    """Return the check's result on a report of pytest's."""
    carried = report_on(report)
    return carried.check if carried is not None else None


# Innermost: what plugins.redaction sees is JSON.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """Send what a report carries as JSON."""
    data = yield
    if data is not None and isinstance(carried := data.get("health"), CheckReport):
        data["health"] = to_json(carried)
    return data


@pytest.hookimpl(wrapper=True)
def pytest_report_from_serializable() -> Generator[None, object, object]:
    """Read it back."""
    report = yield
    if isinstance(data := getattr(report, "health", None), dict):
        report.health = from_json(CheckReport, data)  # type: ignore[attr-defined]  # a place of ours on it
    return report
