"""An HTTP server that answers octet by octet, or without end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Write = Callable[[socket.socket, threading.Event], None]


def drip(before: bytes, repeated: bytes = b"x", every_s: float = 0.05) -> Write:
    """Octets, one after the other, each in time for itself."""

    def write(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(before)
        while not over.wait(every_s):
            connection.sendall(repeated)

    return write


def flood(before: bytes, repeated: bytes) -> Write:
    """As many octets as the client takes."""

    def write(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(before)
        while not over.is_set():
            connection.sendall(repeated * 100)

    return write


def whole(body: bytes, headers: bytes = b"") -> Write:
    """A whole answer."""
    return lambda connection, _: connection.sendall(OK + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body)


@contextmanager
def serving(write: Write, *, tls: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """A server's URL, and what it has heard."""
    over = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def one(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            heard.append(connection.recv(65536))
            write(connection, over)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http{'s' * tls}://127.0.0.1:{server.getsockname()[1]}", heard
    finally:
        over.set()
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
