"""What trying the way to the database and to the API showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from health.aws.resources import Cluster
from health.config.environment import Environment

LoginKind = Literal[
    "password refused", "no database", "no role", "no connection left", "only reserved connections left",
    "address refused", "closed", "starting", "asleep", "silent", "cleartext", "tls refused", "unreachable", "unusable",
    "other",
]  # fmt: skip


@dataclass(frozen=True)
class SshFailure:
    """Where the route through the bastion ends, and why.

    Attributes:
        place: ``address:port`` that was not reached.
        what: the cause in a clause.
        remedy: what to do, in a sentence.
    """

    kind: Literal["unreachable", "host key unknown", "host key changed", "key refused", "endpoint unreachable"]
    place: str
    what: str
    remedy: str

    @property
    def at_bastion(self) -> bool:
        """Whether the bastion itself was not entered."""
        return self.kind != "endpoint unreachable"


@dataclass(frozen=True)
class Preflight:
    """One attempt to reach the database's endpoint through the bastion.

    Attributes:
        bastion: ``address:port`` of the SSH server.
        endpoint: ``host:port`` asked of the bastion.
        host_key: the verified key of the bastion in known_hosts form, ``type base64``; empty if none was.
        problem: why the endpoint was not reached.
    """

    bastion: str
    endpoint: str
    host_key: str = ""
    problem: SshFailure | None = None


@dataclass(frozen=True)
class KeyFile:
    """The file with the SSH key that opens the bastion; ``mode`` is None where there is no such file."""

    path: str
    mode: int | None

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
class LoginFailure:
    """Why a server did not accept a login.

    Attributes:
        secret: the secret that the password is from.
        limit_s: seconds after which no more was waited for.
        text: PostgreSQL's own words, where the kind alone does not tell; of ``unusable``, what to do.
    """

    kind: LoginKind
    user: str
    database: str
    secret: str = ""
    limit_s: float = 0
    text: str = ""


@dataclass(frozen=True)
class DatabaseServer:
    """The PostgreSQL server at the other end; ``problem`` if it let nobody in."""

    version: str = ""
    user: str = ""
    database: str = ""
    problem: LoginFailure | None = None


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
