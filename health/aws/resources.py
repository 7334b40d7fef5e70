"""What AWS says of an environment, and which of several resources belongs to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from health.finding import CouldNotCheck
from health.outcomes import because


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

    @property
    def usable(self) -> bool:
        """Whether it runs and has a public address; a stopped instance has none."""
        return self.state == "running" and bool(self.public_address)


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


SecretKind = Literal["absent", "malformed", "empty"]


@dataclass(frozen=True)
class UnusableSecret:
    """Why a secret of Secrets Manager gives no user and password."""

    name: str
    kind: SecretKind


@dataclass(frozen=True)
class NoAdminKey:
    """A function without the key of the migration API; ``exists`` if AWS knows the function."""

    function: str
    exists: bool


@dataclass(frozen=True)
class NotOneCluster:
    """No cluster's identifier begins with the registry's prefix, or several do.

    Attributes:
        fitting: the identifiers that do.
        existing: all identifiers.
    """

    prefix: str
    fitting: tuple[str, ...]
    existing: tuple[str, ...]


@dataclass(frozen=True)
class NotOneBastion:
    """No instance is the bastion of a stage, or several may be.

    Attributes:
        fitting: those that may be.
        existing: all instances.
    """

    stage: str
    fitting: tuple[Bastion, ...]
    existing: tuple[Bastion, ...]


@dataclass(frozen=True)
class DatabaseSecret:
    """The secret with the database's user and password, without them; ``problem`` if it is not usable."""

    name: str
    problem: UnusableSecret | None = None


def cluster_problem(clusters: Sequence[Cluster], prefix: str) -> NotOneCluster | None:
    """Why no cluster, or no one cluster, has an identifier that begins with the registry's prefix."""
    existing = tuple(sorted(cluster.identifier for cluster in clusters))
    fitting = tuple(identifier for identifier in existing if identifier.startswith(prefix))
    return None if len(fitting) == 1 else NotOneCluster(prefix, fitting, existing)


def choose_cluster(clusters: Sequence[Cluster], prefix: str, region: str) -> Cluster:
    """The one cluster of an environment: its identifier begins with the registry's prefix.

    Raises:
        CouldNotCheck: there is none, or more than one. The first is never taken.
    """
    where = f"RDS DescribeDBClusters, {region}"
    problem = cluster_problem(clusters, prefix)
    if problem is not None:
        remedy = "Set cluster_prefix in the registry so that it fits exactly one."
        raise because(problem, where, remedy=remedy)
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


def bastion_problem(bastions: Sequence[Bastion], address: str | None, stage: str) -> NotOneBastion | None:
    """Why no instance, or no one instance, is an environment's bastion."""
    fitting = candidates(bastions, address, stage)
    return None if len(fitting) == 1 else NotOneBastion(stage, tuple(fitting), tuple(bastions))


def choose_bastion(bastions: Sequence[Bastion], address: str | None, stage: str, region: str) -> Bastion:
    """The bastion of an environment, see :func:`candidates`.

    Raises:
        CouldNotCheck: there is none, or more than one.
    """
    problem = bastion_problem(bastions, address, stage)
    if problem is not None:
        remedy = f"Set bastion_address in the registry, or name one instance with the word {stage!r}."
        where = f"EC2 DescribeInstances, {region}"
        raise because(problem, where, remedy=remedy)
    return candidates(bastions, address, stage)[0]
