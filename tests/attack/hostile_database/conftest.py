"""A server whose database belongs to an attacker, and the logins that the suite may have there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest

from fixtures.aws.database_secret import SecretRead
from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PrivatePostgres
from fixtures.database.session import ReadOnlySession
from fixtures.database.sessions import writer_only
from fixtures.facts import Facts
from fixtures.tunnel.tunnel import Tunnel
from health.prisma.engine import COLUMNS_SQL, TABLE
from health.secrets.secret import Secret
from tests.support.clone_servers import ON_LOOPBACK
from tests.support.lineage import environment
from tests.support.postgres_versions import PostgresVersions

Login = Literal["postgres", "reader"]
LOGINS: tuple[Login, ...] = ("postgres", "reader")
ATTACKER, DATABASE = "attacker", "app"

# It takes Prisma's lock, for the session, as whoever runs it; no error gives that back.
STRIKE = """
CREATE FUNCTION {schema}.strike(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
$$ BEGIN PERFORM pg_advisory_lock(72707369); RETURN x; END $$;
CREATE FUNCTION {schema}.strike(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
$$ BEGIN PERFORM pg_advisory_lock(72707369); RETURN x; END $$;
"""
ROW = "INSERT INTO {schema}." + TABLE + " (id, checksum, finished_at, migration_name, logs) VALUES ('1', 'c', now(), "
ROW += "'20260101000000_one', 'said')"


@dataclass
class Hostile:
    """The server."""

    major: int
    port: int
    password: Secret
    _kept: ExitStack
    _numbers: Iterator[int] = field(default_factory=count)
    _sessions: dict[Login, ReadOnlySession] = field(default_factory=dict)

    def connect(self, user: str, database: str = DATABASE) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=user, password=self.password.reveal(), dbname=database,
            autocommit=True, connect_timeout=10, options="-c search_path=pg_catalog",
        )  # fmt: skip

    def run(self, user: str, *scripts: str, database: str = DATABASE) -> None:
        with self.connect(user, database) as connection:
            for script in scripts:
                connection.execute(script.encode())

    def made(self, *scripts: str, superuser: bool = False) -> str:
        """A schema of the attacker's with a table of Prisma and a function, after these scripts; gives its name."""
        schema = f"s{next(self._numbers)}"
        begin = f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.{TABLE} ({COLUMNS_SQL})"
        self.run(ATTACKER, begin, STRIKE.format(schema=schema), ROW.format(schema=schema))
        self.run("postgres", f"GRANT USAGE ON SCHEMA {schema} TO reader")
        self.run("postgres" if superuser else ATTACKER, *(each.format(schema=schema, table=TABLE) for each in scripts))
        self.run("postgres", f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader; GRANT EXECUTE ON ALL FUNCTIONS "
                             f"IN SCHEMA {schema} TO PUBLIC")  # fmt: skip
        return schema

    @contextmanager
    def reading(self, user: Login, schema: str, database: str = DATABASE, **changes: Any) -> Iterator[Facts]:
        read = Facts(environment(schema=schema, database=database, **changes), {
            "tunnel": Tunnel("127.0.0.1", self.port, None), "secret_read": SecretRead("s", user, self.password),
            **writer_only(),
        })  # fmt: skip
        try:
            yield read
        finally:
            read.close()

    def session(self, user: Login) -> ReadOnlySession:
        """A session of the suite's that the tests of a module share, at the beginning of a transaction."""
        if user not in self._sessions:
            reading = self._kept.enter_context(self.reading(user, "public"))
            self._sessions[user] = reading["database"]
        session = self._sessions[user]
        assert session.connection is not None, session.problem
        session.connection.rollback()
        return session

    def strikes(self) -> int:
        """How often the attacker's code has run in sessions that are open."""
        with self.connect("postgres") as admin:
            row = admin.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
def hostile(each_major: int, postgres_versions: PostgresVersions) -> Iterator[Hostile]:
    choice, password = postgres_versions.choice(each_major), Secret(secrets.token_hex(16))
    with (
        private_directory("hostile") as directory,
        PrivatePostgres(directory, password, programs=Path(choice.place), settings=ON_LOOPBACK) as postgres,
        ExitStack() as kept,
    ):
        made = Hostile(each_major, postgres.port, password, kept)
        word = password.reveal()
        made.run(
            "postgres", *(f"CREATE ROLE {role} LOGIN PASSWORD '{word}'" for role in (ATTACKER, "reader")),
            f"CREATE DATABASE {DATABASE} OWNER {ATTACKER}", database="postgres",
        )  # fmt: skip
        yield made
