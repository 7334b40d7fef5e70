"""The known ways to break the local environment: each turns it into a real case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sandbox.plan import Plan, RecordedRow

_STALE_ENDPOINT = "quo-integrations-local-friggauroracluster-0ldc1uster0.cluster-c0ffee.us-east-1.rds.amazonaws.com"


@dataclass(frozen=True)
class Fault:
    """One way to break it.

    Attributes:
        name: of the option ``--fault``.
        does: what it does, in a sentence.
        raises: the finding code that a run must show for it.
        apply: changes the plan.
    """

    name: str
    does: str
    raises: str
    apply: Callable[[Plan], None]


FAULTS: dict[str, Fault] = {}


def _fault(raises: str) -> Callable[[Callable[[Plan], None]], Callable[[Plan], None]]:
    def register(apply: Callable[[Plan], None]) -> Callable[[Plan], None]:
        name = apply.__name__.strip("_").replace("_", "-")
        FAULTS[name] = Fault(name, (apply.__doc__ or "").strip(), raises, apply)
        return apply

    return register


@_fault("failed-migration")
def _failed_migration(plan: Plan) -> None:
    """The last migration failed three hours ago; none of its statements took effect."""
    plan.not_applied = 1
    plan.rows.append(
        RecordedRow(checksum="{checksum}", finished=False, logs="ERROR: canceling statement due to lock timeout")
    )


@_fault("orphaned-migration")
def _orphaned_migration(plan: Plan) -> None:
    """The database records a migration that the directory does not hold."""
    plan.rows.append(RecordedRow("20251107003337_add_process_table"))


@_fault("pending-migration")
def _pending_migration(plan: Plan) -> None:
    """The directory holds a migration that the database has not seen."""
    plan.extra_migrations["20261101090000_add_integration_updated_index"] = (
        'CREATE INDEX "Integration_updatedAt_idx" ON "Integration"("updatedAt");\n'
    )


@_fault("entity-data-column-missing")
def _entity_data_missing(plan: Plan) -> None:
    """The column Entity.data was dropped by hand after its migration had been applied."""
    plan.afterwards.append('ALTER TABLE "Entity" DROP COLUMN IF EXISTS "data"')


@_fault("crashed-migration")
def _crashed_complete(plan: Plan) -> None:
    """The worker of the last migration was killed three hours ago; the server committed its script all the same."""
    plan.last_recorded = False
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False))


@_fault("crashed-migration")
def _crashed_empty(plan: Plan) -> None:
    """The worker of the last migration was killed three hours ago, before its script took effect."""
    plan.not_applied = 1
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False))


@_fault("half-applied-migration")
def _half_applied(plan: Plan) -> None:
    """The last migration with several statements failed in their middle, and the first half was committed."""
    plan.half_applied = True
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False, logs="ERROR: connection terminated"))


@_fault("failed-and-applied")
def _failed_and_applied(plan: Plan) -> None:
    """The last migration is applied, and a failed row of the same name stands beside."""
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False, logs="ERROR: relation already exists"))


@_fault("migration-running")
def _lock_held(plan: Plan) -> None:
    """The last migration has been at work for twenty minutes: its session holds the migration lock."""
    plan.not_applied = 1
    plan.lock_held = True
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False, age=timedelta(minutes=20)))


@_fault("rolled-back-unapplied")
def _rolled_back_unapplied(plan: Plan) -> None:
    """The last migration failed, was marked as rolled back, and was never applied again."""
    plan.not_applied = 1
    plan.rows.append(RecordedRow(checksum="{checksum}", finished=False, rolled_back=True, logs="ERROR: lock timeout"))


@_fault("out-of-order-migration")
def _out_of_order(plan: Plan) -> None:
    """The directory holds a migration that is not applied and sorts before all that are."""
    plan.extra_migrations["00000000000000_add_late_arrival"] = _table("LateArrival")


@_fault("pending-objects-exist")
def _pending_objects_exist(plan: Plan) -> None:
    """The last migration's objects exist, and no row records it."""
    plan.last_recorded = False


@_fault("edited-migration")
def _edited_migration(plan: Plan) -> None:
    """A statement was added to the last migration's file after it had been applied."""
    plan.edit = lambda text: f"{text}\n{_table('AddedLater')}"


