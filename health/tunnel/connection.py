"""What trying the way to the database and to the API showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from health.aws.resources import Cluster
from health.config.environment import Environment
from health.finding import Finding


@dataclass(frozen=True)
class Preflight:
    """One attempt to reach the database's endpoint through the bastion, with every step's outcome.

    Attributes:
        bastion: ``address:port`` of the SSH server.
        endpoint: ``host:port`` asked of the bastion.
        host_key: the verified key of the bastion in known_hosts form, ``type base64``; empty if none was.
        bastion_problem: why the bastion let nobody in.
        endpoint_problem: why the bastion could not reach the endpoint.
    """

    bastion: str
    endpoint: str
    host_key: str = ""
    bastion_problem: Finding | None = None
    endpoint_problem: Finding | None = None

    @property
    def problem(self) -> Finding | None:
        """Where the way ends."""
        return self.bastion_problem or self.endpoint_problem


@dataclass(frozen=True)
class KeyFile:
    """The file with the SSH key that opens the bastion; ``mode`` is None where there is no such file."""

    path: str
    mode: int | None

    @property
    def missing(self) -> Finding:
        """What there is to say where it is not there."""
        message = f"There is no SSH key at {self.path}, so this machine cannot enter the bastion."
        return Finding("ssh-key-missing", self.path, message)

    @property
    def readable_by_others(self) -> bool:
        """Whether OpenSSH refuses it (``UNPROTECTED PRIVATE KEY FILE``)."""
        return self.mode is not None and bool(self.mode & 0o077)


@dataclass(frozen=True)
class ScriptRoute:
    """What a colleague sees who uses the tunnel script's own bastion and endpoint today."""

    differs: bool
    outcome: str = ""


@dataclass(frozen=True)
class DatabaseServer:
    """The PostgreSQL server at the other end; ``problem`` if it let nobody in."""

    version: str = ""
    user: str = ""
    database: str = ""
    problem: Finding | None = None


def clusters_of_script(
    environment: Environment, cluster: Cluster, clusters: Sequence[Cluster]
) -> dict[str, Cluster | None]:
    """The stages of the script that are judged with an environment, and the cluster that each must lead to.

    None for a further stage of which AWS does not have exactly one cluster: nothing can be said of its endpoint.
    """
    found: dict[str, Cluster | None] = {environment.stage: cluster}
    for stage, prefix in environment.script_stages.items():
        own = [each for each in clusters if each.identifier.startswith(prefix) and each.writer_endpoint]
        found[stage] = own[0] if len(own) == 1 else None
    return found


@dataclass(frozen=True)
class ReplicaStatus:
    """The cluster's reader endpoint.

    Attributes:
        exists: whether the cluster has another instance than the writer's.
        unused: why the writer answers all the same; empty where the reader does.
    """

    exists: bool = False
    unused: str = ""

    @property
    def used(self) -> bool:
        """Whether catalog and data are read from it."""
        return self.exists and not self.unused
