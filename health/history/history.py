"""The migration history: what the directory holds, what the table records, and what follows from both.

The verdicts are those of Prisma's schema engine, for both of its generations: :attr:`History.diagnosis`,
:attr:`History.status_exit` and :attr:`History.deployment` answer as ``diagnoseMigrationHistory``, ``migrate
status`` and ``migrate deploy`` do. What the engine is blind to stands beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from health.history.rows import HistoryTable, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.prisma.engine import PROVIDER, provider, same_checksum
from health.prisma.version import Generation

WORKER_LIMIT_S = 900  # Frigg's migration worker is ended by AWS after this time


@dataclass(frozen=True)
class Diagnosis:
    """What ``diagnoseMigrationHistory`` answers; names in the engine's order.

    Attributes:
        error: the code that it ends with in place of an answer: P3015, P3019.
        last_common: where the histories part; None also where they part at the first migration.
    """

    edited: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unapplied: tuple[str, ...] = ()
    unpersisted: tuple[str, ...] = ()
    last_common: str | None = None
    error: str | None = None

    @property
    def diverged(self) -> bool:
        """Whether each side holds migrations that the other has not."""
        return bool(self.unapplied and self.unpersisted)


@dataclass(frozen=True)
class Deployment:
    """What ``migrate deploy`` would do.

    Attributes:
        applies: the migrations that it would apply, in order.
        error: the code that it stops with: P1002, P1014, P3005, P3009, P3015, P3018, P3019, or PostgreSQL's
            where Prisma prints none; None if it ends well.
        stops_at: the migration that it stops at (P3015, P3018).
    """

    applies: tuple[str, ...] = ()
    error: str | None = None
    stops_at: str | None = None


@dataclass(frozen=True)
class History:
    """The directory held against the table.

    Attributes:
        generation: of the engine whose verdicts are wanted.
        failing: by the names of migrations that are known to fail, the code with which a deploy ends there: Prisma's,
            or PostgreSQL's where Prisma prints none.
    """

    directory: MigrationDirectory
    recorded: HistoryTable
    generation: Generation = Generation.UP_TO_7_8
    failing: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, list[Row]]:
        """All rows of each name, by their start."""
        return _by_name(self.recorded.rows)

    @cached_property
    def by_id(self) -> dict[str, Row]:
        """Each row by its id."""
        return {row.id: row for row in self.recorded.rows}

    @cached_property
    def failed(self) -> tuple[Row, ...]:
        """All rows that block a deploy, oldest first."""
        return tuple(row for row in self.recorded.rows if row.failed)

    @cached_property
    def orphaned(self) -> tuple[Row, ...]:
        """Rows that ended well, are in force, and whose migration the directory does not hold."""
        return tuple(
            row for row in self.recorded.rows if row.applied and row.migration_name not in self.directory.names
        )

    @cached_property
    def pending(self) -> tuple[Migration, ...]:
        """What a deploy would apply, in its order, were nothing failed."""
        in_force = {row.migration_name for row in self.recorded.rows if row.in_force}
        return tuple(migration for migration in self.directory.migrations if migration.name not in in_force)

    @cached_property
    def applied(self) -> dict[str, list[Row]]:
        """The rows of each name that is applied, by their start."""
        return _by_name(row for row in self.recorded.rows if row.applied)

    @property
    def applied_files(self) -> list[Migration]:
        """The migrations of the directory that are applied, in their order."""
        return [migration for migration in self.directory.migrations if migration.name in self.applied]

    @cached_property
    def seen(self) -> dict[str, list[Row]]:
        """The rows of each name that the engine's diagnosis sees: up to 7.8 also those that are rolled back."""
        if self.generation is Generation.UP_TO_7_8:
            return self.by_name
        return _by_name(row for row in self.recorded.rows if row.in_force)

    @cached_property
    def settled(self) -> dict[str, datetime]:
        """When each migration ended or was rolled back last."""
        ends: dict[str, datetime] = {}
        for row in self.recorded.rows:
            for at in filter(None, (row.finished_at, row.rolled_back_at)):
                ends[row.migration_name] = max(at, ends.get(row.migration_name, at))
        return ends

    @cached_property
    def edited_names(self) -> frozenset[str]:
        """The migrations that the engine calls edited."""
        return frozenset(self.diagnosis.edited)

    @cached_property
    def failed_by_name(self) -> dict[str, list[Row]]:
        """The failed rows of each name, without those of a migration that is running now."""
        return _by_name(row for row in self.failed if not self.running(row))

    @cached_property
    def running_by_name(self) -> dict[str, list[Row]]:
        """The rows without an end and without an error, while the migration lock is held."""
        return _by_name(row for row in self.failed if self.running(row))

    @property
    def running_s(self) -> float:
        """Seconds that the migration which holds the lock is at work, as far as can be told."""
        held = self.recorded.lock_holder.held_s if self.recorded.lock_holder else 0
        return max([held, *(self.age_s(row) for rows in self.running_by_name.values() for row in rows)])

    def applied_after(self, name: str) -> str | None:
        """The last migration of the directory that is applied, if it stands behind one of this name."""
        return self._last_applied[1] if self._places[name] < self._last_applied[0] else None

    @cached_property
    def _places(self) -> dict[str, int]:
        return {migration.name: place for place, migration in enumerate(self.directory.migrations)}

    @cached_property
    def _last_applied(self) -> tuple[int, str]:
        return max(((self._places[name], name) for name in self.applied if name in self._places), default=(-1, ""))

    def impossible_times(self, row: Row) -> str | None:
        """What no engine can have written of a row's times, in a sentence."""
        if row.finished_at is not None and row.finished_at < row.started_at:
            return f"It ends {row.finished_at:%Y-%m-%d %H:%M:%S} UTC, before its start."
        if self.age_s(row) < -WORKER_LIMIT_S:
            return f"It starts {row.started_at:%Y-%m-%d %H:%M:%S} UTC, which the database's clock has yet to reach."
        return None

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What the engine's ``diagnoseMigrationHistory`` answers."""
        if self._wrong_provider:
            return Diagnosis(error="P3019")
        seen = self.seen
        edited: list[str] = []
        unapplied: list[str] = []
        last_common = before = None
        for migration in self.directory.migrations:
            if migration.name not in seen:
                last_common = last_common if unapplied else before
                unapplied.append(migration.name)
            elif migration.sql is None:
                return Diagnosis(error="P3015")
            elif not matches(migration, seen[migration.name][0]):
                edited.append(migration.name)
            before = migration.name
        unpersisted = tuple(
            row.migration_name
            for row in self.recorded.rows
            if row.migration_name not in self.directory.names
            and (row.in_force or self.generation is Generation.UP_TO_7_8)
        )
        return Diagnosis(
            tuple(edited),
            tuple(row.migration_name for row in self.failed),
            tuple(unapplied),
            unpersisted,
            last_common if unpersisted else None,
        )

    @cached_property
    def status_exit(self) -> int:
        """The exit status of ``migrate status``."""
        diagnosis = self.diagnosis
        unwell = diagnosis.error or diagnosis.unapplied or not self.recorded.table_exists or diagnosis.failed
        return int(bool(unwell))

    @cached_property
    def deployment(self) -> Deployment:
        """What ``migrate deploy`` would do, in the order in which it looks."""
        if self._refused is not None:
            return Deployment(error=self._refused)
        applies: list[str] = []
        for migration in self.pending:
            if migration.sql is None:
                return Deployment(tuple(applies), "P3015", migration.name)
            if migration.name in self.failing:
                return Deployment(tuple(applies), self.failing[migration.name], migration.name)
            applies.append(migration.name)
        return Deployment(tuple(applies))

    def age_s(self, row: Row) -> float:
        """Seconds from a row's start to the reading, by the clocks of migrator and database."""
        return (self.recorded.read_at - row.started_at).total_seconds()

    def may_be_running(self, row: Row) -> bool:
        """Whether a failed row may be a migration still at work.

        It is while the lock is held. Without it (the lock can be switched off) it may be as long as the worker
        has time left and the engine has recorded no error.
        """
        if self.running(row):
            return True
        return row.logs is None and abs(self.age_s(row)) < WORKER_LIMIT_S

    def running(self, row: Row) -> bool:
        """Whether a failed row is taken for a migration that is running now: no error, and the lock is held."""
        return self.recorded.lock_holder is not None and row.logs is None

    @property
    def _refused(self) -> str | None:
        if self._wrong_provider:
            return "P3019"
        if self.recorded.lock_holder is not None:
            return "P1002"
        if not self.recorded.table_exists and self.recorded.base_tables:
            return "P3005"
        return "P3009" if self.failed else None

    @property
    def _wrong_provider(self) -> bool:
        lock_file = self.directory.lock_file
        return lock_file is not None and provider(lock_file) != PROVIDER


def matches(migration: Migration, row: Row) -> bool:
    """Whether the engine takes a row's checksum as that of a migration's file."""
    assert migration.sql is not None  # noqa: S101 - who has no file has no checksum
    assert migration.checksum is not None  # noqa: S101
    return same_checksum(migration.sql, migration.checksum, row.checksum)


def _by_name(rows: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.migration_name, []).append(row)
    return grouped
