"""An HTTP server before a migration API: it keeps what is asked, and answers as told, or passes it on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HEADER = "x-frigg-admin-api-key"


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    query: str
    key: str
    body: Any


@dataclass(frozen=True)
class Reply:
    """An answer; ``cut`` closes the connection in its place, ``after_s`` is how long it takes."""

    status: int = 200
    body: Any = field(default_factory=dict)
    cut: bool = False
    after_s: float = 0


CUT = Reply(cut=True)


class ApiRelay:
    """Listens on 127.0.0.1.

    Attributes:
        posts: the answers to POST, one after the other, the last one for ever; empty: it is passed on.
        gets: the same for GET of anything but the status.
        asked: every request, in order.
        watch: is called with each request before it is answered.
    """

    def __init__(self, target: str = "") -> None:
        self.target = target
        self.posts: list[Reply] = []
        self.gets: list[Reply] = []
        self.asked: list[Asked] = []
        self.watch: Callable[[Asked], None] = lambda _: None
        self._end = threading.Event()
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                relay._serve(self, "GET")

            def do_POST(self) -> None:
                relay._serve(self, "POST")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ApiRelay:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._server.shutdown()
        self._server.server_close()

    def say(self, posts: Iterable[Reply] = (), gets: Iterable[Reply] = ()) -> None:
        """Begin anew with these answers."""
        self.posts, self.gets, self.asked = list(posts), list(gets), []
        self.watch = lambda _: None

    def methods(self, method: str) -> list[Asked]:
        return [each for each in self.asked if each.method == method]

    def _serve(self, handler: BaseHTTPRequestHandler, method: str) -> None:
        data = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        url = urlsplit(handler.path)
        body = json.loads(data) if data else None
        asked = Asked(method, url.path, url.query, handler.headers.get(HEADER, ""), body)
        self.asked.append(asked)
        self.watch(asked)
        script = self.posts if method == "POST" else [] if url.path.endswith("/status") else self.gets
        if not script:
            self._pass_on(handler, method, data)
            return
        reply = script.pop(0) if len(script) > 1 else script[0]
        if self._end.wait(reply.after_s) or reply.cut:
            handler.close_connection = True
            return
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        self._send(handler, reply.status, text.encode())

    def _pass_on(self, handler: BaseHTTPRequestHandler, method: str, data: bytes) -> None:
        connection = HTTPConnection(urlsplit(self.target).netloc, timeout=30)
        headers = {HEADER: handler.headers.get(HEADER, ""), "Content-Type": "application/json"}
        connection.request(method, handler.path, data, headers)
        answer = connection.getresponse()
        self._send(handler, answer.status, answer.read())
        connection.close()

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, status: int, data: bytes) -> None:
        with suppress(OSError):  # whoever asked has left
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)
