"""Several environments beside each other, worst first: a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from health.report.headline import WHEN, cause, counted
from health.report.order import accepted_keys
from health.report.record import EnvironmentResult, Verdict
from health.report.tables import aligned
from health.sanitize import inert, markdown, one_line

VERDICTS: tuple[Verdict, ...] = ("blocked", "unknown", "partial", "healthy")  # worst first
_HEAD = ("environment", "verdict", "errors", "warnings", "open", "cause")


def worst(environments: Sequence[EnvironmentResult]) -> list[EnvironmentResult]:
    """List the environments of which none is worse."""
    least = min((VERDICTS.index(each.verdict) for each in environments), default=0)
    return [each for each in environments if VERDICTS.index(each.verdict) == least]


def one_line_each(environments: Sequence[EnvironmentResult]) -> Iterator[str]:
    """Say of each environment its verdict, its cause, and how its checks came out."""
    for each in environments:
        first = cause(each)
        what = f"{first.rstrip('.')}; {counted(each)}" if first else counted(each)
        yield inert(f"{one_line(each.name)}: {each.verdict.upper()}  {WHEN[each.phase]}; {one_line(what, 2000)}")


def table_lines(environments: Sequence[EnvironmentResult], width: int) -> Iterator[str]:
    """The environments as a table of text, cut at the terminal's width."""
    rows = [(each.name, each.verdict.upper(), *cells) for each, cells in _rows(environments)]
    yield from (inert(cut(line, width)) for line in aligned([_HEAD, *rows]))


def table_markdown(environments: Sequence[EnvironmentResult]) -> Iterator[str]:
    """The environments as a table of Markdown."""
    yield f"| {' | '.join(_HEAD)} |"
    yield "|---" * len(_HEAD) + "|"
    for each, cells in _rows(environments):
        yield f"| {markdown(each.name)} | **{each.verdict}** | {' | '.join(map(markdown, cells))} |"


def cut(line: str, width: int) -> str:
    """A line of a table as wide as the terminal; its columns stay where they are."""
    return line if len(line) <= width else line[: max(1, width - 1)] + "…"


def _rows(environments: Sequence[EnvironmentResult]) -> Iterator[tuple[EnvironmentResult, tuple[str, ...]]]:
    for each in sorted(environments, key=lambda each: VERDICTS.index(each.verdict)):
        known = accepted_keys(each.findings)
        found = Counter(finding.severity for finding in each.findings if finding.key not in known)
        unknown = sum(check.outcome == "unknown" for check in each.checks)
        numbers = (found["error"], found["warning"], unknown)
        yield each, (*(str(number or "–") for number in numbers), one_line(cause(each) or _open(each)))


def _open(environment: EnvironmentResult) -> str:
    """Why the first question is open."""
    return next((check.reason for check in environment.checks if check.outcome == "unknown" and check.reason), "")
