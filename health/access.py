"""What trying the way to the database and to the API showed."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class ScriptRoute:
    """What a colleague sees who uses the tunnel script's own bastion and endpoint today."""

    differs: bool
    outcome: str = ""


@dataclass(frozen=True)
class Server:
    """The PostgreSQL server at the other end; ``problem`` if it let nobody in."""

    version: str = ""
    user: str = ""
    database: str = ""
    problem: Finding | None = None


@dataclass(frozen=True)
class Reader:
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
