"""Faults of the database's history and of its objects."""

from __future__ import annotations

from datetime import timedelta

from sandbox.faults import fault
from sandbox.plan import Plan, RecordedRow


@fault("failed-migration")
def failed_migration(plan: Plan) -> None:
    """The last migration failed three hours ago; none of its statements took effect."""
    plan.not_applied = 1
    plan.rows.append(
        RecordedRow(checksum="{checksum}", finished=False, logs="ERROR: canceling statement due to lock timeout")
    )


@fault("orphaned-migration")
def orphaned_migration(plan: Plan) -> None:
    """The database records a migration that the directory does not hold."""
    plan.rows.append(RecordedRow("20251107003337_add_process_table"))


@fault("entity-data-column-missing")
def entity_data_missing(plan: Plan) -> None:
    """The column Entity.data was dropped by hand after its migration had been applied."""
    plan.afterwards.append('ALTER TABLE "Entity" DROP COLUMN IF EXISTS "data"')


@fault("crashed-migration")
def crashed_complete(plan: Plan) -> None:
    """The worker of the last migration was killed three hours ago; the server committed its script all the same."""
    plan.last_recorded = False
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False))


@fault("crashed-migration")
def crashed_empty(plan: Plan) -> None:
    """The worker of the last migration was killed three hours ago, before its script took effect."""
    plan.not_applied = 1
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False))


@fault("half-applied-migration")
def half_applied(plan: Plan) -> None:
    """The last migration with several statements failed in their middle, and the first half was committed."""
    plan.half_applied = True
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False, logs="ERROR: connection terminated"))


@fault("failed-and-applied")
def failed_and_applied(plan: Plan) -> None:
    """The last migration is applied, and a failed row of the same name stands beside."""
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False, logs="ERROR: relation already exists"))


@fault("migration-running")
def lock_held(plan: Plan) -> None:
    """The last migration has been at work for twenty minutes: its session holds the migration lock."""
    plan.not_applied = 1
    plan.lock_held = True
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False, age=timedelta(minutes=20)))


@fault("rolled-back-unapplied")
def rolled_back_unapplied(plan: Plan) -> None:
    """The last migration failed, was marked as rolled back, and was never applied again."""
    plan.not_applied = 1
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False, rolled_back=True, logs="ERROR: lock timeout"))


@fault("pending-objects-exist")
def pending_objects_exist(plan: Plan) -> None:
    """The last migration's objects exist, and no row records it."""
    plan.last_recorded = False


@fault("duplicated-row")
def duplicated_row(plan: Plan) -> None:
    """Two rows record the last migration as applied."""
    plan.rows.append(RecordedRow(checksum="{checksum}"))


@fault("hand-written-row")
def hand_written_row(plan: Plan) -> None:
    """The last migration was run by hand and recorded by the guide's INSERT, with the checksum manual."""
    plan.last_recorded = False
    plan.rows.append(RecordedRow(checksum="manual"))


@fault("phantom-row")
def phantom_row(plan: Plan) -> None:
    """The last migration is recorded as applied, and its script never ran."""
    plan.not_applied = 1
    plan.rows.append(RecordedRow(checksum="{checksum}", logs=""))


@fault("no-history")
def no_history(plan: Plan) -> None:
    """The database has all tables and no migration history."""
    plan.afterwards.append("DROP TABLE _prisma_migrations")


@fault("no-history")
def emptied_history(plan: Plan) -> None:
    """The database has all tables, and a migration history without a row."""
    plan.afterwards.append("DELETE FROM _prisma_migrations")


@fault("history-in-another-schema")
def history_in_another_schema(plan: Plan) -> None:
    """The migration history is in another schema than the tables."""
    plan.afterwards += ["CREATE SCHEMA elsewhere", "ALTER TABLE _prisma_migrations SET SCHEMA elsewhere"]
