"""Faults of the schema: somebody has changed by hand what the migrations have made."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import Plan


@fault("schema-object-missing")
def column_dropped(plan: Plan) -> None:
    """A column of the table User was dropped by hand."""
    plan.afterwards.append('ALTER TABLE "User" DROP COLUMN "name"')


@fault("entity-data-column-nullable")
def column_nullable(plan: Plan) -> None:
    """Entity.data was added by hand before its migration, which then passed over it: it may be NULL."""
    plan.afterwards.append('ALTER TABLE "Entity" ALTER COLUMN "data" DROP NOT NULL, ALTER COLUMN "data" DROP DEFAULT')


@fault("constraint-not-validated")
def constraint_not_validated(plan: Plan) -> None:
    """A foreign key was made anew without a look at the rows that are there."""
    plan.afterwards.append(
        'ALTER TABLE "Token" DROP CONSTRAINT "Token_userId_fkey", ADD CONSTRAINT "Token_userId_fkey"'
        ' FOREIGN KEY ("userId") REFERENCES "User"(id) ON UPDATE CASCADE ON DELETE CASCADE NOT VALID'
    )


@fault("index-invalid")
def index_invalid(plan: Plan) -> None:
    """An index was built CONCURRENTLY, which failed in the middle."""
    plan.afterwards.append(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"User_username_appUserId_key\"'::regclass"
    )


@fault("enum-label-extra")
def enum_label_extra(plan: Plan) -> None:
    """An enum has a label that no migration adds."""
    plan.afterwards.append("ALTER TYPE \"IntegrationStatus\" ADD VALUE 'ARCHIVED'")


@fault("partitions-changed")
def partitions_changed(plan: Plan) -> None:
    """A job has made a partition that no migration makes, and dropped one that a migration makes."""
    plan.applied_migrations["20251201000000_add_event"] = (
        'CREATE TABLE "Event" ("at" DATE NOT NULL, "kind" TEXT) PARTITION BY RANGE ("at");\n'
        'CREATE INDEX "Event_kind_idx" ON "Event" ("kind");\n'
        "CREATE TABLE \"Event_1\" PARTITION OF \"Event\" FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');\n"
        "CREATE TABLE \"Event_2\" PARTITION OF \"Event\" FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');\n"
    )
    plan.afterwards += [
        "CREATE TABLE \"Event_3\" PARTITION OF \"Event\" FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')",
        'DROP TABLE "Event_1"',
    ]


@fault("sequence-behind")
def sequence_behind(plan: Plan) -> None:
    """Users were restored with their ids, and the sequence was left where it was."""
    plan.afterwards.append(
        'INSERT INTO "User" (id, type, "updatedAt") SELECT n, \'INDIVIDUAL\', now() FROM generate_series(1, 7) n'
    )


@fault(
    unanswered="what the migrations do could not be learnt: "
    "the clone's PostgreSQL 18 (embedded) lacks the extension short_id"
)
def extension_missing(plan: Plan) -> None:
    """An applied migration makes an extension that no PostgreSQL on this machine has but the environment's."""
    plan.extensions["short_id"] = (
        "CREATE FUNCTION short_id() RETURNS text LANGUAGE sql\n"
        "RETURN substr(translate(gen_random_uuid()::text, '-', ''), 1, 10);\n"
    )
    plan.applied_migrations["20251201000000_add_share_link"] = (
        'CREATE EXTENSION IF NOT EXISTS "short_id";\n\n'
        'CREATE TABLE "ShareLink" ("id" TEXT PRIMARY KEY DEFAULT short_id(), "path" TEXT NOT NULL);\n'
    )
