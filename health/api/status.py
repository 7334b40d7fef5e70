"""What Frigg's migration API says of the database, read from what its fields really hold.

The router runs ``prisma migrate status`` and answers 200 also where that failed; ``pendingMigrations`` is
always 0 then, and only the text of ``error`` tells one state from another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

State = Literal[
    "up-to-date", "pending", "failed", "diverged", "no-history", "refused", "unreachable", "broken", "unclear"
]
FailureKind = Literal["unreachable", "timeout", "not found", "failed", "unavailable", "unauthorized", "unclear"]
NAME = r"\d{8,}_[\w.-]+"  # of a migration, on a line of its own
BASES = ("/db-migrate", "/admin/db-migrate")  # the second since Frigg's move of all admin routes

# In the order of Prisma's own output: the first that fits decides.
_STATES: tuple[tuple[str, State], ...] = (
    (r"migrations? have failed:", "failed"),
    (r"migration history and the migrations table from your database are different", "diverged"),
    (r"database is not managed by Prisma Migrate", "no-history"),
    (r"\bP30(15|19)\b", "refused"),
    (r"\bP10(0[0-3]|10)\b|Can't reach database server|Authentication failed against", "unreachable"),
    (r"Prisma schema not found at|Could not find schema-engine|Cannot find module", "broken"),
)


@dataclass(frozen=True)
class ApiFailure:
    """Why an answer of the API is not usable, or why there was none.

    Attributes:
        message: what was answered and what that means, in sentences.
        status: of HTTP; None where there was no answer.
    """

    kind: FailureKind
    url: str
    message: str
    status: int | None = None


@dataclass(frozen=True)
class ApiStatus:
    """The answer to ``GET …/db-migrate/status``.

    Attributes:
        url: what was asked.
        state: what the answer means; None if there was no usable answer.
        names: the migrations that its text names.
        problem: why the answer is not usable.
        code: Prisma's error code in it, if there is one.
    """

    url: str
    state: State | None = None
    names: tuple[str, ...] = ()
    problem: ApiFailure | None = None
    code: str | None = None


def classify(up_to_date: bool, error: str) -> tuple[State, tuple[str, ...]]:
    """The state that an answer describes, and the migrations named in it."""
    if up_to_date:
        return "up-to-date", ()
    lines = (line.strip() for line in error.splitlines())
    names = tuple(line for line in lines if re.fullmatch(NAME, line))
    for pattern, state in _STATES:
        if re.search(pattern, error):
            return state, names
    # The CLI prints what is pending to standard output, which the API drops: only the command is left.
    return ("pending" if re.search(r"migrate status", error) else "unclear"), names


def prisma_code(error: str) -> str | None:
    """The first of Prisma's error codes in a text."""
    found = re.search(r"\bP\d{4}\b", error)
    return found[0] if found else None
