"""A pooler between bastion and database that does not pass on what makes a session read only."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

# Texts of the same length, so that the lengths of the protocol's messages stay right.
_DROPPED = {
    b"default_transaction_read_only=on": b"default_transaction_read_only=no",
    b"REPEATABLE READ READ ONLY": b"REPEATABLE READ          ",
}


def listen(path: Path) -> socket.socket:
    """A socket that only those who may enter its directory can reach."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


class Pooler:
    """Listens on a socket and passes everything on to another one, all but that."""

    def __init__(self, own: Path, server: Path) -> None:
        self._own, self._server = own, server

    def start(self) -> Path:
        """Serve until the process ends; gives its own socket."""
        listener = listen(self._own)
        threading.Thread(target=self._accept, args=(listener,), name="pooler", daemon=True).start()
        return self._own

    def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            for text, other in _DROPPED.items():
                data = data.replace(text, other)
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
