"""Nights of made-up environments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from health.nightly.comparison import Compared, compare
from health.nightly.night import KeptFinding, Level, Night, NightlyRun

START = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
CHECKS = ("failed", "drift", "rows")


def at(night: float) -> str:
    """When the run of a night began."""
    return (START + timedelta(days=night)).isoformat(timespec="seconds")


def kept(key: str, level: Level = "error", when: float = 0, **more: Any) -> KeptFinding:
    """A finding by ``code:subject``; its code is its check's id."""
    code, _, subject = key.partition(":")
    return KeptFinding(code, subject, code, level, f"{subject} is wrong.", at(when), **more)


def night(
    number: float,
    findings: Iterable[KeptFinding | str] = (),
    name: str = "prod",
    unjudged: Iterable[str] = (),
    observed: Mapping[str, str] | None = None,
    **more: Any,
) -> NightlyRun:
    """A run of one environment."""
    found = tuple(each if isinstance(each, KeptFinding) else kept(each, when=number) for each in findings)
    lost = tuple(unjudged)
    blocked = any(each.level == "error" for each in found)
    verdict = "blocked" if blocked else "unknown" if lost else "healthy"
    judged = tuple(check for check in CHECKS if check not in lost)
    values = {"complete": True, "judged": judged, "unjudged": lost, "observed": dict(observed or {}), **more}
    return NightlyRun("1.0", at(number), (Night(name, verdict, findings=found, **values),))


class Nights:
    """A history that grows by one run after the other."""

    def __init__(self, *known: str) -> None:
        self.runs: list[NightlyRun] = []
        self.known = known

    def run(self, run: NightlyRun) -> Compared:
        """Compare a run with those before it, and keep it."""
        compared = compare(self.runs, run, self.known)
        self.runs.append(compared.run)
        return compared
