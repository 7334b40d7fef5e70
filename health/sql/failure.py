"""Why PostgreSQL refused a script."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_CANCELLED = "57"  # operator_intervention: query_canceled, admin_shutdown and their like
_NO_ROOM = "53"  # insufficient_resources: disk_full, out_of_memory, configuration_limit_exceeded and their like
_QUEUE = "NOTIFY queue"  # 54000, program_limit_exceeded, is else a fault of the statement's own
_QUOTED = re.compile(r'".*"', re.DOTALL)


@dataclass(frozen=True)
class SqlFailure:
    """What PostgreSQL said to a script that it did not run to its end.

    Attributes:
        message: on one line.
        sqlstate: its code; None where the script itself, or its session, came to an end without one.
        position: of the error in the script, in characters from 1; None where PostgreSQL named none.
        raised: whether the script itself raises and words it.
        detail: what PostgreSQL adds, such as what depends on an object; it may name values of rows.
        limit: whether a limit of the clone ended it, or what its server lacks: that says nothing of the environment.
    """

    message: str
    sqlstate: str | None = None
    position: int | None = None
    limit: bool = False
    detail: str = ""
    raised: bool = False

    def without_values(self) -> SqlFailure:
        """The same without what may be a value of a row."""
        message = self.message
        if self.raised:
            message = "the script raises an error of its own"
        elif (self.sqlstate or "").startswith("22"):  # data_exception
            message = _QUOTED.sub('"…"', message)
        return replace(self, message=message, detail="")

    def __str__(self) -> str:
        return self.message


def of_limits(sqlstate: str | None, message: str) -> bool:
    """Whether an error may come from a clone's limits, or from the end of the session."""
    return sqlstate is None or sqlstate.startswith((_CANCELLED, _NO_ROOM)) or _QUEUE in message


def of_rows(sqlstate: str | None) -> bool:
    """Whether a code is one of rows: data_exception, integrity_constraint_violation."""
    return (sqlstate or "").startswith(("22", "23"))


LEFT_OPEN = SqlFailure("it leaves a transaction open: BEGIN without COMMIT")  # the engine reports success; all is lost
