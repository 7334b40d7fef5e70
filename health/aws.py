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
    """An Aurora cluster (RDS DescribeDBClusters); ``instances`` maps an instance's address to its name."""

    identifier: str
    status: str
    engine_version: str
    port: int
    writer_endpoint: str
    reader_endpoint: str
    instances: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Bastion:
    """An EC2 instance that is a way in (EC2 DescribeInstances)."""

    instance_id: str
    name: str
    state: str
    public_address: str | None


@dataclass(frozen=True)
class Function:
    """A Lambda function's configuration without its values.

    Attributes:
        purpose: what the registry calls it: ``auth``, ``worker``.
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


def choose_cluster(clusters: Sequence[Cluster], prefix: str, region: str) -> Cluster:
    """The one cluster of an environment: its identifier begins with the registry's prefix.

    Raises:
        CouldNotCheck: there is none, or more than one. The first is never taken.
    """
    found = [cluster for cluster in clusters if cluster.identifier.startswith(prefix)]
    if len(found) == 1 and found[0].writer_endpoint:
        return found[0]
    if len(found) == 1:
        raise CouldNotCheck(
            f"the cluster {found[0].identifier} has no writer endpoint, its status is {found[0].status}",
            f"RDS DescribeDBClusters, {region}",
            "Wait until it is available, then run again.",
        )
    others = ", ".join(sorted(cluster.identifier for cluster in found or clusters)) or "none at all"
    raise CouldNotCheck(
        f"{len(found) or 'no'} cluster{'s' if len(found) != 1 else ''} named {prefix}…; AWS has {others}",
        f"RDS DescribeDBClusters, {region}",
        "Set cluster_prefix in the registry so that it fits exactly one.",
    )


def choose_bastion(bastions: Sequence[Bastion], address: str | None, stage: str, region: str) -> Bastion:
    """The bastion of an environment: the instance with the registry's address, else the only one of its stage.

    An instance is of a stage if its Name holds the stage as a word. A stopped instance has no address any
    more, so it is found by its name, and of several the running ones come first.

    Raises:
        CouldNotCheck: there is none, or more than one.
    """
    by_address = [bastion for bastion in bastions if address and bastion.public_address == address]
    if len(by_address) == 1:
        return by_address[0]
    word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(stage)}(?![A-Za-z0-9])", re.IGNORECASE)
    by_name = [bastion for bastion in bastions if word.search(bastion.name)]
    running = [bastion for bastion in by_name if bastion.state == "running"]
    found = running or by_name
    if len(found) == 1:
        return found[0]
    raise CouldNotCheck(
        f"{len(found) or 'no'} bastion{'s' if len(found) != 1 else ''} of stage {stage!r}; "
        f"AWS has {describe(bastions)}",
        f"EC2 DescribeInstances, {region}",
        f"Set bastion_address in the registry, or name one instance with the word {stage!r}.",
    )


def describe(bastions: Iterable[Bastion]) -> str:
    """The bastions in a few words each."""
    return ", ".join(f"{b.name} ({b.instance_id}, {b.state})" for b in bastions) or "none at all"
