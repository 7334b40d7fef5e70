"""The known ways to break the local environment: each turns it into a real case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
        RecordedRow("{last}", "{checksum}", finished=False, logs="ERROR: canceling statement due to lock timeout")
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


def apply(plan: Plan, names: list[str]) -> None:
    """Put faults into a plan."""
    for name in names:
        FAULTS[name].apply(plan)
