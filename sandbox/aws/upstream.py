"""Speaks HTTP with moto's server, over a socket that other users cannot reach."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_S = 60
_UNIX = "unix"


def url_of(path: Path) -> str:
    """A socket as an upstream."""
    return f"{_UNIX}://{path}"


def connection(upstream: str) -> HTTPConnection:
    """A connection with an upstream, which is a URL of HTTP or of a socket."""
    url = urlsplit(upstream)
    return _SocketConnection(url.path) if url.scheme == _UNIX else HTTPConnection(url.netloc, timeout=_TIMEOUT_S)


class Sender:
    """Sends botocore's requests to an upstream, as a handler of its event ``before-send``."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream

    def __call__(self, request: Any, **_: object) -> Any:
        """Answer a prepared request."""
        from botocore.awsrequest import AWSResponse, HeadersDict

        url = urlsplit(request.url)
        headers = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
        }
        body = request.body.read() if hasattr(request.body, "read") else request.body
        through = connection(self._upstream)
        try:
            through.request(request.method, f"{url.path or '/'}{url.query and '?'}{url.query}", body, headers)
            answer = through.getresponse()
            said: Any = HeadersDict(answer.getheaders())
            return AWSResponse(request.url, answer.status, said, _Body(answer.read()))
        finally:
            through.close()


class _SocketConnection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(self._path)


class _Body(io.BytesIO):
    """The body of an answer, as botocore reads one of urllib3."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()
