"""A PostgreSQL server that all these attacks share."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.secrets.secret import Secret
from tests.support.clone_servers import ON_LOOPBACK
from tests.support.history_table import PASSWORD, connect


@pytest.fixture(scope="package")
def server() -> Iterator[PrivatePostgres]:
    with (
        private_directory("test") as directory,
        PrivatePostgres(directory, Secret(PASSWORD), settings=ON_LOOPBACK) as server,
    ):
        yield server


@pytest.fixture(scope="package")
def database(server: PrivatePostgres) -> Iterator[psycopg.Connection]:
    with connect(server) as connection:
        yield connection
