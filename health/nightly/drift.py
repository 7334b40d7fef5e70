"""What a comparison with the nights before shows of an environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from health.check import blocks
from health.finding import Severity
from health.nightly.night import Level

PointState = Literal["healthy", "partial", "blocked", "unknown", "missing"]


@dataclass(frozen=True)
class DriftFinding:
    """A finding as the comparison shows it.

    Attributes:
        days: its age: days since ``first_seen``.
        was: its level in the last night, where that was another; None where it was the same, or not there.
    """

    code: str
    subject: str
    level: Level
    message: str
    first_seen: str
    days: int
    was: Level | None = None

    def blocks(self, fail_on: Severity) -> bool:
        """Whether it makes a gate fail."""
        return self.level != "accepted" and blocks(self.level, fail_on)


@dataclass(frozen=True)
class Change:
    """Something that differs from the last night and is no finding; None where it was, or is, not known."""

    what: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Point:
    """A night of the trend; numbers are 0 where it is missing."""

    date: str
    state: PointState
    errors: int = 0
    warnings: int = 0
    new: int = 0
    gone: int = 0


@dataclass(frozen=True)
class Drift:
    """How an environment differs from its last run.

    Attributes:
        since: when that began; None where this is the environment's first one, in which all findings are new.
        fail_on: from which severity on a new finding blocks.
        new: findings that were not there, or that were less severe, or accepted.
        gone: findings that are not there any more.
        still: findings of both runs.
        carried: findings of earlier runs whose checks gave no answer in this one: neither gone nor there.
        unjudged: the ids of the checks without an answer.
        nights_unjudged: for how many runs in a row, this one included, some check gave none.
        changes: what differs and is no finding.
        trend: the last 30 nights, this one last.
        renamed_from: an environment that is not in the registry any more and looks like this new one.
    """

    since: str | None
    fail_on: Severity = "error"
    new: tuple[DriftFinding, ...] = ()
    gone: tuple[DriftFinding, ...] = ()
    still: tuple[DriftFinding, ...] = ()
    carried: tuple[DriftFinding, ...] = ()
    unjudged: tuple[str, ...] = ()
    nights_unjudged: int = 0
    changes: tuple[Change, ...] = ()
    trend: tuple[Point, ...] = ()
    renamed_from: str | None = None

    @property
    def blocking(self) -> tuple[DriftFinding, ...]:
        """The new findings for which the run fails."""
        return tuple(finding for finding in self.new if finding.blocks(self.fail_on))

    @property
    def missing(self) -> tuple[str, ...]:
        """The dates of the trend on which nothing ran."""
        return tuple(point.date for point in self.trend if point.state == "missing")
