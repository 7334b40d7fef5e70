"""The history and the columns of Entity as the repair guide looks at them, for the record of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from health.catalog.catalog import Catalog
from health.history.history import Deployment, History
from health.history.rows import Row
from health.read_only.proof import ReadOnlyProof
from health.sanitize import one_line
from health.words import plural

_LAST = 10  # rows, as the guide shows them
_NEWEST = 20  # migrations, by their names


@dataclass(frozen=True)
class RowOverview:
    """A row of the history; ``seconds`` is None where it has no end."""

    migration: str
    state: str
    started_at: str
    seconds: float | None
    steps: int


@dataclass(frozen=True)
class MigrationState:
    """How a migration stands in an environment, and since when.

    Attributes:
        state: as of a row, or ``pending``.
        at: when it ended, began (failed, running) or was rolled back; None of a pending one.
    """

    migration: str
    state: str
    at: str | None


@dataclass(frozen=True)
class HistoryOverview:
    """The history: how many rows in which state, the last ones, and what Prisma's own commands would answer.

    Attributes:
        newest: the migrations of directory and table with the last names, last first.
    """

    rows: int
    states: Mapping[str, int]
    last: tuple[RowOverview, ...]
    pending: int
    status_exit: int
    deploy: Deployment
    newest: tuple[MigrationState, ...] = ()

    @property
    def counted(self) -> str:
        """The states in a phrase: ``12 rows: 11 applied, 1 failed; 2 pending``."""
        states = ", ".join(f"{count} {name}" for name, count in self.states.items())
        pending = f"; {self.pending} pending" if self.pending else ""
        return f"{self.rows} {plural(self.rows, 'row')}" + (f": {states}" if states else "") + pending


@dataclass(frozen=True)
class EntityColumn:
    """A column of Entity."""

    column: str
    type: str
    nullable: bool
    default: str | None


@dataclass(frozen=True)
class ServerProof:
    """What a server's sessions proved; ``write_refused`` is the SQLSTATE with which a write was refused."""

    user: str
    wrote: bool
    write_refused: str | None
    could_have_written: tuple[str, ...]


@dataclass(frozen=True)
class ProofOverview:
    """What was asked of the outside, and the proof that the database was only read.

    Attributes:
        database: by the server.
        dumped: what read the schema for a copy of it.
        aws: the operations that were called.
        http: the requests that were sent.
    """

    database: Mapping[str, ServerProof]
    dumped: str | None
    aws: tuple[str, ...]
    http: tuple[str, ...]


def history_overview(history: History) -> HistoryOverview:
    """Count the rows by their state, and take the last ten."""
    rows = history.recorded.rows
    states = Counter(state(history, row) for row in rows)
    return HistoryOverview(
        rows=len(rows),
        states=dict(states.most_common()),
        last=tuple(
            RowOverview(
                one_line(row.migration_name),
                state(history, row),
                row.started_at.isoformat(timespec="seconds"),
                _seconds(row),
                row.applied_steps_count,
            )
            for row in rows[-_LAST:]
        ),
        pending=len(history.pending),
        status_exit=history.status_exit,
        deploy=history.deployment,
        newest=newest_migrations(history),
    )


def newest_migrations(history: History) -> tuple[MigrationState, ...]:
    """Tell how the migrations with the last names stand; their names begin with the time of their making."""
    names = sorted({*history.directory.names, *history.by_name}, reverse=True)
    return tuple(_stands(history, name) for name in names[:_NEWEST])


def _stands(history: History, name: str) -> MigrationState:
    """Judge a migration by the row that counts: one that stops a deploy, else one in force, else the last."""
    rows, shown = history.by_name.get(name, []), one_line(name)
    failed, in_force = [row for row in rows if row.failed], [row for row in rows if row.in_force]
    if not failed and not in_force and (name in history.directory.names or not rows):
        return MigrationState(shown, "pending", None)
    row = (failed or in_force or rows)[-1]
    at = row.started_at if row.failed else row.finished_at if row.in_force else row.rolled_back_at
    return MigrationState(shown, state(history, row), (at or row.started_at).isoformat(timespec="seconds"))


def entity_overview(catalog: Catalog) -> tuple[EntityColumn, ...]:
    """List the columns of Entity, in their order."""
    return tuple(
        EntityColumn(column.name, column.type, not column.not_null, column.default)
        for column in catalog.columns
        if column.table == "Entity"
    )


def proof_overview(
    proof: ReadOnlyProof | None, dumped: str | None, aws: Sequence[str], http: Sequence[str]
) -> ProofOverview:
    """Gather what was asked of the outside, and the proof that the database was only read."""
    sessions = proof.sessions if proof is not None else ()
    database = {
        session.server: ServerProof(session.user, session.wrote, session.refused or None, tuple(session.rights))
        for session in sessions
    }
    return ProofOverview(database, dumped, tuple(aws), tuple(map(one_line, http)))


def state(history: History, row: Row) -> str:
    """What a row records, in a word or three."""
    if row.failed:
        return "running" if history.running(row) else "failed"
    if not row.in_force:
        return row.state
    if row.migration_name not in history.directory.names:
        return "orphaned"
    return "edited" if row.migration_name in history.edited_names else "applied"


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
