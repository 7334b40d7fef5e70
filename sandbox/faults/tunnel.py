"""Faults of the way to the database: script, bastion, endpoint and login."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import OTHER, Plan

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


@fault("wrong-stage-endpoint")
def wrong_stage_endpoint(plan: Plan) -> None:
    """The tunnel script names the endpoint of another stage's cluster."""
    plan.script_endpoint = "{other}"


@fault("wrong-stage-bastion")
def wrong_stage_bastion(plan: Plan) -> None:
    """The tunnel script goes through another stage's bastion."""
    plan.script_bastion = OTHER.bastion_address


@fault("tunnel-script-absent")
def script_absent(plan: Plan) -> None:
    """The checkout has no tunnel script."""
    plan.way.script_exists = False


@fault("host-key-unknown")
def host_key_unknown(plan: Plan) -> None:
    """The file of known hosts does not hold the bastion."""
    plan.way.host_key = False


@fault("host-key-changed")
def host_key_changed(plan: Plan) -> None:
    """The file of known hosts holds another key of the bastion."""
    plan.way.host_key = None


@fault("ssh-key-refused")
def ssh_key_refused(plan: Plan) -> None:
    """The bastion does not know the SSH key."""
    plan.way.key_accepted = False


@fault("ssh-key-missing")
def ssh_key_missing(plan: Plan) -> None:
    """There is no SSH key on this machine."""
    plan.way.key_mode = None


@fault("ssh-key-permissions")
def ssh_key_readable(plan: Plan) -> None:
    """Everybody on this machine may read the SSH key."""
    plan.way.key_mode = 0o644


@fault("bastion-unreachable")
def bastion_silent(plan: Plan) -> None:
    """The bastion accepts connections and says nothing."""
    plan.way.bastion_silent = True
    plan.limits["connect_s"] = 1


@fault("database-unreachable")
def endpoint_unknown(plan: Plan) -> None:
    """The bastion does not know the name of the cluster's endpoint."""
    plan.way.endpoint_known = False


@fault("database-missing")
def database_missing(plan: Plan) -> None:
    """The registry names a database that the server does not have."""
    plan.way.database = "frigg"  # the framework's own default


@fault("too-many-connections")
def too_many_connections(plan: Plan) -> None:
    """Other sessions hold every connection that the server has."""
    plan.way.connections_left = False


@fault("database-silent")
def database_silent(plan: Plan) -> None:
    """The database server accepts connections and says nothing."""
    plan.way.database_silent = True
    plan.limits["connect_s"] = 1


@fault("database-waking")
def cluster_paused(plan: Plan) -> None:
    """The cluster was paused and does not wake up."""
    plan.way.database_silent = plan.way.may_pause = True
    plan.limits["wake_s"] = 3
