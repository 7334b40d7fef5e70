"""Starts sandboxes by forking: importing moto, boto3 and the rest is most of what a sandbox costs.

``python -m tests.support.fork_server FD`` imports everything once, then forks for each request on the socket: the
arguments of ``python -m sandbox`` as JSON, with the descriptors of its standard input and output.
It ends with the socket.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import random
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial

from plugins.paths import ROOT
from tests.support import postgres_template

_START_S, _END_S = 60.0, 20.0


class Nursery:
    """The process that forks, for as long as this one lives."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            subprocess.Popen(
                [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())],
                cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip

    @contextmanager
    def sandbox(self, arguments: list[str]) -> Iterator[str]:
        """A sandbox, which ends with the block; gives the first line that it prints."""
        (its_input, ours), (output, its_output) = os.pipe(), os.pipe()
        try:
            socket.send_fds(self._socket, [json.dumps(arguments).encode()], [its_input, its_output])
        finally:
            os.close(its_input)
            os.close(its_output)
        with os.fdopen(output, "rb", buffering=0) as told:
            try:
                yield _line(told.fileno())
            finally:
                os.close(ours)
                while _readable(output, _END_S) and os.read(output, 4096):
                    pass  # until it has ended


@cache
def nursery() -> Nursery:
    """This process's own."""
    return Nursery()


def _line(descriptor: int) -> str:
    text = b""
    while not text.endswith(b"\n"):
        if not _readable(descriptor, _START_S) or not (more := os.read(descriptor, 65536)):
            raise RuntimeError(f"the sandbox did not start: {text.decode()}")
        text += more
    return text.decode()


def _readable(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])


def main() -> None:
    """Import, then fork for each request."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    _import()
    kept = ExitStack()
    postgres_template.install(kept)
    gc.freeze()  # what is shared with the forks is not written to
    while True:
        message, descriptors, *_ = socket.recv_fds(requests, 65536, 2)
        if not message:
            kept.close()
            return
        if os.fork() == 0:
            requests.close()
            _become(descriptors, partial(_sandbox, json.loads(message)))
        for each in descriptors:
            os.close(each)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _import() -> None:
    import botocore.loaders

    import sandbox
    from sandbox.aws import seed as aws
    from sandbox.aws import server as aws_server

    aws_server._lighten()
    for module in pkgutil.walk_packages(sandbox.__path__, "sandbox."):
        importlib.import_module(module.name)
    for name in ("moto.server", *(f"moto.{service}.responses" for service in aws_server._SERVICES)):
        importlib.import_module(name)
    import boto3

    loader = botocore.loaders.create_loader()  # it remembers the descriptions of the services that it has read
    botocore.loaders.create_loader = lambda *_: loader
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=aws_server.REGION)
    for service in ("ec2", "rds", "lambda", "logs", "s3", "secretsmanager", "iam", "sts"):
        session.client(service)
    aws.aws_server = _aws_server


def _sandbox(arguments: list[str]) -> None:
    from sandbox.__main__ import main as run

    run(arguments)


@contextmanager
def _aws_server() -> Iterator[Callable[[], str]]:
    """As :func:`sandbox.aws.seed.aws_server`, forked in place of started."""
    from sandbox.aws import server as aws_server

    (its_input, ours), (output, its_output) = os.pipe(), os.pipe()
    if (pid := os.fork()) == 0:
        os.close(ours)
        os.close(output)
        _become([its_input, its_output], aws_server.main)
    os.close(its_input)
    os.close(its_output)
    try:
        yield lambda: f"http://127.0.0.1:{int(_line(output))}"
    finally:
        os.close(ours)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _become(descriptors: list[int], run: Callable[[], None]) -> None:
    """Run something as this fork's own program, with these as its standard input and output; never returns."""
    status = 1
    try:
        os.setsid()
        for number, each in enumerate(descriptors):
            os.dup2(each, number)
            os.close(each)
        sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
        random.seed()  # else every fork would make up the same names
        run()
        sys.stdout.flush()
        status = 0
    except Exception:  # noqa: BLE001 - it has no other way to tell
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
