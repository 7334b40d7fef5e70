"""A night of an environment, as a trend shows it."""

from __future__ import annotations

from dataclasses import dataclass

from health.report.record import Verdict


@dataclass(frozen=True)
class Night:
    """What a nightly run of an environment found, compared with the run before it.

    Attributes:
        date: of the run in UTC, ISO 8601.
        verdict: None of a night without a run.
        new: how many findings the run before did not have.
        gone: how many of that run's are there no more.
        standing: how many both have.
    """

    date: str
    verdict: Verdict | None
    new: int = 0
    gone: int = 0
    standing: int = 0
