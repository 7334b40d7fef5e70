"""The migration history: what the directory holds, what the table records, and what follows from both.

The rules are those of Prisma's schema engine, not of its command line: a row is failed when it has neither
an end nor a rollback; a directory is pending when no row of its name is in force (not rolled back).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property

TABLE = "_prisma_migrations"
MIGRATE_LOCK = 72707369  # the advisory lock that Prisma's engine holds while it migrates
WORKER_LIMIT_S = 900  # Frigg's migration worker is ended by AWS after this time

# ICU's root collation for ASCII, which the CLI's localeCompare uses to order the directory.
_ASCII_ORDER = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"


@dataclass(frozen=True)
class Migration:
    """One directory of migrations; ``sql`` is None where it holds no readable ``migration.sql``."""

    name: str
    sql: str | None
    checksum: str | None


@dataclass(frozen=True)
class MigrationDirectory:
    """The migrations on disk, in the order in which Prisma applies them."""

    path: str
    source: str
    migrations: tuple[Migration, ...]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all migrations."""
        return frozenset(migration.name for migration in self.migrations)


@dataclass(frozen=True)
class Row:
    """A row of ``_prisma_migrations``; times in UTC."""

    id: str
    checksum: str
    finished_at: datetime | None
    migration_name: str
    logs: str | None
    rolled_back_at: datetime | None
    started_at: datetime
    applied_steps_count: int

    @property
    def failed(self) -> bool:
        """Whether it blocks every deploy (P3009): nothing else counts, not steps and not logs."""
        return self.finished_at is None and self.rolled_back_at is None

    @property
    def in_force(self) -> bool:
        """Whether a deploy takes its migration as dealt with."""
        return self.rolled_back_at is None


COLUMNS = tuple(field.name for field in fields(Row))  # of Prisma's table, in its order


@dataclass(frozen=True)
class Recorded:
    """What one reading of the database says of its migrations.

    Attributes:
        schema: the schema that was looked in.
        table_exists: whether ``_prisma_migrations`` is there.
        extra_columns: columns of that table that Prisma does not make.
        lock_holder: what holds the migration lock, if anything does, in a few words.
        read_at: the database's clock at the reading.
    """

    schema: str
    table_exists: bool
    rows: tuple[Row, ...]
    read_at: datetime
    extra_columns: tuple[str, ...] = ()
    lock_holder: str | None = None


@dataclass(frozen=True)
class History:
    """The directory held against the table."""

    directory: MigrationDirectory
    recorded: Recorded

    @cached_property
    def failed(self) -> tuple[Row, ...]:
        """All rows that block a deploy, oldest first."""
        return tuple(row for row in self.recorded.rows if row.failed)

    @cached_property
    def orphaned(self) -> tuple[Row, ...]:
        """Rows in force that ended well and whose migration the directory does not hold."""
        return tuple(
            row
            for row in self.recorded.rows
            if row.in_force and not row.failed and row.migration_name not in self.directory.names
        )

    @cached_property
    def pending(self) -> tuple[Migration, ...]:
        """What a deploy would apply, in its order, were nothing failed."""
        in_force = {row.migration_name for row in self.recorded.rows if row.in_force}
        return tuple(migration for migration in self.directory.migrations if migration.name not in in_force)

    def age_s(self, row: Row) -> float:
        """Seconds from a row's start to the reading, by the clocks of migrator and database."""
        return (self.recorded.read_at - row.started_at).total_seconds()

    def may_be_running(self, row: Row) -> bool:
        """Whether a failed row may be a migration still at work: the lock is held, or the worker has time left."""
        return self.recorded.lock_holder is not None or self.age_s(row) < WORKER_LIMIT_S


def checksum(data: bytes) -> str:
    """Prisma's checksum of a file: SHA-256 of its text, where bytes that are not UTF-8 become U+FFFD."""
    return hashlib.sha256(data.decode("utf-8", errors="replace").encode()).hexdigest()


def directory_order(name: str) -> tuple[list[tuple[int, str]], list[bool]]:
    """The sort key of a migration's name in the CLI's order; beyond ASCII it is an approximation."""
    primary = []
    for char in name:
        place = _ASCII_ORDER.find(char)
        primary.append((place, "") if place >= 0 else (len(_ASCII_ORDER), char.lower()))
    return primary, [char.isupper() for char in name]
