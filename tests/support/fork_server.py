"""Starts sandboxes and gate runs by forking, as their imports are most of what they cost.

``python -m tests.support.fork_server KIND FD`` imports everything once, then forks for each request on the socket.
It ends with the socket.

- ``sandbox``: the message is JSON (``arguments`` of ``python -m sandbox``, and ``variables`` beside the server's own);
  the descriptors are its standard input and output.
- ``gate``: the descriptors are a request, standard output, standard error and an answer. The request is JSON
  (``words``, ``cwd``, ``env``); the answer is a line with the process id, and one with the exit status.
"""

from __future__ import annotations

import gc
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Literal

from plugins.paths import ROOT
from tests.support.load import patience

Kind = Literal["sandbox", "gate"]

_START_S, _END_S = 60.0, 20.0
_DESCRIPTORS = 4


class ForkServer:
    """The process that forks, for as long as this one lives."""

    def __init__(self, kind: Kind, env: dict[str, str] | None = None) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            subprocess.Popen(
                [sys.executable, "-m", "tests.support.fork_server", kind, str(theirs.fileno())],
                cwd=ROOT, env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for pytest, with which it ends
            )  # fmt: skip

    def fork(self, message: bytes, descriptors: list[int]) -> None:
        """Start a process that gets these descriptors; they are closed here."""
        try:
            socket.send_fds(self._socket, [message], descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


@cache
def sandboxes() -> ForkServer:
    """Give this process's server of sandboxes."""
    return ForkServer("sandbox")


@contextmanager
def forked_sandbox(message: bytes) -> Iterator[str]:
    """Run a sandbox until the block ends; gives the first line that it prints."""
    (its_input, ours), (output, its_output) = os.pipe(), os.pipe()
    sandboxes().fork(message, [its_input, its_output])
    with os.fdopen(output, "rb", buffering=0):
        try:
            yield line(output)
        finally:
            os.close(ours)
            while _readable(output, _END_S) and os.read(output, 4096):
                pass  # until it has ended


def line(descriptor: int) -> str:
    """Read a line, or fail with what came in its place."""
    text = b""
    while not text.endswith(b"\n"):
        if not _readable(descriptor, patience(_START_S)) or not (more := os.read(descriptor, 65536)):
            raise RuntimeError(f"the fork did not start: {text.decode()}")
        text += more
    return text.decode()


def _readable(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])


def main() -> None:
    """Import, then fork for each request."""
    forked = import_module(f"tests.support.forked_{sys.argv[1]}")
    requests = socket.socket(fileno=int(sys.argv[2]))
    kept = ExitStack()
    forked.load(kept)
    gc.freeze()  # what is shared with the forks is not written to
    while True:
        message, descriptors, *_ = socket.recv_fds(requests, 65536, _DESCRIPTORS)
        if not message:
            kept.close()
            return
        if os.fork() == 0:
            requests.close()
            forked.become(message, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


if __name__ == "__main__":
    main()
