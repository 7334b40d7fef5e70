"""moto's server as a process of its own: its start takes a second that PostgreSQL's can use on another core."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
import threading
from typing import Any

REGION = "us-east-1"
_SERVICES = ("ec2", "rds", "awslambda", "logs", "s3", "secretsmanager", "iam", "sts")


def main(path: str) -> None:
    """Serve on a socket, and print a line when it is there; end with standard input."""
    ending = threading.Thread(target=_end_with_input, daemon=True)
    ending.start()  # first: what starts it may be killed while this imports
    gc.disable()  # moto's tables are many small objects: collecting among them doubles the start
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _lighten()
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(f"unix://{path}", verbose=False)
    server.start()
    print("ready", flush=True)
    for name in _SERVICES:  # while the sandbox imports its own: moto would import each with its first request
        importlib.import_module(f"moto.{name}.responses")
    gc.freeze()
    gc.enable()
    ending.join()


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


def _lighten() -> None:
    """Keep moto from reading all regions of all services, with instance types and images: over a second."""
    import boto3
    from moto.utilities import utils

    def regions(self: object, service_name: str, partition_name: str = "aws", **_: object) -> list[str]:
        return [REGION] if partition_name == "aws" else []

    load = utils.load_resource

    def light(resource: str) -> Any:
        if "instance_type" in resource:
            return {}
        return [] if "amis/" in resource else load(resource)

    boto3.Session.get_available_regions = regions  # type: ignore[method-assign,assignment]
    utils.load_resource = light


if __name__ == "__main__":
    main(sys.argv[1])
