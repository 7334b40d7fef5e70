"""A function's log: its lines of interest, and what they tell when those of one stream are read together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from health.finding import Evidence
from health.logs.patterns import KINDS, LOCK, OPENING, OPENS, PARTS, SINGLE, SQLSTATES, TERMS
from health.sanitize import short
from health.secrets.secret import hide
from health.words import listed, plural

INCOMPLETE = "incomplete"  # only a part of the log was read

_CLOCKS = timedelta(seconds=5)  # by which this machine's may be ahead of AWS's
_LONGEST = 8000  # characters of a line that are looked at
_MOST_LINES = 500  # of one event
_BLOCK = timedelta(seconds=5)  # Prisma prints a block at once, one event per line
_ECHO = timedelta(seconds=1)  # Prisma and Frigg both log the error of a request
_SHOWN = 3  # names, streams
_LONGEST_NAME = 300  # characters of a migration's
_ESCAPES = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
_LOGIN = re.compile(r"://[^\s/@]*@")
_SETTLED = "The worker failed at it earlier: the migration ended, or was rolled back,"
_BY_MIGRATION = ("migration-failed", "migration-blocked")


@dataclass(frozen=True)
class LogLine:
    """A line of interest.

    Attributes:
        stream: the log stream, which is one instance of the function: its lines are in their order.
        at: the time of its event, in UTC.
        text: without escape sequences and without what is known to be secret.
    """

    stream: str
    at: datetime
    text: str


@dataclass(frozen=True)
class Log:
    """What a function's log told in a window of time.

    Attributes:
        group: the log group.
        since: the window's start, in UTC.
        until: its end.
        lines: those of interest, in the order in which AWS gave them.
        cut: why the rest of the window was not read; empty if all of it was.
    """

    group: str
    since: datetime
    until: datetime
    lines: tuple[LogLine, ...]
    cut: str = ""


@dataclass(frozen=True)
class Occurrence:
    """One time that something went wrong, put together from the lines that tell of it.

    Attributes:
        kind: a key of ``KINDS``.
        name: the column, table, enum, host or error code that it names.
        migration: the migration that it names.
        sqlstate: PostgreSQL's error code.
        error: PostgreSQL's error text.
    """

    kind: str
    stream: str
    at: datetime
    name: str = ""
    migration: str = ""
    sqlstate: str = ""
    error: str = ""


@dataclass(frozen=True)
class LogTrouble:
    """What several lines of a log have in common.

    Attributes:
        kind: a key of ``KINDS``, or ``INCOMPLETE``.
        subject: the migration that it concerns; else the log group.
        settled: whether that migration ended or was rolled back since: the lines are context.
    """

    kind: str
    subject: str
    message: str
    evidence: Evidence = field(default_factory=dict)
    settled: bool = False


def window(now: datetime, minutes: float, triggered: datetime | None = None) -> datetime:
    """Where a log's window starts: so many minutes ago, or where a run was triggered in this very run."""
    return triggered - _CLOCKS if triggered is not None else now - timedelta(minutes=minutes)


def interesting(message: str) -> Iterator[str]:
    """The lines of interest of an event's message, harmless; of a JSON record those of its texts."""
    lines = re.split(r"\r\n|\n|\r", "\n".join(_texts(message)))
    for line in lines[:_MOST_LINES]:
        text = _ESCAPES.sub("", line[:_LONGEST])
        if any(term in text for term in TERMS):
            yield _LOGIN.sub("://***@", hide(text)).strip()


def occurrences(lines: Iterable[LogLine]) -> Iterator[Occurrence]:
    """What the lines tell, stream by stream."""
    by_stream: dict[str, list[LogLine]] = {}
    for line in lines:
        by_stream.setdefault(line.stream, []).append(line)
    for told in by_stream.values():
        last: dict[tuple[str, str], datetime] = {}
        for each in _of_stream(sorted(told, key=lambda line: line.at)):
            key = (each.kind, each.migration or each.name)
            if key not in last or each.at - last[key] > _ECHO:
                last[key] = each.at
                yield each