@_fault("comment-edited-migration")
def _comment_edited(plan: Plan) -> None:
    """A comment was added to the last migration's file after it had been applied."""
    plan.edit = lambda text: f"-- Reviewed.\n{text}"


@_fault("duplicated-row")
def _duplicated_row(plan: Plan) -> None:
    """Two rows record the last migration as applied."""
    plan.rows.append(RecordedRow(checksum="{checksum}"))


@_fault("hand-written-row")
def _hand_written_row(plan: Plan) -> None:
    """The last migration was run by hand and recorded by the guide's INSERT, with the checksum manual."""
    plan.last_recorded = False
    plan.rows.append(RecordedRow(checksum="manual"))


@_fault("phantom-row")
def _phantom_row(plan: Plan) -> None:
    """The last migration is recorded as applied, and its script never ran."""
    plan.not_applied = 1
    plan.rows.append(RecordedRow(checksum="{checksum}", logs=""))


@_fault("no-migration-sql")
def _no_migration_sql(plan: Plan) -> None:
    """The directory holds a migration without its migration.sql."""
    plan.extra_migrations["99990101000000_empty"] = None


@_fault("byte-order-mark")
def _byte_order_mark(plan: Plan) -> None:
    """The file of a pending migration begins with a byte order mark."""
    plan.extra_migrations["99990101000000_byte_order_mark"] = "\ufeff" + _table("Marked")


@_fault("transaction-left-open")
def _transaction_left_open(plan: Plan) -> None:
    """The script of a pending migration begins a transaction and does not end it."""
    plan.extra_migrations["99990101000000_transaction_left_open"] = "BEGIN;\n" + _table("LeftOpen")


@_fault("wrong-provider")
def _wrong_provider(plan: Plan) -> None:
    """The lock file of the migrations names another database."""
    plan.lock_file = 'provider = "mysql"\n'


@_fault("no-history")
def _no_history(plan: Plan) -> None:
    """The database has all tables and no migration history."""
    plan.afterwards.append("DROP TABLE _prisma_migrations")


@_fault("no-history")
def _emptied_history(plan: Plan) -> None:
    """The database has all tables, and a migration history without a row."""
    plan.afterwards.append("DELETE FROM _prisma_migrations")


@_fault("history-in-another-schema")
def _history_in_another_schema(plan: Plan) -> None:
    """The migration history is in another schema than the tables."""
    plan.afterwards += ["CREATE SCHEMA elsewhere", "ALTER TABLE _prisma_migrations SET SCHEMA elsewhere"]


@_fault("stale-endpoint")
def _stale_endpoint(plan: Plan) -> None:
    """The tunnel script names the endpoint of a cluster that has been replaced."""
    plan.script_endpoint = _STALE_ENDPOINT


@_fault("stale-bastion")
def _stale_bastion(plan: Plan) -> None:
    """The tunnel script names an address that the bastion no longer has."""
    plan.script_bastion = "127.0.0.99"


@_fault("instance-endpoint")
def _instance_endpoint(plan: Plan) -> None:
    """The tunnel script names the endpoint of one instance in place of the cluster's writer."""
    plan.script_endpoint = "{instance}"


@_fault("database-login-refused")
def _wrong_password(plan: Plan) -> None:
    """The secret holds a password that the database does not accept."""
    plan.secret_password = f"{plan.database_password}-rotated"


@_fault("bastion-not-running")
def _bastion_stopped(plan: Plan) -> None:
    """The bastion's instance is stopped."""
    plan.bastion_running = False


@_fault("api-unauthorized")
def _api_unauthorized(plan: Plan) -> None:
    """The API expects another key than the auth function holds."""
    plan.api_key = f"{plan.admin_key}-other"


@_fault("database-unreachable")
def _database_down(plan: Plan) -> None:
    """The database server is down; the bastion is not."""
    plan.database_running = False


def _table(name: str) -> str:
    return f'CREATE TABLE "{name}" ("id" INTEGER PRIMARY KEY);\n'


def apply(plan: Plan, names: list[str]) -> None:
    """Put faults into a plan."""
    for name in names:
        FAULTS[name].apply(plan)
