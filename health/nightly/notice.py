"""What people are told of a night, elsewhere: only what is new, and short."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from health.nightly.drift import Drift, DriftFinding
from health.sanitize import one_line
from health.words import listed, plural

LONGEST = 3500  # characters of a message; Slack cuts at 4,000
_FINDINGS, _NAMES, _SUBJECT, _MESSAGE = 10, 6, 120, 200
_READ = 2000  # characters of a text that are looked at
# Slack has no escape for its marks, nor have those that take its messages: a space without width parts each from its
# text. A line inside a name marks nothing, and a name must survive a copy.
_MARKS = re.compile(r"[@*~`#]|(?<!\w)_|_(?!\w)|\](?=\()|:(?=//)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True)
class Notice:
    """A night of an environment.

    Attributes:
        drift: how it differs from the night before.
    """

    environment: str
    verdict: str
    drift: Drift

    @property
    def new(self) -> tuple[DriftFinding, ...]:
        """The new findings that somebody may have to act on."""
        return tuple(finding for finding in self.drift.new if finding.level in ("error", "warning"))

    @property
    def fell_silent(self) -> bool:
        """Whether it is the first night in a row in which a check gave no answer."""
        return self.drift.nights_unjudged == 1


def news(notices: Sequence[Notice]) -> list[Notice]:
    """List those that have something new."""
    return [notice for notice in notices if notice.new or notice.fell_silent]


def slack_message(notices: Sequence[Notice], link: str = "") -> str:
    """Write a message in Slack's mrkdwn; no text from outside is a mention, a link or markup in it."""
    return _message(_Slack(), notices, link)


def markdown_message(notices: Sequence[Notice], link: str = "") -> str:
    """Write a comment in GitHub's Markdown; texts from outside are code, in which nobody is mentioned."""
    return _message(_GitHub(), notices, link)


class _Slack:
    item = "• "

    def bold(self, text: str) -> str:
        return f"*{text}*"

    def safe(self, text: str, limit: int) -> str:
        marked = _MARKS.sub(lambda mark: f"{mark[0]}\u200b", one_line(text[:_READ], limit))
        return re.sub(r"[&<>]", lambda char: _ENTITIES[char[0]], marked)

    def link(self, url: str) -> str:
        return f"<{re.sub(r'[|<>]', '', one_line(url, 500))}|The run>"


class _GitHub:
    item = "- "

    def bold(self, text: str) -> str:
        return f"**{text}**"

    def safe(self, text: str, limit: int) -> str:
        line = one_line(text[:_READ], limit)
        if not line:
            return ""
        # Mentions are looked for in the page that Markdown has become, so that escaping the sign is not enough.
        fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
        return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"

    def link(self, url: str) -> str:
        return f"[The run](<{re.sub(r'[<>]', '', one_line(url, 500))}>)"


def _message(style: _Slack | _GitHub, notices: Sequence[Notice], link: str) -> str:
    told = news(notices)
    findings = sum(len(notice.new) for notice in told)
    silent = sum(notice.fell_silent for notice in told)
    parts = [f"{findings} new {plural(findings, 'finding')}"] if findings else []
    parts += [f"{silent} {plural(silent, 'environment')} could not be judged"] if silent else []
    lines = [style.bold(f"Migration health: {', '.join(parts)}")]
    end = [style.link(link)] if link else []
    left = LONGEST - sum(len(line) + 1 for line in (*lines, *end)) - 80  # for the line that says what was cut
    every = [line for notice in told for line in _lines(style, notice)]
    for number, line in enumerate(every):
        left -= len(line) + 1
        if left < 0:
            rest = len(every) - number
            lines.append(f"{rest} more {plural(rest, 'line')}: see report.json.")
            break
        lines.append(line)
    return "\n".join([*lines, *end])


def _lines(style: _Slack | _GitHub, notice: Notice) -> Iterator[str]:
    drift = notice.drift
    counts = f"{len(drift.new)} new, {len(drift.gone)} gone, {len(drift.still)} still there"
    yield f"{style.safe(notice.environment, _SUBJECT)} is {style.safe(notice.verdict, 20)}: {counts}."
    if notice.fell_silent:
        yield f"{style.item}could not be judged: {style.safe(listed(drift.unjudged, _NAMES), _MESSAGE)}"
    for finding in notice.new[:_FINDINGS]:
        was = f" (was {finding.was})" if finding.was else ""
        what = f"{finding.level} {style.safe(finding.code, _SUBJECT)} {style.safe(finding.subject, _SUBJECT)}".rstrip()
        yield f"{style.item}{what}{was}: {style.safe(finding.message, _MESSAGE)}"
    if len(notice.new) > _FINDINGS:
        yield f"{style.item}{len(notice.new) - _FINDINGS} more"
