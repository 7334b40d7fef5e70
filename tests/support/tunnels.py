"""A PostgreSQL that demands TLS behind a bastion of the test's own, and the suite's tunnel to it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers import local
from fixtures.clone.servers.private_postgres import PrivatePostgres
from fixtures.database.login import DatabaseLogin
from fixtures.facts import Facts
from fixtures.tunnel.tunnel import Tunnel
from health.aws.resources import Cluster
from health.config.environment import Environment, Limits
from health.secrets.secret import Secret
from plugins.run import fact_fixtures as reading  # noqa: F401 - importing it registers the facts
from tests.support.certificates import issue
from tests.support.clone_servers import ON_LOOPBACK
from tests.support.ssh_servers import CLIENT_KEY, HOST_KEY, ssh_server

ENDPOINT = "db.cluster-c0ffee.example"
CLUSTER = Cluster("qa", "available", 5432, ENDPOINT, "", (), may_pause=False)
ONLY_TLS = "local all all scram-sha-256\nhostssl all all all scram-sha-256\n"
PASSWORD = Secret("behind-the-bastion")


@dataclass(frozen=True)
class Behind:
    """The bastion as its user knows it.

    Attributes:
        asked: the connections that it was asked for: what came through the tunnel.
    """

    environment: Environment
    asked: list[int]

    @contextmanager
    def tunnel(self, **given: Any) -> Iterator[Tunnel]:
        """The suite's own tunnel."""
        facts = Facts(self.environment, {"bastion_address": "127.0.0.1", "cluster": CLUSTER, **given})
        try:
            opened: Tunnel = facts["tunnel"]
            self.asked.clear()  # of the pre-flight
            yield opened
        finally:
            facts.close()


def login(tunnel: Tunnel) -> DatabaseLogin:
    """The superuser's login through a tunnel."""
    where = {"hostaddr": tunnel.host, "sslmode": "require"}
    return DatabaseLogin(
        tunnel.host, tunnel.port, "postgres", PASSWORD, "postgres", parameters=where, obstacle=tunnel.obstacle
    )


@contextmanager
def postgres_with_tls() -> Iterator[int]:
    """The port of a server that lets nobody in without TLS; skips the test where none is built with it."""
    places = (Path(each.place) for each in local.installations())
    programs = next((place for place in places if b"libssl" in (place / "postgres").read_bytes()), None)
    if programs is None:
        pytest.skip("no installed PostgreSQL is built with TLS")
    with private_directory("tls") as directory:
        issue("localhost").write(directory / "server.pem")
        (directory / "hba.conf").write_text(ONLY_TLS)
        if os.geteuid() == 0:
            for file in ("server.pem", "server.key", "hba.conf"):
                os.chown(directory / file, pwd.getpwnam("nobody").pw_uid, -1)
        settings = {
            **ON_LOOPBACK, "ssl": "on",
            "ssl_cert_file": str(directory / "server.pem"), "ssl_key_file": str(directory / "server.key"),
            "hba_file": str(directory / "hba.conf"),
        }  # fmt: skip
        with PrivatePostgres(directory, PASSWORD, programs=programs, settings=settings) as server:
            yield server.port


@contextmanager
def behind(home: Path, target: int, limits: Limits | None = None) -> Iterator[Behind]:
    """A bastion that leads to a local port."""
    asked: list[int] = []

    def forward(connection: Any, host: str, port: int) -> Any:
        assert (host, port) == (ENDPOINT, 5432)
        asked.append(port)
        return connection.forward_connection("127.0.0.1", target)

    with ssh_server(forward) as port:
        yield Behind(replace(environment(home, port), limits=limits or Limits()), asked)


def environment(home: Path, port: int) -> Environment:
    """The environment whose bastion listens on a port, with key and known host."""
    home.mkdir(exist_ok=True)
    key, hosts = home / "key", home / "hosts"
    key.touch(mode=0o600)
    key.write_bytes(CLIENT_KEY.export_private_key())
    hosts.write_text(f"[127.0.0.1]:{port} {HOST_KEY.export_public_key().decode()}")
    return Environment("qa", "qa", ssh_key=key, known_hosts=hosts, ssh_port=port)
