"""What a history of nightly runs keeps of each run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

Level = Literal["accepted", "info", "warning", "error"]  # accepted: whatever its severity, a waiver covers it

LEVELS: tuple[Level, ...] = ("accepted", "info", "warning", "error")  # the worst last


@dataclass(frozen=True)
class KeptFinding:
    """A finding of a night.

    Attributes:
        check: the id of the check that found it.
        first_seen: when the first run that found it began, ISO 8601; it survives nights without an answer.
        rows: how many rows it is about; None where it counts none.
        carried: whether its check gave no answer in this night, so that it is known from an earlier one only.
    """

    code: str
    subject: str
    check: str
    level: Level
    message: str
    first_seen: str
    rows: int | None = None
    carried: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes two findings the same one."""
        return self.code, self.subject


@dataclass(frozen=True)
class Night:
    """An environment in one run.

    Attributes:
        complete: whether every check of the suite ran; a finding of a check that then did not run is gone.
        judged: the ids of the checks that gave an answer.
        unjudged: the ids of those that gave none.
        observed: label → what was seen of the environment that is no finding, such as its endpoint.
        applied: how many migrations are applied; None where the history was not read.
        last: the names of the last ones.
    """

    environment: str
    verdict: str
    complete: bool
    judged: tuple[str, ...]
    unjudged: tuple[str, ...]
    findings: tuple[KeptFinding, ...] = ()
    observed: Mapping[str, str] = field(default_factory=dict)
    applied: int | None = None
    last: tuple[str, ...] = ()

    def number(self, level: Level) -> int:
        """How many findings are of a level."""
        return sum(finding.level == level for finding in self.findings)


@dataclass(frozen=True)
class NightlyRun:
    """A run; ``at`` is when it began, ISO 8601 with a zone, and ``version`` the tool's."""

    version: str
    at: str
    nights: tuple[Night, ...]

    @property
    def time(self) -> datetime:
        """When it began, in UTC."""
        return instant(self.at)


def instant(text: str) -> datetime:
    """Read a time of the history, in UTC.

    Raises:
        ValueError: it is no time with a zone, to the second, as ISO 8601 has it.
    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is None or time.isoformat(timespec="seconds") != text:  # Python takes any character for the T
        raise ValueError(f"no time: {text}")
    return time.astimezone(UTC)


def day(text: str) -> date:
    """Give the date of a time of the history, in UTC."""
    return instant(text).date()
