"""The comparison with the nights before as text for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from health.nightly.drift import Drift, DriftFinding, Point
from health.report.record import EnvironmentResult
from health.sanitize import markdown, one_line
from health.words import listed, plural

_SHOWN, _SHOWN_STILL, _NAMES, _SHOWN_NIGHTS = 10, 5, 6, 7
_SIGNS = {"new": "+", "gone": "-", "still there": "="}


def drift_lines(environment: EnvironmentResult, width: int = 100) -> Iterator[str]:
    """What is new, gone and still there, line by line; nothing where no history was asked for.

    Args:
        environment: an element of the record's ``environments``.
        width: columns of the terminal.
    """
    drift = environment.drift
    if drift is None:
        return

    def wrapped(text: str, indent: str = "  ") -> Iterator[str]:
        yield from textwrap.wrap(
            one_line(text, 1000), width, initial_indent=indent, subsequent_indent=indent + "  ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip

    yield from wrapped(f"{environment.name}: {counted(drift)}. {consequence(environment)}", "")
    yield from (line for text in notes(environment) for line in wrapped(text))
    for word, findings, shown in (
        ("new", drift.new, _SHOWN), ("gone", drift.gone, _SHOWN), ("still there", drift.still, _SHOWN_STILL),
    ):  # fmt: skip
        for finding in findings[:shown]:
            age = (
                "" if word == "new" and finding.was is None else f", since {finding.first_seen[:10]} ({_days(finding)})"
            )
            was = f", was {finding.was}" if finding.was else ""
            yield from wrapped(f"{_SIGNS[word]} {word}: {finding.level} {finding.code} {finding.subject}{was}{age}")
        if len(findings) > shown:
            yield f"  {_SIGNS[word]} {len(findings) - shown} more {word}: --report DIR writes all of them."
    for change in drift.changes:
        yield from wrapped(f"~ {change.what}: {change.before} -> {change.after}")
    if len(drift.trend) > 1:
        yield from wrapped(span(drift))


def counted(drift: Drift) -> str:
    """The drift in a phrase."""
    counts = f"{len(drift.new)} new, {len(drift.gone)} gone, {len(drift.still)} still there"
    return f"{counts} since {drift.since[:16].replace('T', ' ')} UTC" if drift.since else f"{counts}; the first night"


def consequence(environment: EnvironmentResult) -> str:
    """What the comparison makes of the exit status, in a sentence."""
    drift = environment.drift
    assert drift is not None  # noqa: S101 - of a run with a history
    blocking = drift.blocking
    if blocking:
        return f"{len(blocking)} new {plural(len(blocking), 'finding')} {'blocks' if len(blocking) == 1 else 'block'}."
    standing = [finding for finding in drift.still if finding.blocks(drift.fail_on)]
    if drift.unjudged or environment.verdict == "unknown":
        return "Not every check gave an answer: exit status 10."
    if standing:
        one = len(standing) == 1
        known = f"{len(standing)} known {plural(len(standing), 'finding')} still {'does' if one else 'do'}"
        return f"Nothing new blocks; {known}."
    return "Nothing new blocks."


def notes(environment: EnvironmentResult) -> Iterator[str]:
    """What a reader must know of the comparison: what it could not see."""
    drift = environment.drift
    assert drift is not None  # noqa: S101 - of a run with a history
    if drift.since is None:
        yield "No earlier night of this environment is in the history, so every finding counts as new."
    if drift.renamed_from:
        yield f"It looks like {drift.renamed_from}, which is in the history and not in the registry: was it renamed?"
    if drift.unjudged:
        whole = "" if any(check.outcome != "unknown" for check in environment.checks) else "No verdict in this night. "
        again = f" for the {_ordinal(drift.nights_unjudged)} night in a row" if drift.nights_unjudged > 1 else ""
        yield f"{whole}Could not be judged{again}: {listed(drift.unjudged, _NAMES)}."
    if drift.carried:
        number, codes = len(drift.carried), list(dict.fromkeys(finding.code for finding in drift.carried))
        are = f"{plural(number, 'finding')} of checks without an answer {'is' if number == 1 else 'are'} kept"
        yield f"{number} earlier {are}, neither there nor gone: {listed(codes, _NAMES)}."


def span(drift: Drift) -> str:
    """Which nights the trend covers, and which of them are missing."""
    first, last, missing = drift.trend[0].date, drift.trend[-1].date, drift.missing
    lost = f"; nothing ran on {listed(missing, _NAMES)}" if missing else "; none is missing"
    return f"{len(drift.trend)} {plural(len(drift.trend), 'night')}, {first} to {last}{lost}."


def drift_markdown(environment: EnvironmentResult) -> Iterator[str]:
    """The comparison as a section of Markdown; nothing where no history was asked for."""
    drift = environment.drift
    if drift is None:
        return
    yield f"\n### Nightly drift: {counted(drift)}\n"
    yield consequence(environment)
    yield from (f"\n{markdown(text)}" for text in notes(environment))
    for word, findings in (("New", drift.new), ("Gone", drift.gone), ("Still there", drift.still)):
        if findings:
            yield f"\n{word}:\n"
            yield from (f"- {_item(finding)}" for finding in findings)
    if drift.changes:
        yield "\nChanged, and no finding:\n"
        for change in drift.changes:
            yield f"- {markdown(change.what)}: {markdown(str(change.before))} → {markdown(str(change.after))}"
    yield f"\n{span(drift)}\n"
    yield from trend_table(drift.trend)


def trend_table(points: Sequence[Point], nights: int | None = None) -> Iterator[str]:
    """The trend as a table of Markdown, the latest night first."""
    yield "| night | state | errors | warnings | new | gone |\n|---|---|---:|---:|---:|---:|"
    for point in list(reversed(points))[:nights]:
        numbers = (point.errors, point.warnings, point.new, point.gone)
        cells = ["", "", "", ""] if point.state == "missing" else list(map(str, numbers))
        yield f"| {' | '.join([point.date, point.state, *cells])} |"


def _item(finding: DriftFinding) -> str:
    was = f", was {finding.was}" if finding.was else ""
    age = f", since {finding.first_seen[:10]} ({_days(finding)})" if finding.days else ""
    return f"{finding.level} {finding.code}: {markdown(finding.subject)}{was}{age}. {markdown(finding.message)}"


def _days(finding: DriftFinding) -> str:
    return f"{finding.days} {plural(finding.days, 'day')}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
