"""The rows of ``_prisma_migrations``, as one reading of the database has them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from health.prisma.engine import engine_made

RowState = Literal["failed", "applied", "rolled back"]


@dataclass(frozen=True)
class Row:
    """A row of ``_prisma_migrations``; times in UTC.

    Attributes:
        cut_from: the bytes of ``logs`` in the database where only the beginning was read; else None.
    """

    id: str
    checksum: str
    finished_at: datetime | None
    migration_name: str
    logs: str | None
    rolled_back_at: datetime | None
    started_at: datetime
    applied_steps_count: int
    cut_from: int | None = None

    @property
    def failed(self) -> bool:
        """Whether it blocks every deploy (P3009): nothing else counts, not steps and not logs."""
        return self.finished_at is None and self.rolled_back_at is None

    @property
    def in_force(self) -> bool:
        """Whether a deploy takes its migration as dealt with."""
        return self.rolled_back_at is None

    @property
    def applied(self) -> bool:
        """Whether it records a migration that ended well and was not taken back."""
        return self.in_force and not self.failed

    @property
    def engine_made(self) -> bool:
        """Whether an engine can have written its checksum."""
        return engine_made(self.checksum)

    @property
    def state(self) -> RowState:
        """What it records, in a word."""
        if not self.in_force:
            return "rolled back"
        return "failed" if self.failed else "applied"


COLUMNS = tuple(field.name for field in fields(Row) if field.name != "cut_from")  # of Prisma's table, in its order


@dataclass(frozen=True)
class LockHolder:
    """The session that holds the migration lock.

    Attributes:
        pid: of its backend.
        user: its role; None where that may not be seen.
        backend_start: when the session began; with ``pid`` it names the session for good.
        held_s: seconds since its current statement began.
    """

    pid: int
    user: str | None
    backend_start: datetime | None
    held_s: float

    def __str__(self) -> str:
        return f"pid {self.pid} of {self.user or 'an unknown user'}, for {self.held_s:.0f} s"


@dataclass(frozen=True)
class HistoryTable:
    """What one reading of the database says of its migrations.

    Attributes:
        schema: the schema that was looked in.
        table_exists: whether ``_prisma_migrations`` is there.
        rows: as the engine reads them: by start, and no other order.
        read_at: the database's clock at the reading.
        extra_columns: columns of that table that Prisma does not make.
        base_tables: the other tables that make Prisma take the schema as not empty (P3005).
        elsewhere: other schemas that hold a table of this name.
        lock_holder: who holds the migration lock, if anyone does.
        extensions: the database's extensions, each with its schema.
    """

    schema: str
    table_exists: bool
    rows: tuple[Row, ...]
    read_at: datetime
    extra_columns: tuple[str, ...] = ()
    base_tables: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    lock_holder: LockHolder | None = None
    extensions: tuple[tuple[str, str], ...] = ()
