"""The sandbox's bastion: an SSH server that checks keys and forwards to the cluster's endpoints only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncssh

from fixtures.clients.peers import own_user_holds
from sandbox.plan import TunnelPlan

USER = "ec2-user"
_START_S = 10


class SshBastion:
    """An SSH server on 127.0.0.1 in a thread of its own, for this user alone.

    ``forwards`` maps the names that it knows to sockets, or to None where nothing is to be reached behind a name; it
    may be filled after the start.
    """

    def __init__(self, key_file: Path, known_hosts: Path, way: TunnelPlan) -> None:
        self.forwards: dict[str, Path | None] = {}
        self.port = 0
        self._way = way
        self._client_key = asyncssh.generate_private_key("ssh-ed25519")
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        if way.key_mode is not None:
            key_file.touch(mode=0o600)
            key_file.write_bytes(self._client_key.export_private_key())
            key_file.chmod(way.key_mode)
        self._known_hosts = known_hosts
        self._ready = threading.Event()

    def start(self) -> None:
        """Serve until the process ends."""
        threading.Thread(target=lambda: asyncio.run(self._serve()), name="bastion", daemon=True).start()
        if not self._ready.wait(_START_S):
            raise RuntimeError("the SSH server did not start")
        key = _another_key() if self._way.host_key is None else self._host_key
        public = key.export_public_key().decode().strip()
        self._known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}\n" if self._way.host_key is not False else "")

    async def _serve(self) -> None:
        key = self._client_key if self._way.key_accepted else _another_key()
        keys = asyncssh.import_authorized_keys(key.export_public_key().decode())
        listener = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Server(self.forwards),
            server_host_keys=[self._host_key],
            authorized_client_keys=keys,
            password_auth=False,
            kbdint_auth=False,
        )
        self.port = listener.get_port()
        self._ready.set()
        await asyncio.Event().wait()


def _another_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


class _Server(asyncssh.SSHServer):
    def __init__(self, forwards: Mapping[str, Path | None]) -> None:
        self._forwards = forwards
        self._connection: Any = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        if not own_user_holds(conn.get_extra_info("peername"), conn.get_extra_info("sockname")):
            conn.abort()

    def begin_auth(self, username: str) -> bool:
        if username != USER:
            raise asyncssh.PermissionDenied("no such user")
        return True

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> Any:
        if dest_host not in self._forwards or dest_port != 5432:  # noqa: PLR2004 - PostgreSQL's port
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "Name or service not known")
        path = self._forwards[dest_host]
        if path is None:  # packets that a security group drops
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "Connection timed out")
        return self._connection.forward_unix_connection(str(path))
