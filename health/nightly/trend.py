"""The last 30 nights of an environment as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from health.nightly.drift import Point, PointState
from health.nightly.night import Night, day, instant

NIGHTS = 30
_A_DAY = timedelta(days=1)
_STATES: dict[str, PointState] = {"healthy": "healthy", "partial": "partial", "blocked": "blocked"}


def trend(nights: Sequence[tuple[str, Night]], length: int = NIGHTS) -> tuple[Point, ...]:
    """Sum up the last nights, those on which nothing ran between them.

    A schedule drifts by hours: a night is missing where more than a day and a half lies between two runs.

    Args:
        nights: when each run began, and what it kept; the latest last.
        length: how many nights.
    """
    points: list[Point] = []
    last: tuple[str, Night] | None = None
    for at, night in nights[-4 * length :]:  # of several runs a day the last one counts
        if last is not None:
            between = round((instant(at) - instant(last[0])) / _A_DAY) - 1
            for number in range(max(1, between - length), between + 1):
                points.append(Point((day(last[0]) + number * _A_DAY).isoformat(), "missing"))
        point = _point(at, night, last[1] if last is not None else None)
        if points and points[-1].date == point.date:
            same = points.pop()
            point = Point(
                point.date, point.state, point.errors, point.warnings, same.new + point.new, same.gone + point.gone
            )
        points.append(point)
        last = at, night
    return tuple(points[-length:])


def _point(at: str, night: Night, last: Night | None) -> Point:
    now = {finding.key for finding in night.findings}
    before = {finding.key for finding in last.findings} if last is not None else set()
    return Point(
        day(at).isoformat(), _STATES.get(night.verdict, "unknown"), night.number("error"), night.number("warning"),
        len(now - before), len(before - now),
    )  # fmt: skip
