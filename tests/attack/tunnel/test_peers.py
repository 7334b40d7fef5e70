"""Somebody else on this machine wants to reach the environment's database through the tunnel."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.clients import tunnel_ends
from fixtures.clone.tls_relay import PORT, tls_relay
from fixtures.database.login import connect
from fixtures.tunnel.tunnel import Tunnel
from health.finding import CouldNotCheck
from tests.support.strangers import AS_STRANGER, strangers_python
from tests.support.tunnels import Behind, behind, login, postgres_with_tls

TLS = "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()"
SSL_REQUEST = "0000000804d2162f"
# What a client does: asks for TLS, and prints what it is answered.
CLIENT = f"""
import socket, sys
family, host = (socket.AF_INET6, "::ffff:127.0.0.1") if sys.argv[2] == "6" else (socket.AF_INET, "127.0.0.1")
client = socket.socket(family)
client.settimeout(60)
client.connect((host, int(sys.argv[1])))
try:
    client.sendall(bytes.fromhex("{SSL_REQUEST}"))
    print(client.recv(1))
except ConnectionError:
    print(b"")
"""
FLOOD = """
import socket, sys
held = []
print("begun", flush=True)
for _ in range(150):
    held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60))
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def bastion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    with postgres_with_tls() as port, behind(tmp_path_factory.mktemp("home"), port) as made:
        yield made


@pytest.fixture
def tunnel(bastion: Behind) -> Iterator[Tunnel]:
    with bastion.tunnel() as opened:
        yield opened


def client(tunnel: Tunnel, family: str, python: str = sys.executable, **user: Any) -> str:
    answer: subprocess.CompletedProcess[str] = subprocess.run(
        [python, "-I", "-c", CLIENT, str(tunnel.port), family], capture_output=True, text=True, check=True, **user
    )
    return answer.stdout.strip()


def test_login_through_the_tunnel_is_by_tls(tunnel: Tunnel, bastion: Behind) -> None:
    connection, problem = connect(bastion.environment, login(tunnel))
    assert problem is None
    assert connection is not None
    with connection:
        assert connection.execute(TLS).fetchall() == [(True,)]


def test_server_demands_tls(tunnel: Tunnel) -> None:
    parameters = {**login(tunnel).libpq(), "sslmode": "disable"}
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect("", password=login(tunnel).password.reveal(), **parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ["4", "6"])
def test_own_child_is_served(tunnel: Tunnel, bastion: Behind, family: str) -> None:
    assert client(tunnel, family) == "b'S'"
    assert bastion.asked


@pytest.mark.parametrize("family", ["4", "6"])
def test_another_user_is_refused(tunnel: Tunnel, bastion: Behind, family: str) -> None:
    assert client(tunnel, family, strangers_python(), **AS_STRANGER) == "b''"
    assert bastion.asked == []
    assert tunnel.obstacle() is None


def test_many_connections_of_another_user_keep_nobody_out(tunnel: Tunnel, bastion: Behind) -> None:
    with subprocess.Popen(
        [strangers_python(), "-I", "-c", FLOOD, str(tunnel.port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **AS_STRANGER,
    ) as flood:  # fmt: skip
        assert flood.stdin is not None
        assert flood.stdout is not None
        flood.stdout.readline()
        for _ in range(3):
            connection, problem = connect(bastion.environment, login(tunnel))
            assert problem is None
            assert connection is not None
            connection.close()
        flood.stdin.close()
    assert len(bastion.asked) == 3


def test_only_loopback_is_listened_on(tunnel: Tunnel) -> None:
    for host in ("127.0.0.2", socket.gethostbyname(socket.gethostname())):
        if host != "127.0.0.1":
            with pytest.raises(ConnectionRefusedError), socket.create_connection((host, tunnel.port), 5):
                pass


def test_ends_are_closed_with_the_tunnel(bastion: Behind) -> None:
    with bastion.tunnel() as opened:
        pass
    with pytest.raises(ConnectionRefusedError), socket.create_connection((opened.host, opened.port), 5):
        pass


def test_a_machine_that_does_not_tell_whose_a_connection_is(bastion: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel_ends, "is_own_user", lambda _: False)
    with pytest.raises(CouldNotCheck, match=r"^this machine does not tell whose connection"), bastion.tunnel():
        pass


def test_descriptors_beyond_those_of_select(bastion: Behind) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("this machine allows fewer descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    try:
        with ExitStack() as held:
            while True:
                descriptor = os.open(os.devnull, os.O_RDONLY)
                held.callback(os.close, descriptor)
                if descriptor > 1100:
                    break
            with bastion.tunnel() as opened:
                connection, problem = connect(bastion.environment, login(opened))
                assert problem is None
                assert connection is not None
                with connection:
                    assert connection.execute("SELECT pg_catalog.repeat('x', 3000000)").fetchone() is not None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_query_through_the_tunnel_is_cancelled(tunnel: Tunnel, bastion: Behind) -> None:
    connection, _ = connect(bastion.environment, login(tunnel))
    assert connection is not None
    with connection, ThreadPoolExecutor(1) as pool:  # the tunnel's threads are this process's too
        sleeping = pool.submit(connection.execute, "SELECT pg_catalog.pg_sleep(60)")
        while not sleeping.done():
            connection.cancel_safe(timeout=30)
            wait([sleeping], timeout=0.5)
        with pytest.raises(psycopg.errors.QueryCanceled):
            sleeping.result()


def test_the_socket_for_programs_without_tls_is_not_reached(tmp_path: Path) -> None:
    files = {"sslmode": "require", "sslcert": str(tmp_path / "none")}
    with tls_relay("127.0.0.1", 1, files) as directory:
        code = f"import socket; socket.socket(socket.AF_UNIX).connect('{directory}/.s.PGSQL.{PORT}')"
        tried = subprocess.run(
            [strangers_python(), "-I", "-c", code], capture_output=True, text=True, check=False, **AS_STRANGER
        )  # fmt: skip
    assert "PermissionError" in tried.stderr
