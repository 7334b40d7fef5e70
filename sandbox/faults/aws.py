"""Faults of AWS: credentials, rights, the secret, the functions' variables, clusters and security groups."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import Plan, password


@fault(unanswered="AWS does not accept the credentials (ExpiredToken)")
def expired_credentials(plan: Plan) -> None:
    """The session with AWS has expired."""
    plan.aws_modes["*"] = "expired"


@fault(unanswered="AWS denies rds:DescribeDBClusters")
def access_denied(plan: Plan) -> None:
    """The credentials may not describe the clusters."""
    plan.aws_modes["rds:DescribeDBClusters"] = "denied"


@fault(unanswered="AWS is throttling requests")
def throttled(plan: Plan) -> None:
    """AWS refuses whatever is asked, as too much was."""
    plan.aws_modes["*"] = "throttled"


@fault("database-secret-unusable")
def secret_missing(plan: Plan) -> None:
    """Secrets Manager has no secret for the database."""
    plan.secret_exists = False


@fault("database-url-password-stale")
def secret_rotated(plan: Plan) -> None:
    """The database's password was changed, there and in the secret, after the functions were deployed."""
    plan.functions_password = password()


@fault("admin-api-key-missing")
def admin_key_missing(plan: Plan) -> None:
    """The functions were deployed without the admin key."""
    plan.function_keys = False


@fault("database-url-stale")
def database_url_stale(plan: Plan) -> None:
    """The functions' DATABASE_URL leads to the cluster of another stage."""
    plan.functions_host = "{other}"


@fault("cluster-ambiguous")
def two_clusters(plan: Plan) -> None:
    """A second cluster whose identifier begins like the stage's, such as one restored from a snapshot."""
    plan.second_cluster = True


@fault("security-group-closed")
def security_group_closed(plan: Plan) -> None:
    """The rule that lets the bastion in is gone from the cluster's security group."""
    plan.bastion_admitted = False
