"""The database's cluster: there is one, it is available, and it lets the bastion in."""

from collections.abc import Iterator

from health.aws.resources import Bastion, Cluster, cluster_problem
from health.aws.security_groups import SecurityGroup, admission
from health.check import check
from health.config.environment import Environment
from health.finding import Finding

# A backup runs every day, and the cluster serves meanwhile.
_SERVING = ("available", "backing-up")


@check(finds={"cluster-missing": "error", "cluster-ambiguous": "error"})
def test_one_cluster(clusters: tuple[Cluster, ...], environment: Environment) -> Iterator[Finding]:
    """Exactly one cluster is the environment's.

    CloudFormation makes up the last part of its identifier, so it is known by the registry's `cluster_prefix`.
    After a restore or a replacement there may be two, and nobody can tell from outside which one the functions
    use: the first is never taken.

    Mend it by a `cluster_prefix` that fits one only, or delete the cluster that is not in use.
    """
    problem = cluster_problem(clusters, environment.cluster_prefix)
    if problem is not None:
        yield problem


@check(finds={"cluster-not-available": "error"})
def test_cluster_available(cluster: Cluster) -> Iterator[Finding]:
    """The cluster's status is `available`.

    A stopped cluster answers nobody, and one that is being modified, upgraded or failed over may end a migration
    in the middle. A backup disturbs nothing.

    Mend it by starting the cluster, or wait until AWS is done with it.
    """
    if cluster.status not in _SERVING:
        yield Finding(
            "cluster-not-available",
            cluster.identifier,
            f"The cluster {cluster.identifier} is {cluster.status or 'without a status'}, not available.",
            {"status": cluster.status},
        )


@check(finds={"security-group-closed": "error", "security-group-unclear": "info"})
def test_security_group(
    security_groups: tuple[SecurityGroup, ...], cluster: Cluster, bastion: Bastion
) -> Iterator[Finding]:
    """A security group of the cluster lets the bastion in on the database's port.

    Frigg's own rule lets in only what is in the same group; the bastion's is added by hand, so a rebuilt stack has
    lost it. A rule counts that names one of the bastion's groups, or a range with its private address: inside the
    VPC it does not come from its public one. What a prefix list holds is not known here.

    Mend it by the command: it adds a rule for the bastion's group.
    """
    told = admission(security_groups, bastion, cluster.port)
    if told.admitted:
        return
    names = ", ".join(cluster.security_groups)
    who = f"{bastion.name} ({', '.join(bastion.security_groups) or 'no group'}, {bastion.private_address})"
    if told.prefix_lists or not security_groups:
        why = f"only by prefix lists: {', '.join(told.prefix_lists)}" if told.prefix_lists else "AWS tells of no group"
        message = f"Whether the cluster lets in {who} on port {cluster.port} is not known, {why}."
        yield Finding("security-group-unclear", cluster.identifier, message)
        return
    public = f" A rule names {bastion.public_address}, from which it does not come." if told.by_public_address else ""
    yield Finding(
        "security-group-closed",
        cluster.identifier,
        f"No rule of {names} lets {who} in on port {cluster.port}: nobody reaches the database through it.{public}",
        {"security_groups": cluster.security_groups, "bastion": bastion.instance_id, "port": cluster.port},
    )
