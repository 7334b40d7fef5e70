"""A pooler between bastion and database that does not pass on what makes a session read only."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

# Texts of the same length, so that the lengths of the protocol's messages stay right.
_DROPPED = {
    b"default_transaction_read_only=on": b"default_transaction_read_only=no",
    b"REPEATABLE READ READ ONLY": b"REPEATABLE READ          ",
}


class Pooler:
    """Listens on 127.0.0.1 and passes everything on to a port there, all but that."""

    def __init__(self, port: int) -> None:
        self._port = port

    def start(self) -> int:
        """Serve until the process ends; gives its own port."""
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, args=(listener,), name="pooler", daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", self._port))
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
