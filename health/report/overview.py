"""The history and the columns of Entity as the repair guide looks at them, for the record of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from health.catalog.catalog import Catalog
from health.history.history import Deployment, History
from health.history.rows import Row
from health.read_only.proof import ReadOnlyProof
from health.sanitize import one_line
from health.words import plural

_LAST = 10  # rows, as the guide shows them


def history_overview(history: History) -> dict[str, Any]:
    """How many rows there are in which state, the last ten of them, and what Prisma's own commands would answer."""
    rows = history.recorded.rows
    states = Counter(state(history, row) for row in rows)
    return {
        "rows": len(rows),
        "states": dict(states.most_common()),
        "last": [
            {
                "migration": one_line(row.migration_name),
                "state": state(history, row),
                "started_at": row.started_at.isoformat(timespec="seconds"),
                "seconds": _seconds(row),
                "steps": row.applied_steps_count,
            }
            for row in rows[-_LAST:]
        ],
        "pending": len(history.pending),
        "status_exit": history.status_exit,
        "deploy": vars(history.deployment).copy(),
    }


def entity_overview(catalog: Catalog) -> list[dict[str, Any]]:
    """The columns of Entity, in their order."""
    return [
        {"column": column.name, "type": column.type, "nullable": not column.not_null, "default": column.default}
        for column in catalog.columns
        if column.table == "Entity"
    ]


def proof_overview(
    proof: ReadOnlyProof | None, dumped: str | None, aws: Sequence[str], http: Sequence[str]
) -> dict[str, Any]:
    """What was asked of the outside, and the proof that the database was only read."""
    sessions = proof.sessions if proof is not None else ()
    return {
        "database": {
            each.server: {
                "user": each.user,
                "wrote": each.wrote,
                "write_refused": each.refused or None,
                "could_have_written": list(each.rights),
            }
            for each in sessions
        },
        "dumped": dumped,
        "aws": list(aws),
        "http": [one_line(request) for request in http],
    }


def state(history: History, row: Row) -> str:
    """What a row records, in a word or three."""
    if row.failed:
        return "running" if history.running(row) else "failed"
    if not row.in_force:
        return row.state
    if row.migration_name not in history.directory.names:
        return "orphaned"
    return "edited" if row.migration_name in history.edited_names else "applied"


def counted(overview: Mapping[str, Any]) -> str:
    """The states in a phrase: ``12 rows: 11 applied, 1 failed; 2 pending``."""
    states = ", ".join(f"{count} {name}" for name, count in overview["states"].items())
    rows = overview["rows"]
    pending = f"; {overview['pending']} pending" if overview["pending"] else ""
    return f"{rows} {plural(rows, 'row')}" + (f": {states}" if states else "") + pending


def answers(history: History) -> str:
    """What Prisma's own commands would answer, in a phrase."""
    return f"status exits {history.status_exit}, deploy {_deploys(history.deployment)}"


def _deploys(deployment: Deployment) -> str:
    number = len(deployment.applies)
    applies = f"applies {number} {plural(number, 'migration')}" if number else "applies nothing"
    if deployment.error is None:
        return applies
    return f"{f'{applies}, then ' if number else ''}stops with {deployment.error}"


def _seconds(row: Row) -> float | None:
    return round((row.finished_at - row.started_at).total_seconds(), 3) if row.finished_at is not None else None
