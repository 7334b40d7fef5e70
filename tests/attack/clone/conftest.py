"""The servers that are attacked: the newest embedded one, an older one, and one that others use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.clients.private_directory import private_directory
from fixtures.clone.server import CloneDatabase, CloneServer
from fixtures.clone.servers import local, take
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.clone.server_choice import CloneOption, Login
from health.secrets.secret import Secret
from tests.support.clone_servers import ON_LOOPBACK, started

PASSWORD = "correct-horse:battery/staple"


@pytest.fixture(scope="package")
def server() -> Iterator[CloneServer]:
    with started() as made:
        yield made


@pytest.fixture(scope="package")
def older() -> Iterator[CloneServer]:
    """Of a version whose notifications may fill 8 GB."""
    (offer,) = [each for each in local.installations() if (each.kind, each.major) == ("embedded", 16)]
    with started(lambda owned: (local.start(offer, owned), "older")) as made:
        yield made


@pytest.fixture(scope="package")
def users() -> Iterator[CloneServer]:
    """On a server of a user's, by a login without a superuser's rights; it is reached over the network."""
    settings = {**ON_LOOPBACK, "max_prepared_transactions": "5"}
    with private_directory("users") as place, PrivatePostgres(place, Secret(PASSWORD), settings=settings) as postgres:
        login = Login("127.0.0.1", postgres.port, "postgres", Secret(PASSWORD), "postgres")
        with started(lambda owned: take(CloneOption("server", login, "--clone"), "", owned)) as made:
            made._keeper.execute(f"CREATE ROLE tester LOGIN CREATEDB CREATEROLE PASSWORD '{PASSWORD}'".encode())
        tester = Login("127.0.0.1", postgres.port, "tester", Secret(PASSWORD), "postgres")
        with started(lambda owned: take(CloneOption("server", tester, "--clone"), "", owned)) as made:
            yield made


@pytest.fixture
def copy(server: CloneServer) -> Iterator[CloneDatabase]:
    with server.database("attacked") as made:
        yield made
