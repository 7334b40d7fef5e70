"""What this machine lacks is said of this machine: never BLOCKED, and never a finding about the environment."""

from __future__ import annotations

import errno
import os
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from fixtures.clients import ssh_connection
from fixtures.clients.http import MachineLimit, NoResponse, ask
from fixtures.clients.ssh import attempt, private_key
from fixtures.database.login import connect
from fixtures.facts import Facts
from health.config.environment import Environment, Limits
from health.finding import CouldNotCheck
from health.machine import machine_limit
from plugins.run.window import window
from tests.support.tunnels import ENDPOINT, behind, environment, login, postgres_with_tls

OURS = r"^this machine "


@contextmanager
def descriptors(spare: int) -> Iterator[None]:
    """Let this process open only so many descriptors more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fillers = [os.open(os.devnull, os.O_RDONLY)]
    highest = max(int(name) for name in os.listdir("/dev/fd"))
    while fillers[-1] < highest:  # no gap is left below
        fillers.append(os.open(os.devnull, os.O_RDONLY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (fillers[-1] + 1 + spare, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for filler in fillers:
            os.close(filler)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EMFILE, "x"),
        OSError(errno.EADDRNOTAVAIL, "x"),
        OSError(errno.ENOMEM, "x"),
        BlockingIOError(errno.EAGAIN, "of fork"),
        MemoryError(),
        RuntimeError("can't start new thread"),
        psycopg.OperationalError('connection to server at "h", port 1 failed: Cannot assign requested address'),
        psycopg.OperationalError("could not create socket: Too many open files"),
        ImportError("x.so: cannot open shared object file: Too many open files"),
    ],
    ids=repr,
)
def test_limits_of_the_machine_are_known(error: Exception) -> None:
    found = machine_limit(error)
    assert found is not None
    assert found.what.startswith("this machine")


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "x"),
        TimeoutError(errno.ETIMEDOUT, "x"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        psycopg.OperationalError('connection to server at "h", port 1 failed: FATAL:  out of memory'),
        psycopg.OperationalError(
            'connection to server at "h" (::1), port 1 failed: Cannot assign requested address\n'
            'connection to server at "h" (127.0.0.1), port 1 failed: Connection refused'
        ),
    ],
    ids=repr,
)
def test_what_is_the_other_sides_stays_so(error: Exception) -> None:
    assert machine_limit(error) is None


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with postgres_with_tls() as made:
        yield made


@pytest.mark.parametrize("spare", [0, 1, 2, 4, 6, 8, 11, 14, 18])
def test_no_descriptor_is_left_at_any_step(port: int, tmp_path: Path, spare: int) -> None:
    """Through bastion and tunnel to the database: it works, or this machine is named."""
    with behind(tmp_path, port, Limits(connect_s=2)) as bastion:
        with bastion.tunnel() as warm:  # what is imported first would need descriptors of its own
            connection, _ = connect(bastion.environment, login(warm))
            assert connection is not None
            connection.close()
        with descriptors(spare):
            try:
                with bastion.tunnel() as opened:
                    connection, problem = connect(bastion.environment, login(opened))
            except CouldNotCheck as error:
                assert error.what.startswith("this machine"), error  # noqa: PT017 - the other outcome is fine too
            else:
                assert problem is None
                assert connection is not None
                connection.close()


def no_port(self: socket.socket, address: object) -> None:
    raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))


def test_no_port_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_connection.SshSocket, "connect", no_port)
    env = environment(tmp_path, 1)
    with pytest.raises(CouldNotCheck, match=OURS):
        attempt(env, private_key(env), "127.0.0.1", (ENDPOINT, 5432))


def test_api_without_a_descriptor() -> None:
    env = Environment("qa", "qa")
    with pytest.raises(NoResponse, match=r"Nothing answers"):
        ask(env, "GET", "http://127.0.0.1:1/", {})  # imports what it needs
    with descriptors(0), pytest.raises(MachineLimit, match=OURS):
        ask(env, "GET", "http://127.0.0.1:1/", {})


def test_no_thread_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start, left = threading.Thread.start, [1]

    def limited(self: threading.Thread) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("can't start new thread")
        start(self)

    facts = Facts(environment(tmp_path, 1), {"bastion_address": "127.0.0.1"})
    monkeypatch.setattr(threading.Thread, "start", limited)
    with pytest.raises(CouldNotCheck, match=OURS):
        _ = facts["tunnel"]
    facts.close()


def test_window_follows_the_descriptors() -> None:
    with descriptors(0):
        assert window(50) >= 1
    assert window(3) in (1, 2, 3)
