"""What a run says: findings, the fixes suggested for them, and what could not be found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from health.sanitize import safe_line

Severity = Literal["error", "warning", "info"]
Phase = Literal["before", "after", "nightly"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")  # worst first
PHASES: tuple[Phase, ...] = ("before", "after", "nightly")

UNANSWERED = 10  # the exit status where nothing that is known blocks, but a question could not be answered

Value = str | int | float | bool | tuple[str, ...] | None
Evidence = Mapping[str, Value]


@dataclass(frozen=True)
class Place:
    """A line of a file that a finding is about.

    Attributes:
        path: of the file; one that is not absolute is below the migrations directory.
        line: from 1; 1 also where the whole file is meant.
    """

    path: str
    line: int = 1


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in the words of its source: :attr:`shown` is what a person or a file gets.

    Attributes:
        code: what kind of thing, unique over the suite.
        subject: which one: a migration, a host, a file.
        message: sentences for a person: what was found and what follows from it.
        evidence: plain values that support the message; never a secret.
        severity: where it is another than the check states for the code; else None.
        place: where it can be seen in a file; None where it is in none.
    """

    code: str
    subject: str
    message: str
    evidence: Evidence = field(default_factory=dict)
    severity: Severity | None = None
    place: Place | None = None

    @property
    def key(self) -> str:
        """``code:subject`` as they are shown, by which a consequence names its cause."""
        return f"{self.code}:{safe_line(self.subject)}"

    @property
    def shown(self) -> Finding:
        """The same finding with texts that steer neither a terminal nor a CI runner."""
        return replace(
            self,
            subject=safe_line(self.subject),
            message=safe_line(self.message),
            evidence={key: _safe(value) for key, value in self.evidence.items()},
            place=replace(self.place, path=safe_line(self.place.path)) if self.place is not None else None,
        )


def _safe(value: Value) -> Value:
    if isinstance(value, str):
        return safe_line(value)
    return tuple(map(safe_line, value)) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class FixProof:
    """What trying a fix on a clone showed."""

    status: Literal["proven", "unproven"]
    detail: str
    seconds: float | None = None


SCRIPT, DECISION, DEPLOY = 3, 8, 50  # ranks: the tunnel script's patches, a person's decision, a deploy
NOT_REHEARSED = FixProof("unproven", "not rehearsed on a clone")


@dataclass(frozen=True)
class Fix:
    """A suggestion for one finding; it is never applied for the user.

    Attributes:
        kind: what ``body`` is; of a decision the query that lists its rows, empty where none does, as of a wait.
        title: what it does, in a few words.
        body: the SQL, patch, command line or request, printable as it stands.
        option: the letter of the guide's option that it is a form of.
        fallback: whether another fix of the same finding is to be preferred.
        undo: what reverses it, in the same kind.
        note: what it costs; where ``undo`` is None, also why there is none.
        rows: what of its effect hangs on rows, of which no copy has any; empty where nothing does.
        rank: fixes of lower rank are applied first: 1 the way in, 3 the tunnel script, 8 a person's decision, 10 the
            history, 50 the deploy, 90 what remains.
    """

    kind: Literal["sql", "patch", "command", "http", "decision", "wait"]
    title: str
    body: str
    option: Literal["A", "B", "C"] | None = None
    fallback: bool = False
    undo: str | None = None
    note: str = ""
    rows: str = ""
    rank: int = 10
    proof: FixProof = NOT_REHEARSED


@dataclass(frozen=True)
class NoFix:
    """Why there is no fix to suggest for a finding, and what to do instead."""

    reason: str


class CouldNotCheck(Exception):  # noqa: N818 - the design's word: not a fault of the program
    """A question that the outside did not answer.

    Args:
        what: what was found instead of an answer.
        where: where it was looked for.
        remedy: what to do.
        explained_by: the key of the finding that is the cause, if one is known.
    """

    def __init__(self, what: str, where: str, remedy: str, explained_by: str | None = None) -> None:
        what, where, remedy = safe_line(what), safe_line(where), safe_line(remedy)
        super().__init__(what, where, remedy, explained_by)
        self.what, self.where, self.remedy, self.explained_by = what, where, remedy, explained_by

    def __str__(self) -> str:
        return f"{self.what} ({self.where}). {self.remedy}"


class NothingToCheck(Exception):  # noqa: N818 - as above
    """The thing to be judged does not exist here, which is allowed: the check is skipped with this reason."""
