"""Faults of the migrations directory."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import Plan


@fault("pending-migration")
def pending_migration(plan: Plan) -> None:
    """The directory holds a migration that the database has not seen."""
    plan.extra_migrations["20261101090000_add_integration_updated_index"] = (
        'CREATE INDEX "Integration_updatedAt_idx" ON "Integration"("updatedAt");\n'
    )


@fault("out-of-order-migration")
def out_of_order(plan: Plan) -> None:
    """The directory holds a migration that is not applied and sorts before all that are."""
    plan.extra_migrations["00000000000000_add_late_arrival"] = table("LateArrival")


@fault("edited-migration")
def edited_migration(plan: Plan) -> None:
    """A statement was added to the last migration's file after it had been applied."""
    plan.edit = lambda text: f"{text}\n{table('AddedLater')}"


@fault("comment-edited-migration")
def comment_edited(plan: Plan) -> None:
    """A comment was added to the last migration's file after it had been applied."""
    plan.edit = lambda text: f"-- Reviewed.\n{text}"


@fault("no-migration-sql")
def no_migration_sql(plan: Plan) -> None:
    """The directory holds a migration without its migration.sql."""
    plan.extra_migrations["99990101000000_empty"] = None


@fault("byte-order-mark")
def byte_order_mark(plan: Plan) -> None:
    """The file of a pending migration begins with a byte order mark."""
    plan.extra_migrations["99990101000000_byte_order_mark"] = "\ufeff" + table("Marked")


@fault("transaction-left-open")
def transaction_left_open(plan: Plan) -> None:
    """The script of a pending migration begins a transaction and does not end it."""
    plan.extra_migrations["99990101000000_transaction_left_open"] = "BEGIN;\n" + table("LeftOpen")


@fault("pending-migration-fails")
def pending_fails(plan: Plan) -> None:
    """A pending migration changes a table that is not there: only running it tells (P3018)."""
    plan.extra_migrations["99990101000000_fails"] = 'ALTER TABLE "Absent" ADD COLUMN "data" JSONB;\n'


@fault("pending-migration")
def pending_fails_there_only(plan: Plan) -> None:
    """A pending migration fails in this database, and on no copy of it: that a deploy fails is not foreseen."""
    plan.extra_migrations["99990101000000_fails"] = (
        "DO $$ BEGIN IF current_database() = 'postgres' THEN\n"
        '  ALTER TABLE "Absent" ADD COLUMN "data" JSONB;\nEND IF; END $$;\n'
    )


@fault("wrong-provider")
def wrong_provider(plan: Plan) -> None:
    """The lock file of the migrations names another database."""
    plan.lock_file = 'provider = "mysql"\n'


def table(name: str) -> str:
    """SQL that makes a table."""
    return f'CREATE TABLE "{name}" ("id" INTEGER PRIMARY KEY);\n'
