"""A sandbox in a fork of a process that has imported moto, boto3 and the rest."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import random
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.support.fork_server import line


def load(stack: ExitStack) -> None:
    """Import what a sandbox needs, and make the data directory that all of them copy."""
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


def become(message: bytes, descriptors: list[int]) -> None:
    """Run a sandbox as this fork's own program; never returns."""
    _become(descriptors, partial(_sandbox, **json.loads(message)))


def _sandbox(arguments: list[str], variables: dict[str, str]) -> None:
    from sandbox.__main__ import main as run

    os.environ.update(variables)
    run(arguments)


@contextmanager
def _aws_server(directory: Path) -> Iterator[Callable[[], str]]:
    """As :func:`sandbox.aws.seed.aws_server`, forked in place of started."""
    from sandbox.aws import seed
    from sandbox.aws import server as aws_server

    path = seed.moto_socket(directory)
    (its_input, ours), (output, its_output) = os.pipe(), os.pipe()
    if (pid := os.fork()) == 0:
        os.close(ours)
        os.close(output)
        _become([its_input, its_output], partial(aws_server.main, str(path)))
    os.close(its_input)
    os.close(its_output)
    try:
        yield lambda: seed.started(line(output), path)
    finally:
        os.close(ours)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _become(descriptors: list[int], run: Callable[[], None]) -> None:
    """Run something as this fork's own program, with these as its standard input and output; never returns."""
    status = 1
    try:
        os.setsid()
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
        random.seed()  # else every fork would make up the same names
        run()
        sys.stdout.flush()
        status = 0
    except Exception:  # noqa: BLE001 - it has no other way to tell
        traceback.print_exc()
    finally:
        os._exit(status)
