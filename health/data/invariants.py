"""Invariants of the data: one query per file, which returns the rows that offend.

A file begins with comments that say what it is about, ``key: text``, a text going on in indented comments::

    -- title: Every Entity has an object in its column data.
    -- severity: error
    -- reads: Entity
    -- why: Frigg's client reads fields of it; of an array or a string it reads none.
    -- fix: Find out what wrote such a value, then set the object that belongs there.
    SELECT id FROM "Entity" WHERE jsonb_typeof(data) <> 'object'

The query names the tables that ``reads`` names, without a schema. It selects keys only, never other values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from health.check import SeverityByPhase
from health.finding import PHASES, Finding, Severity
from health.sanitize import did_you_mean, one_line

KEYS = ("title", "severity", "reads", "why", "fix")
VIEWS = "views"  # the one key that need not be there
SAMPLES = 5
KNOWN = "known"  # what the code of rows within the baseline ends with

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEAD = re.compile(r"--\s?(?P<key>[A-Za-z_-]+):\s*(?P<text>.*)")


class InvariantError(Exception):
    """A file cannot be used; the text names file, line and remedy."""


@dataclass(frozen=True)
class Invariant:
    """One file.

    Attributes:
        id: of the check and of its finding: the file's name.
        reads: the tables that the query names; the first is what a finding is about.
        query: without the comments above it and the semicolon at its end.
        line: on which the query begins, from 1.
        file: how to name the file to a person.
        views: those of ``reads`` that are views, and are read all the same: their functions run as the suite's login.
    """

    id: str
    title: str
    severity: SeverityByPhase
    reads: tuple[str, ...]
    why: str
    fix: str
    query: str
    line: int
    file: str = ""
    views: tuple[str, ...] = ()

    @property
    def documentation(self) -> str:
        """What ``--explain`` shows."""
        return f"{self.title}\n\n{self.why}\n\nMend it so: {self.fix}"

    @property
    def finds(self) -> dict[str, SeverityByPhase]:
        """Its code with its severity, and the one of rows within the baseline."""
        known = SeverityByPhase("info", "info", "info")
        return {self.id: self.severity, f"{self.id}-{KNOWN}": known}


@dataclass(frozen=True)
class InvariantResult:
    """What the database said to a query.

    Attributes:
        count: of the offending rows.
        samples: the keys of the first few.
        absent: what is not there to be looked at, if the question does not arise here.
        problem: why there is no answer.
        remedy: what to do then.
    """

    count: int = 0
    samples: tuple[str, ...] = ()
    absent: str = ""
    problem: str = ""
    remedy: str = ""


def parse(text: str, file: str, name: str) -> Invariant:
    """The invariant in a file's text.

    Args:
        text: the file's text.
        file: how to name the file to a person.
        name: the file's name without its ending.

    Raises:
        InvariantError: the name is no id, a key is unknown, missing, empty or there twice, or there is no query.
    """
    if not _ID.fullmatch(name):
        raise InvariantError(f"{file}: its name becomes the check's id. Use small letters, digits and single dashes.")
    told, lines, end = _header(text, file)
    if missing := [key for key in KEYS if not told.get(key)]:
        raise InvariantError(f"{file}:1: no {', '.join(missing)}. Begin the file with a line -- {missing[0]}: ….")
    query = "\n".join(text.split("\n")[end:]).strip().removesuffix(";").rstrip()
    if not query:
        line = min(end, text.count("\n")) + 1
        raise InvariantError(f"{file}:{line}: no query. Write a SELECT of the offending rows' keys.")
    reads = _names(told, "reads", lines, file)
    views = _names(told, VIEWS, lines, file) if told.get(VIEWS) else ()
    if unread := set(views) - set(reads):
        raise InvariantError(f"{file}:{lines[VIEWS]}: {min(unread)} is not among `reads`. Name it there, too.")
    severity = _severity(told["severity"], f"{file}:{lines['severity']}")
    return Invariant(name, told["title"], severity, reads, told["why"], told["fix"], query, end + 1, file, views)


def _names(told: dict[str, str], key: str, lines: dict[str, int], file: str) -> tuple[str, ...]:
    names = tuple(each.strip() for each in told[key].split(","))
    if strange := [each for each in names if not _TABLE.fullmatch(each)]:
        raise InvariantError(f"{file}:{lines[key]}: {strange[0]!r} is no table. Write names with commas between.")
    return names


def _header(text: str, file: str) -> tuple[dict[str, str], dict[str, int], int]:
    """The texts by key, the line of each, and how many lines there are before the query."""
    told: dict[str, str] = {}
    lines: dict[str, int] = {}
    last, end = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.startswith("--"):
            break
        end = number
        if (found := _HEAD.fullmatch(line.rstrip())) is not None:
            last = found["key"]
            if last not in (*KEYS, VIEWS):
                hint = did_you_mean(last, (*KEYS, VIEWS), f"known: {', '.join(KEYS)}, {VIEWS}.")
                raise InvariantError(f"{file}:{number}: unknown key {last}; {hint}")
            if last in told:
                raise InvariantError(f"{file}:{number}: {last} is there twice. Keep one of the two.")
            told[last], lines[last] = found["text"], number
        elif last and line.strip("- \t"):
            told[last] += " " + line[2:].strip()
        elif line.strip("- \t"):
            raise InvariantError(f"{file}:{number}: text before the first key. Begin with a line -- title: ….")
    return {key: one_line(text, 1000) for key, text in told.items()}, lines, end


def _severity(text: str, where: str) -> SeverityByPhase:
    """One severity, or one for each phase: ``before=warning, after=error, nightly=info``."""
    parts = [part.strip().partition("=") for part in text.split(",")]
    by_phase = dict.fromkeys(PHASES, text) if "=" not in text else {phase: word for phase, _, word in parts}
    known = get_args(Severity)
    if set(by_phase) != set(PHASES) or not set(by_phase.values()) <= set(known):
        forms = f"{', '.join(known)}, or one for each phase: before=info, after=error, nightly=warning"
        raise InvariantError(f"{where}: {text!r} is no severity. Write one of {forms}.")
    return SeverityByPhase(**by_phase)  # type: ignore[arg-type]  # each was looked at


def findings(invariant: Invariant, answer: InvariantResult, baseline: int = 0) -> Iterator[Finding]:
    """Yield the finding of an invariant that rows offend.

    Args:
        invariant: what was asked.
        answer: an answer that has neither a problem nor something absent.
        baseline: how many offending rows are known and accepted.
    """
    if not answer.count:
        return
    table = invariant.reads[0]
    rows = f"{answer.count:,} {'row offends' if answer.count == 1 else 'rows offend'}"
    keys = "; ".join(answer.samples)
    more = ", …" if answer.count > len(answer.samples) else ""
    message = f"{rows} ({keys}{more}). {invariant.why}"
    if answer.count <= baseline:
        code, message = f"{invariant.id}-{KNOWN}", f"Within the baseline of {baseline:,}: {message}"
    else:
        code = invariant.id
        message = f"Above the baseline of {baseline:,}: {message}" if baseline else message
    yield Finding(code, table, message, {"rows": answer.count, "keys": answer.samples, "baseline": baseline})
