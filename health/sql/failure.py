"""Why PostgreSQL refused a script."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SqlFailure:
    """What PostgreSQL said to a script that it did not run to its end.

    Attributes:
        message: on one line.
        sqlstate: its code; None where the script itself, or its session, came to an end without one.
        position: of the error in the script, in characters from 1; None where PostgreSQL named none.
        detail: what PostgreSQL adds, such as what depends on an object; it may name values of rows.
        limit: whether a limit of the clone ended it, or what its server lacks: that says nothing of the environment.
    """

    message: str
    sqlstate: str | None = None
    position: int | None = None
    limit: bool = False
    detail: str = ""

    def __str__(self) -> str:
        return self.message


LEFT_OPEN = SqlFailure("it leaves a transaction open: BEGIN without COMMIT")  # the engine reports success; all is lost
