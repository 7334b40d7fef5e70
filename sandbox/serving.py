"""An HTTP server on 127.0.0.1 that answers this user alone."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fixtures.clients.peers import is_own_user


class OwnHttpServer(ThreadingHTTPServer):
    """A server at a free port; it hangs up on other users' processes."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def finish_request(self, request: socket.socket | Any, client_address: Any) -> None:
        """Serve a connection, on its own thread, if its peer is this user."""
        if is_own_user(request):
            super().finish_request(request, client_address)
