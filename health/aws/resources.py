"""What AWS says of an environment, and which of several resources belongs to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from health.finding import CouldNotCheck, Finding


@dataclass(frozen=True)
class Identity:
    """Who the credentials are (STS GetCallerIdentity), and where they were found."""

    account: str
    arn: str
    source: str


@dataclass(frozen=True)
class Cluster:
    """An Aurora cluster (RDS DescribeDBClusters).

    Attributes:
        instances: an instance's address and its name, for each.
        may_pause: whether it may be asleep (Serverless v2 with a least capacity of 0), so that a login waits.
    """

    identifier: str
    status: str
    engine_version: str
    port: int
    writer_endpoint: str
    reader_endpoint: str
    instances: tuple[tuple[str, str], ...] = ()
    may_pause: bool = False
    security_groups: tuple[str, ...] = ()

    @property
    def has_reader(self) -> bool:
        """Whether the reader endpoint leads to another instance than the writer's."""
        return len(self.instances) > 1


@dataclass(frozen=True)
class Bastion:
    """An EC2 instance that is a way in (EC2 DescribeInstances)."""

    instance_id: str
    name: str
    state: str
    public_address: str | None
    private_address: str | None = None
    security_groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class LambdaFunction:
    """A Lambda function's configuration without its values.

    Attributes:
        purpose: what the registry calls it: ``auth``, ``worker``; empty where only its name's beginning fits.
        name: its name in AWS.
        found: whether AWS knows it.
        variables: the names of its environment variables that hold a value.
        layers: the ARNs of the layer versions that it carries.
    """

    purpose: str
    name: str
    found: bool
    variables: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatabaseSecret:
    """The secret with the database's user and password, without them; ``problem`` if it is not usable."""

    name: str
    problem: Finding | None = None


def cluster_problem(clusters: Sequence[Cluster], prefix: str) -> Finding | None:
    """Why no cluster, or no one cluster, has an identifier that begins with the registry's prefix."""
    found = sorted(cluster.identifier for cluster in clusters if cluster.identifier.startswith(prefix))
    if len(found) == 1:
        return None
    if found:
        message = f"{len(found)} clusters named {prefix}…; AWS has {', '.join(found)}."
        return Finding("cluster-ambiguous", prefix, message, {"clusters": tuple(found)})
    others = ", ".join(sorted(cluster.identifier for cluster in clusters)) or "none at all"
    return Finding("cluster-missing", prefix, f"No cluster named {prefix}…; AWS has {others}.")


def choose_cluster(clusters: Sequence[Cluster], prefix: str, region: str) -> Cluster:
    """The one cluster of an environment: its identifier begins with the registry's prefix.

    Raises:
        CouldNotCheck: there is none, or more than one. The first is never taken.
    """
    where = f"RDS DescribeDBClusters, {region}"
    problem = cluster_problem(clusters, prefix)
    if problem is not None:
        remedy = "Set cluster_prefix in the registry so that it fits exactly one."
        raise CouldNotCheck(problem.message.rstrip("."), where, remedy, explained_by=problem.key)
    (found,) = (cluster for cluster in clusters if cluster.identifier.startswith(prefix))
    if not found.writer_endpoint:
        raise CouldNotCheck(
            f"the cluster {found.identifier} has no writer endpoint, its status is {found.status}", where,
            "Wait until it is available, then run again.",
        )  # fmt: skip
    return found


def candidates(bastions: Sequence[Bastion], address: str | None, stage: str) -> list[Bastion]:
    """The instances that may be an environment's bastion: the one with its address, else those of its stage.

    An instance is of a stage if its Name holds the stage as a word. A stopped instance has no address any
    more, so it is found by its name, and of several the running ones come first.
    """
    by_address = [bastion for bastion in bastions if address and bastion.public_address == address]
    if len(by_address) == 1:
        return by_address
    word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(stage)}(?![A-Za-z0-9])", re.IGNORECASE)
    by_name = [bastion for bastion in bastions if word.search(bastion.name)]
    return [bastion for bastion in by_name if bastion.state == "running"] or by_name


def bastion_problem(bastions: Sequence[Bastion], address: str | None, stage: str) -> Finding | None:
    """Why no instance, or no one instance, is an environment's bastion."""
    found = candidates(bastions, address, stage)
    if len(found) == 1:
        return None
    code = "bastion-ambiguous" if found else "bastion-missing"
    number = f"{len(found)} bastions" if found else "No bastion"
    return Finding(code, stage, f"{number} of stage {stage!r}; AWS has {describe(found or bastions)}.")


def choose_bastion(bastions: Sequence[Bastion], address: str | None, stage: str, region: str) -> Bastion:
    """The bastion of an environment, see :func:`candidates`.

    Raises:
        CouldNotCheck: there is none, or more than one.
    """
    problem = bastion_problem(bastions, address, stage)
    if problem is not None:
        remedy = f"Set bastion_address in the registry, or name one instance with the word {stage!r}."
        where = f"EC2 DescribeInstances, {region}"
        raise CouldNotCheck(problem.message.rstrip("."), where, remedy, explained_by=problem.key)
    return candidates(bastions, address, stage)[0]


def describe(bastions: Iterable[Bastion]) -> str:
    """The bastions in a few words each."""
    return ", ".join(f"{b.name} ({b.instance_id}, {b.state})" for b in bastions) or "none at all"
