"""Fixes for AWS's own state: clusters, security groups, functions and their variables."""

from __future__ import annotations

from collections.abc import Iterator

from health.aws.resources import Bastion, Cluster
from health.config.environment import Environment
from health.finding import Finding, Fix, NoFix
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix

no_fix(
    {
        ("cluster-missing", "cluster-ambiguous"): (
            "None: which cluster is the environment's is a person's decision.",
            "Set cluster_prefix of [{environment.name}] in the registry so that it fits exactly one cluster; the "
            "functions' DATABASE_URL tells which one they use. Delete none before its data is known to be elsewhere.",
        ),
        ("bastion-missing", "bastion-ambiguous"): (
            "None: which instance is the environment's bastion is a person's decision.",
            "Set bastion_address of [{environment.name}] in the registry, or name one instance with the word "
            "{environment.stage!r} in its Name. bastion_tag there tells which instances are looked at.",
        ),
        "security-group-unclear": (
            "None: nothing is known to be wrong.",
            "Nothing is known to be wrong: the check tunnel-opens tells whether the bastion is let in.",
        ),
    }
)


@fixes("cluster-not-available")
def cluster_not_available(finding: Finding, environment: Environment) -> Iterator[Fix | NoFix]:
    """Start a stopped cluster; else wait until AWS is done with it."""
    if finding.evidence["status"] != "stopped":
        yield NoFix("Wait until its status is available, then run again. The RDS console's events tell why it is not.")
        return
    yield Fix(
        "command",
        "Start the cluster",
        shell.aws(environment, "rds", "start-db-cluster", "--db-cluster-identifier", finding.subject),
        undo=shell.aws(environment, "rds", "stop-db-cluster", "--db-cluster-identifier", finding.subject),
        note="It takes some minutes.",
        rank=1,
    )


@fixes("security-group-closed")
def security_group_closed(
    finding: Finding, environment: Environment, cluster: Cluster, bastion: Bastion
) -> Iterator[Fix]:
    """Add a rule that lets the bastion's group in on the database's port."""
    words = ["--group-id", cluster.security_groups[0], "--protocol", "tcp", "--port", str(cluster.port)]
    if bastion.security_groups:
        words += ["--source-group", bastion.security_groups[0]]
    else:
        words += ["--cidr", f"{bastion.private_address}/32"]
    yield Fix(
        "command",
        f"Let {bastion.name} in on port {cluster.port}",
        shell.aws(environment, "ec2", "authorize-security-group-ingress", *words),
        undo=shell.aws(environment, "ec2", "revoke-security-group-ingress", *words),
        note="A rebuilt stack loses a rule that its template does not have.",
        rank=1,
    )


@fixes("function-missing")
def function_missing(finding: Finding, environment: Environment) -> Iterator[Fix | NoFix]:
    """Deploy, unless the registry names the function wrongly."""
    purpose = finding.evidence["purpose"]
    yield shell.deployment(environment)
    yield NoFix(f"Where it has another name, write that as functions.{purpose} of [{environment.name}].")


@fixes("function-variable-missing", "database-url-password-stale", "database-url-stale", "database-host-stale")
def variables_of_the_last_deploy(finding: Finding, environment: Environment) -> Iterator[Fix]:
    """Deploy: a function's variables are those of its last deploy."""
    yield shell.deployment(environment)
