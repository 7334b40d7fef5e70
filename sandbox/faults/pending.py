"""Faults that the next deploy meets: pending migrations that do not fit the database, or its rows."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import Plan

_USERS = """
INSERT INTO "User" ("type", "name", "updatedAt") VALUES
('INDIVIDUAL', {first}, now()), ('INDIVIDUAL', {second}, now()), ('INDIVIDUAL', 'Third', now())
"""


@fault("pending-objects-exist")
def pending_relation_exists(plan: Plan) -> None:
    """A pending migration makes a table that somebody has made by hand, with other columns."""
    plan.extra_migrations["99990101000000_add_report"] = (
        'CREATE TABLE "Report" ("id" TEXT PRIMARY KEY, "body" JSONB);\n'
    )
    plan.afterwards.append('CREATE TABLE "Report" ("id" TEXT PRIMARY KEY, "body" TEXT)')


@fault("pending-migration-fails")
def pending_enum_in_transaction(plan: Plan) -> None:
    """A pending migration adds a label to an enum and uses it in the same file (55P04)."""
    plan.extra_migrations["99990101000000_archived"] = (
        "ALTER TYPE \"IntegrationStatus\" ADD VALUE 'ARCHIVED';\n\n"
        'ALTER TABLE "Integration" ALTER COLUMN "status" SET DEFAULT \'ARCHIVED\';\n'
    )


@fault("pending-data-violates")
def pending_duplicate_rows(plan: Plan) -> None:
    """A pending migration makes a unique index over values that two rows have alike (23505)."""
    plan.extra_migrations["99990101000000_unique_name"] = 'CREATE UNIQUE INDEX "User_name_key" ON "User"("name");\n'
    plan.afterwards.append(_USERS.format(first="'Same'", second="'Same'"))


@fault("pending-data-violates")
def pending_null_rows(plan: Plan) -> None:
    """A pending migration makes a column NOT NULL in which two rows have no value (23502)."""
    plan.extra_migrations["99990101000000_name_required"] = 'ALTER TABLE "User" ALTER COLUMN "name" SET NOT NULL;\n'
    plan.afterwards.append(_USERS.format(first="NULL", second="NULL"))


@fault("pending-objects-exist")
def pending_index_missing(plan: Plan) -> None:
    """A pending migration drops an index that somebody has dropped by hand before (42704)."""
    plan.extra_migrations["99990101000000_drop_index"] = 'DROP INDEX "User_username_appUserId_key";\n'
    plan.afterwards.append('DROP INDEX "User_username_appUserId_key"')
