"""A hostile bastion: it never ends, drips, floods, or asks the person at the keyboard."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
from paramiko.server import InteractiveQuery

from fixtures.clients.ssh import attempt, private_key
from health.config.environment import Limits
from health.finding import CouldNotCheck
from health.tunnel.connection import Preflight
from tests.support.load import patience
from tests.support.ssh_servers import HOST_KEY, answering
from tests.support.tunnels import ENDPOINT, Behind, environment

GREETING = b"SSH-2.0-OpenSSH_9.6\r\n"
LIMITS = Limits(connect_s=1)
MOST_SENT = 30_000_000  # of what is taken: socket buffers hold some megabytes


def sends(first: bytes, then: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(first)
            sent = 0
            while sent < MOST_SENT:
                sent += connection.send(then)
                time.sleep(pause)
            raise AssertionError("it was all taken")

    return answer


PACKET = ((1 << 20) + 4).to_bytes(4) + b"\x04"  # the beginning of a packet of a megabyte
IGNORED = (12).to_bytes(4) + b"\x0a\x02" + bytes(10)  # SSH_MSG_IGNORE
ENDLESS: dict[str, tuple[bytes, bytes, float]] = {
    "a greeting of lines": (b"", b"welcome\r\n", 0.02),
    "a greeting without a line's end": (b"", b"x" * 65536, 0.0),
    "a greeting in drips": (b"", b"x", 0.05),
    "half a greeting, in drips": (b"SSH-2.0-", b"x", 0.05),
    "keys in drips": (GREETING + PACKET, b"x", 0.05),
    "keys without end": (GREETING + (0xFFFFFF04).to_bytes(4) + b"\x04", b"x" * 65536, 0.0),
    "packets that say nothing": (GREETING, IGNORED * 1000, 0.0),
    "packets that say nothing, slowly": (GREETING, IGNORED, 0.05),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_has_an_end(tmp_path: Path, name: str) -> None:
    begun = time.monotonic()
    with answering(sends(*ENDLESS[name])) as port:
        try:
            problem = attempted(port, tmp_path).problem
        except CouldNotCheck:
            problem = None
        else:
            assert problem is not None
            assert problem.at_bastion
    assert time.monotonic() - begun < patience(6 * LIMITS.connect_s)


def attempted(port: int, home: Path) -> Preflight:
    env = replace(environment(home, port), limits=LIMITS)
    return attempt(env, private_key(env), "127.0.0.1", (ENDPOINT, 5432))


@pytest.mark.parametrize("name", ["a greeting in drips", "keys in drips"])
def test_drips_are_named(tmp_path: Path, name: str) -> None:
    with answering(sends(*ENDLESS[name])) as port:
        problem = attempted(port, tmp_path).problem
    assert problem is not None
    assert problem.what == "it accepts the connection, sends without end and lets nobody log in within 1 s"


class MoreThanTheKey(paramiko.ServerInterface):
    """Accepts the key, and then wants to ask questions."""

    def __init__(self) -> None:
        self.questions = 0

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,keyboard-interactive"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.common.AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_interactive(self, username: str, submethods: str) -> InteractiveQuery:
        self.questions += 1
        return InteractiveQuery("Password", "", ("Password: ", False))


def test_nobody_at_the_keyboard_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("it asked"))
    server, key = MoreThanTheKey(), tmp_path / "host"
    key.write_bytes(HOST_KEY.export_private_key())

    def serve(connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        transport.add_server_key(paramiko.PKey.from_path(key))
        with suppress(paramiko.SSHException, EOFError):
            transport.start_server(server=server)

    with answering(serve) as port:
        problem = attempted(port, tmp_path).problem
    assert problem is not None
    assert (problem.kind, server.questions) == ("key refused", 0)
    assert problem.what == "it accepts the key, but the server wants publickey, keyboard-interactive beside the key"


@pytest.mark.parametrize("name", ["a greeting in drips", "keys without end"])
def test_a_bastion_that_turns_hostile_after_the_preflight(tmp_path: Path, name: str) -> None:
    key = HOST_KEY.export_public_key().decode().split()
    with answering(sends(*ENDLESS[name])) as port:
        reached = Preflight(f"127.0.0.1:{port}", f"{ENDPOINT}:5432", f"{key[0]} {key[1]}")
        bastion = Behind(replace(environment(tmp_path, port), limits=LIMITS), [])
        begun = time.monotonic()
        with pytest.raises(CouldNotCheck, match=r"pre-flight had reached"), bastion.tunnel(preflight=reached):
            pass
    assert time.monotonic() - begun < patience(6 * LIMITS.connect_s)
    assert not [each for each in threading.enumerate() if each.name.startswith("Srv-")]
