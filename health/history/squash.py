"""A squash: one file in place of several migrations, whose rows stay in the history."""

from __future__ import annotations

from dataclasses import dataclass

from health.history.history import History
from health.history.rows import Row
from health.migrations.directory import Migration

_SEVERAL = 2  # one alone was renamed or edited


@dataclass(frozen=True)
class Squash:
    """A file that makes what migrations made which the directory no longer has.

    Attributes:
        name: of the file's migration.
        rows: of the migrations that it stands for.
        recorded: whether it is recorded as applied.
    """

    name: str
    rows: tuple[Row, ...]
    recorded: bool


def squash_to_try(history: History) -> list[Migration] | None:
    """What the directory makes if its first pending migration is a squash that has not been recorded; else None."""
    if len(history.orphaned) < _SEVERAL or not history.pending:
        return None
    wanted = {*history.applied, history.pending[0].name}
    return [migration for migration in history.directory.migrations if migration.name in wanted]


def recorded_squash(history: History) -> Squash | None:
    """The directory's first migration, where it was recorded after all those that the directory lost.

    Prisma's documentation has it so: the old files are replaced by one, and ``migrate resolve --applied`` records it.
    It holds only where the schema is what the applied migrations make.
    """
    if len(history.orphaned) < _SEVERAL or not history.directory.migrations:
        return None
    first = history.directory.migrations[0].name
    rows = history.applied.get(first, ())
    last = max(row.started_at for row in history.orphaned)
    after = any(row.started_at >= last for row in rows)
    return Squash(first, history.orphaned, recorded=True) if after else None
