"""A real container engine, where ``ci/engine`` has made it; and what may come between it and its client."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import psycopg
import pytest

from fixtures.clone.servers.running import RunningServer
from plugins.paths import ROOT
from tests.support.load import patience

_CACHE = os.environ.get("XDG_CACHE_HOME")  # of the user: tests get one of their own later
_NOT_HERE = 3


@contextmanager
def engine() -> Iterator[str]:
    """The address of an engine that ends with the block, and with this process; skips where there is none."""
    variables = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    process = subprocess.Popen(
        [ROOT / "ci" / "engine", "sh", "-c", 'echo "$DOCKER_HOST"; exec cat'], text=True,
        env=variables | ({"XDG_CACHE_HOME": _CACHE} if _CACHE else {}),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().strip()
        if not address:
            said = process.stderr.read().strip()
            assert process.wait(patience(10)) == _NOT_HERE, said
            pytest.skip(said)
        try:
            yield address
        finally:
            process.stdin.close()
            process.wait(patience(20))


def wait_until_watched(server: RunningServer) -> None:
    """Wait until the container waits for its owner's end; it looks for its owner once in a second."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    end = time.monotonic() + patience(20)
    with psycopg.connect(
        host=server.host, port=server.port, user=server.user, password=server.password.reveal(), dbname="postgres",
        autocommit=True,
    ) as session:  # fmt: skip
        while session.execute(waiting).fetchall() != [(1,)]:
            assert time.monotonic() < end, "nobody waits for the owner's end"
            time.sleep(0.1)


class Eye:
    """Sees what the engine has, by its own client."""

    def __init__(self, address: str) -> None:
        self.client = docker.DockerClient(base_url=address, timeout=20)

    def containers(self) -> list[Any]:
        """All of them, those that have ended too, by one question: one may go while each is looked at."""
        found: list[Any] = self.client.containers.list(all=True, sparse=True)
        return found

    def volumes(self) -> list[Any]:
        found: list[Any] = self.client.volumes.list()
        return found

    def clear(self) -> None:
        for container in self.containers():
            with suppress(docker.errors.APIError):  # it is being removed
                container.remove(force=True, v=True)


@contextmanager
def falling_silent(address: str, directory: Path, request: str) -> Iterator[str]:
    """An engine that does all but hear of requests that begin with what a pattern describes: those are not answered."""
    place = directory / "silent.sock"
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(place))
        listener.listen()

        def carry(source: socket.socket, target: socket.socket, stop_at: re.Pattern[bytes] | None) -> None:
            with suppress(OSError):
                while data := source.recv(65536):
                    if stop_at is not None and stop_at.match(data):
                        return
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    server = socket.socket(socket.AF_UNIX)
                    stack.callback(server.close)
                    stack.callback(client.close)
                    server.connect(address.removeprefix("unix://"))
                    for ways in ((client, server, re.compile(request.encode())), (server, client, None)):
                        threading.Thread(target=carry, args=ways, daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"unix://{place}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
