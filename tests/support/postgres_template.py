"""A data directory that is made once and copied: initdb is a quarter of what a forked sandbox costs."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path

import psycopg

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.secrets.secret import Secret


def install(stack: ExitStack) -> None:
    """Let this process, and its forks, start servers from a copy; the original lasts as long as ``stack``."""
    first = Secret("of the template")
    directory = stack.enter_context(private_directory("template"))
    directory.chmod(0o711)  # as root, PostgreSQL runs as nobody
    template = PrivatePostgres(directory, first)
    template._serve = lambda postgres: None  # type: ignore[method-assign]
    template.start()
    start = PrivatePostgres.start

    def copy(server: PrivatePostgres, binaries: Path, password_file: Path) -> None:
        subprocess.run(["cp", "-a", f"{template._data}/.", server._data], check=True)

    def start_copy(server: PrivatePostgres) -> None:
        start(server)
        if type(server) is not PrivatePostgres:
            return  # a standby, which is no copy of the template
        login = f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres"
        with psycopg.connect(login, password=first.reveal(), autocommit=True) as session:
            verifier = session.pgconn.encrypt_password(
                server._password.reveal().encode(), b"postgres", b"scram-sha-256"
            )
            session.execute(b"ALTER ROLE postgres PASSWORD '" + verifier + b"'")

    PrivatePostgres._make = copy  # type: ignore[method-assign, assignment]
    PrivatePostgres.start = start_copy  # type: ignore[method-assign, assignment]
