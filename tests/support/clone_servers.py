"""Servers of clones for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fixtures.clients.private_directory import private_directory
from fixtures.clone.server import CloneServer, Take, clone, embedded
from fixtures.clone.servers import RunningServer
from fixtures.clone.servers.npm_postgres import NEWEST
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.secrets.secret import Secret

ON_LOOPBACK = {"listen_addresses": "127.0.0.1"}  # what a server of our own does only for a test


class _Open(RunningServer):
    """A server whose roles the test itself logs in as, beside the clone's own sessions."""

    @property
    def by_network(self) -> bool:
        """As if nobody else reached it: then logins are not kept out."""
        return False


@contextmanager
def started(take: Take = embedded) -> Iterator[CloneServer]:
    """A server that runs already, until the block ends."""
    with clone("public", take) as made:
        with made.database("first"):
            pass  # a server starts with the first one
        yield made


def listening(owned: ExitStack, programs: Path | None = None, major: int = NEWEST) -> tuple[RunningServer, str]:
    """A server that takes logins by TCP, for what is about those; of another installation where one is given."""
    password = Secret("of a server that listens")
    place = owned.enter_context(private_directory("listening"))
    server = owned.enter_context(PrivatePostgres(place, password, programs=programs, settings=ON_LOOPBACK))
    return _Open("embedded", major, "127.0.0.1", server.port, server.superuser, password), "listening"
