"""Faults of the way to the database: script, bastion, endpoint and login."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import Plan

_STALE_ENDPOINT = "quo-integrations-local-friggauroracluster-0ldc1uster0.cluster-c0ffee.us-east-1.rds.amazonaws.com"


@fault("stale-endpoint")
def stale_endpoint(plan: Plan) -> None:
    """The tunnel script names the endpoint of a cluster that has been replaced."""
    plan.script_endpoint = _STALE_ENDPOINT


@fault("stale-bastion")
def stale_bastion(plan: Plan) -> None:
    """The tunnel script names an address that the bastion no longer has."""
    plan.script_bastion = "127.0.0.99"


@fault("instance-endpoint")
def instance_endpoint(plan: Plan) -> None:
    """The tunnel script names the endpoint of one instance in place of the cluster's writer."""
    plan.script_endpoint = "{instance}"


@fault("database-login-refused")
def wrong_password(plan: Plan) -> None:
    """The secret holds a password that the database does not accept."""
    plan.secret_password = f"{plan.database_password}-rotated"


@fault("bastion-not-running")
def bastion_stopped(plan: Plan) -> None:
    """The bastion's instance is stopped."""
    plan.bastion_running = False


@fault("database-unreachable")
def database_down(plan: Plan) -> None:
    """The database server is down; the bastion is not."""
    plan.database_running = False
