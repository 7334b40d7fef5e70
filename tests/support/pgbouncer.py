"""A real PgBouncer in transaction mode before a server of ours."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.load import patience

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
_CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = {sessions}
"""


@contextmanager
def pgbouncer(directory: Path, server: int, user: str, password: str, sessions: int) -> Iterator[int]:
    """The port of a pooler.

    Args:
        directory: a directory of its own, which any user can enter.
        server: the port of the PostgreSQL behind it.
        user: who may log in.
        password: of that user, on both sides.
        sessions: how many it keeps with the server.
    """
    assert PROGRAM is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    users, configuration = directory / "users.txt", directory / "pgbouncer.ini"
    users.write_text(f'"{user}" "{password}"\n')
    configuration.write_text(_CONFIGURATION.format(server=server, port=port, users=users, sessions=sessions))
    other: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        nobody = pwd.getpwnam("nobody")
        other = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for path in (users, configuration):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    process = subprocess.Popen(
        [PROGRAM, "-q", str(configuration)], cwd="/", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **other
    )
    try:
        until = time.monotonic() + patience(10)
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < until, "PgBouncer does not listen"
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.communicate()
