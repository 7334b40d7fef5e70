"""What the functions' variables say of the database, without the secrets among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from health.aws.resources import Cluster
from health.sanitize import one_line

# An older Frigg wrote the password as it is: what stands before the last @ that a host follows is the login.
_URL = re.compile(
    r"postgres(?:ql)?://(?P<user>[^:]*):(?P<password>.*)@(?P<host>[^\s@/:?#\[\]]+|\[[^\]]+\])"
    r"(?::(?P<port>\d{1,5}))?(?:/(?P<database>[^?#]*))?(?:\?.*)?",
    re.DOTALL,
)
_PORT = 5432


@dataclass(frozen=True)
class Destination:
    """Where a ``DATABASE_URL`` leads."""

    host: str
    port: int
    database: str

    def __str__(self) -> str:
        return one_line(f"{self.host}:{self.port}/{self.database}")


@dataclass(frozen=True)
class DatabaseSettings:
    """What a function knows of the database.

    Attributes:
        function: its name.
        destination: where ``DATABASE_URL`` leads; None where that is no URL of PostgreSQL.
        current_password: whether its password is the secret's; None where there is nothing to compare,
            such as where the secret is another user's.
        host: ``DATABASE_HOST``, None where it is not set.
    """

    function: str
    destination: Destination | None
    current_password: bool | None
    host: str | None = None


def parse(url: str) -> tuple[Destination, str, str] | None:
    """Where a ``DATABASE_URL`` leads, and user and password in it as they are spelt there."""
    match = _URL.fullmatch(url.strip())
    if match is None:
        return None
    host = match["host"].strip("[]")
    return Destination(host, int(match["port"] or _PORT), match["database"] or ""), match["user"], match["password"]


def differences(destination: Destination, database: str, own: Cluster, clusters: Sequence[Cluster]) -> Iterator[str]:
    """In what a destination is not the database of an environment's own cluster, a phrase each."""
    if destination.host != own.writer_endpoint:
        yield f"it is {place(destination.host, own, clusters)}; the writer is {own.writer_endpoint}"
    if destination.port != own.port:
        yield f"the cluster's port is {own.port}"
    if destination.database != database:
        yield f"the registry's database is {database}"


def place(host: str, own: Cluster, clusters: Sequence[Cluster]) -> str:
    """Whose endpoint a host is."""
    if host == own.reader_endpoint:
        return "the reader's endpoint, which refuses writes,"
    if host in dict(own.instances):
        return f"the endpoint of one instance, {dict(own.instances)[host]}, read only after a failover"
    for other in clusters:
        if host in (other.writer_endpoint, other.reader_endpoint, *dict(other.instances)):
            return f"an endpoint of another cluster, {other.identifier}"
    return "no endpoint that AWS knows of"
