"""moto's server as a process of its own: its imports take a second that PostgreSQL's start can use."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Print the server's port, then serve until standard input ends."""
    gc.disable()  # moto's tables are many small objects: collecting among them doubles the start
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    print(port, flush=True)
    import moto.awslambda.models
    import moto.ec2.models  # the slow ones, before the first request  # noqa: F401

    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