def troubles(log: Log, settled: Mapping[str, datetime] = MappingProxyType({})) -> Iterator[LogTrouble]:
    """Group what a log shows: one trouble for each kind, or for each kind and migration.

    Args:
        log: the lines.
        settled: when a migration ended or was rolled back last: older lines of it tell of nothing that is so now.
    """
    grouped: dict[tuple[str, str], list[Occurrence]] = {}
    for each in occurrences(log.lines):
        migration = each.migration if each.kind in _BY_MIGRATION else ""
        grouped.setdefault((each.kind, migration), []).append(each)
    for (kind, migration), group in grouped.items():
        subject, since = short(hide(migration), _LONGEST_NAME) or log.group, settled.get(migration)
        current = [each for each in group if since is None or each.at > since]
        told = current or group
        means = KINDS[kind].means if current or since is None else f"{_SETTLED} {_time(since)} UTC, after these lines."
        message = " ".join([means, *_sentences(log, told, subject)])
        yield LogTrouble(kind, subject, message, _evidence(log, told, migration), settled=not current)
    if log.cut:
        message = f"Only a part of the log since {_time(log.since)} UTC was read: {log.cut}."
        yield LogTrouble(INCOMPLETE, log.group, message)


def _of_stream(lines: Sequence[LogLine]) -> Iterator[Occurrence]:
    block: Occurrence | None = None
    for line in lines:
        if block is not None and line.at - block.at > _BLOCK:
            yield block
            block = None
        if opening := OPENING.search(line.text):
            if block is not None:
                yield block
            kind = OPENS.get(opening[1], "prisma-error")
            block = Occurrence(kind, line.stream, line.at, "" if opening[1] in OPENS else opening[1])
        elif block is not None and (filled := _filled(block, line.text)) is not None:
            block = filled
        elif (single := _single(line)) is not None:
            if block is None or block.kind != single.kind:
                yield single
            else:
                block = replace(block, name=block.name or single.name)
    if block is not None:
        yield block


def _filled(block: Occurrence, text: str) -> Occurrence | None:
    """The block with what another line of it tells; None where the line is none of a block."""
    if LOCK.search(text):
        return replace(block, kind="lock-timeout")
    for pattern in PARTS:
        if part := pattern.search(text):
            told: dict[str, Any] = {
                name: value for name, value in part.groupdict().items() if value and not getattr(block, name)
            }
            return replace(block, **told)
    return None


def _single(line: LogLine) -> Occurrence | None:
    for kind, pattern in SINGLE:
        if found := pattern.search(line.text):
            return Occurrence(kind, line.stream, line.at, found.groupdict().get("name") or "")
    return None


def _texts(message: str) -> Iterator[str]:
    """The texts in a JSON record; the message itself where it is none."""
    if not message.startswith("{"):
        yield message
        return
    try:
        record = json.loads(message)
    except (ValueError, RecursionError):
        yield message
        return
    waiting: list[Any] = [record]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += reversed(each.values())
        elif isinstance(each, list):
            waiting += reversed(each)


def _sentences(log: Log, group: Sequence[Occurrence], subject: str) -> Iterator[str]:
    names = list(dict.fromkeys(_shown(each.name) for each in group if each.name))
    if names:
        yield f"It names {listed(names, _SHOWN)}."
    errors = dict.fromkeys((each.sqlstate, _shown(each.error, 200)) for each in group if each.sqlstate or each.error)
    for sqlstate, error in list(errors)[:_SHOWN]:
        meaning = f", {SQLSTATES[sqlstate]}" if sqlstate in SQLSTATES else ""
        told = f"PostgreSQL said {sqlstate}{meaning}" if sqlstate else "PostgreSQL said"
        yield f"{told}: {error.rstrip('.')}." if error else f"{told}."
    first, last = min(each.at for each in group), max(each.at for each in group)
    count = len(group)
    times = f"once, {_time(first)} UTC" if count == 1 else f"{count} times, {_time(first)} to {_time(last)} UTC"
    streams = list(dict.fromkeys(_shown(each.stream) for each in group))
    place = f"{plural(len(streams), 'stream')} {listed(streams, _SHOWN)}" + f" of {log.group}" * (subject != log.group)
    yield f"Logged {times}, in {place}."


def _evidence(log: Log, group: Sequence[Occurrence], migration: str) -> Evidence:
    told: dict[str, str | int | tuple[str, ...]] = {
        "log_group": log.group,
        "count": len(group),
        "first_at": min(each.at for each in group).isoformat(),
        "last_at": max(each.at for each in group).isoformat(),
        "streams": tuple(dict.fromkeys(_shown(each.stream) for each in group)),
        "names": tuple(dict.fromkeys(_shown(each.name) for each in group if each.name)),
        "sqlstates": tuple(dict.fromkeys(each.sqlstate for each in group if each.sqlstate)),
    }
    return {**told, "migration": short(hide(migration), _LONGEST_NAME)} if migration else told


def _shown(text: str, limit: int = 80) -> str:
    return short(hide(text), limit)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
