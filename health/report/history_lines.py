"""The history of nightly runs as text: a line of JSON for each run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from health.nightly.night import NightlyRun, instant
from health.report.json_values import from_json, to_json
from health.sanitize import one_line

SCHEMA = 1
TOOL = "migration-health"
_MARK = json.dumps({"tool": TOOL})[:-1]  # what each line begins with


class HistoryError(Exception):
    """A history cannot be used; the text says what it is and what to do."""


@dataclass(frozen=True)
class NightlyHistory:
    """The runs of a history, in their order, and how many of its lines were written by half."""

    runs: tuple[NightlyRun, ...] = ()
    damaged: int = 0


def to_line(run: NightlyRun) -> str:
    """Write a run as one line, without its end; all of it is ASCII."""
    values = to_json(run)
    assert isinstance(values, dict)  # noqa: S101 - a dataclass is an object
    return json.dumps({"tool": TOOL, "schema": SCHEMA, **values})


def parse(lines: Iterable[str], where: str) -> NightlyHistory:
    """Read the lines of a history.

    A line that was written by half, because a machine went down, is counted and passed over.

    Raises:
        HistoryError: a line was written by another tool, or by a newer version of this one.
    """
    runs, damaged = [], 0
    for number, line in enumerate(lines, 1):
        text = line.strip(" \t\r\n\0")  # a file system may leave zeros of what it could not write
        if not text:
            damaged += "\0" in line
            continue
        if not (text.startswith(_MARK) or _MARK.startswith(text)):
            raise HistoryError(
                f"{where}: line {number} is not of a history of {TOOL}: {one_line(text, 40)}. It is left as it is; "
                "name another."
            )
        if (run := _run(text, where)) is None:
            damaged += 1
        else:
            runs.append(run)
    return NightlyHistory(tuple(runs), damaged)


def _run(text: str, where: str) -> NightlyRun | None:
    """The run in a line; None where it is not whole."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    schema = data.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        version = one_line(str(data.get("version")), 40)
        raise HistoryError(
            f"{where}: written by {TOOL} {version}, which keeps more than this version knows (schema {schema}, known: "
            f"{SCHEMA}). Update this one, or name another history."
        )
    try:
        run = from_json(NightlyRun, data)
        whole = _fits(NightlyRun, run) and all(instant(time) for time in _times(run))
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration, OverflowError):
        return None
    return run if whole else None


def _times(run: NightlyRun) -> Iterator[str]:
    yield run.at
    yield from (finding.first_seen for night in run.nights for finding in night.findings)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(hint: Any, value: object) -> bool:
    """Tell whether a value is what its type says; a line may hold anything."""
    if is_dataclass(hint):
        hints = _hints(hint)  # type: ignore[arg-type]  # mypy takes a class for no hashable
        return isinstance(value, hint) and all(  # type: ignore[arg-type]  # a dataclass is a type
            _fits(hints[field.name], getattr(value, field.name)) for field in fields(hint)
        )
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(inner[0], each) for each in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(_fits(inner[1], each) for each in value.values())
    if inner:  # a union
        return any(_fits(each, value) for each in inner)
    return type(value) is hint


def retained(history: NightlyHistory, nights: int) -> tuple[NightlyRun, ...]:
    """Return the runs of the last nights, and of each environment its last one, whenever that was."""
    dates = sorted({run.time.date() for run in history.runs})[-nights:]
    last = {night.environment: run for run in history.runs for night in run.nights}
    keep = set(map(id, last.values()))
    return tuple(run for run in history.runs if run.time.date() in dates or id(run) in keep)
