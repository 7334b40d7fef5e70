"""A PostgreSQL server with Prisma's table, which all these tests share."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.secrets.secret import Secret
from tests.support.clone_servers import ON_LOOPBACK
from tests.support.fix_cases import OBJECTS
from tests.support.history_table import PASSWORD, TABLE, connect


@pytest.fixture(scope="package")
def server() -> Iterator[PrivatePostgres]:
    with (
        private_directory("test") as directory,
        PrivatePostgres(directory, Secret(PASSWORD), settings=ON_LOOPBACK) as server,
    ):
        yield server


@pytest.fixture(scope="package")
def connection(server: PrivatePostgres) -> Iterator[psycopg.Connection]:
    with connect(server) as connection:
        connection.execute(TABLE.replace("{table}", "_prisma_migrations").encode())
        connection.execute(OBJECTS.encode())
        yield connection


@pytest.fixture
def database(connection: psycopg.Connection) -> psycopg.Connection:
    """A session in which no transaction is open, whatever the test before has left."""
    connection.execute("ROLLBACK")
    return connection
