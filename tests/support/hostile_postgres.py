"""A server that speaks PostgreSQL's protocol as an attacker would: a script for each connection."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Script = Callable[["Peer"], None]
_SSL_REQUEST = bytes.fromhex("04d2162f")
READY = b"Z\0\0\0\x05I"


def message(kind: bytes, body: bytes = b"") -> bytes:
    """A message of the protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


def authentication(code: int, body: bytes = b"") -> bytes:
    """A request for a way of authentication; 0 accepts."""
    return message(b"R", struct.pack("!I", code) + body)


def parameter(name: str, value: str) -> bytes:
    """A ParameterStatus."""
    return message(b"S", f"{name}\0{value}\0".encode())


def said(kind: bytes, text: str, sqlstate: str = "XX000") -> bytes:
    """An error (``E``) or a notice (``N``)."""
    return message(kind, f"SFATAL\0VFATAL\0C{sqlstate}\0M{text}\0\0".encode())


ACCEPTED = authentication(0) + parameter("server_version", "16.4") + parameter("client_encoding", "UTF8") + READY


class Peer:
    """One connection.

    Attributes:
        heard: all that the client has sent in clear text, or within TLS.
    """

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self.connection, self.over = connection, over
        self.heard = b""

    def send(self, data: bytes) -> None:
        """Send octets."""
        self.connection.sendall(data)

    def hear(self) -> bytes:
        """What comes next; empty at the end."""
        data = self.connection.recv(65536)
        self.heard += data
        return data

    def greeted(self, certificate: Path | None = None) -> Peer:
        """The peer behind its start-up message; with a certificate, within TLS."""
        if self.hear()[4:8] == _SSL_REQUEST:
            self.send(b"S" if certificate else b"N")
            if certificate is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate, certificate.with_suffix(".key"))
                self.connection = context.wrap_socket(self.connection, server_side=True)
            self.hear()
        return self

    def accepted(self) -> Peer:
        """The peer behind its login."""
        self.greeted().send(ACCEPTED)
        return self

    def drip(self, data: bytes, every_s: float = 0.05) -> None:
        """Send octet by octet, over and over."""
        while not self.over.is_set():
            for octet in data:
                self.send(bytes([octet]))
                if self.over.wait(every_s):
                    return

    def flood(self, data: bytes) -> None:
        """Send over and over."""
        block = data * max(1, 200_000 // len(data))
        while not self.over.is_set():
            self.send(block)

    def silent(self) -> None:
        """Say nothing, and keep the connection."""
        self.over.wait(60)


@contextmanager
def hostile(script: Script) -> Iterator[tuple[int, list[Peer]]]:
    """Serve each connection by a script; give the port, and the peers that have come."""
    over = threading.Event()
    peers: list[Peer] = []
    server = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        peer = Peer(connection, over)
        peers.append(peer)
        with suppress(OSError), connection:
            script(peer)
            while not over.is_set() and peer.hear():
                pass

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1], peers
    finally:
        over.set()
        # accept() does not notice that its socket is closed.
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


def scram(iterations: int) -> Script:
    """Ask for a password that takes long to prove."""

    def script(peer: Peer) -> None:
        peer.greeted().send(authentication(10, b"SCRAM-SHA-256\0\0"))
        nonce = peer.hear().rpartition(b"r=")[2]
        peer.send(authentication(11, b"r=%bx,s=c2FsdHNhbHQ=,i=%d" % (nonce, iterations)))

    return script


def elapsed(work: Callable[[], object]) -> float:
    """The seconds that a piece of work takes."""
    begin = time.monotonic()
    work()
    return time.monotonic() - begin
