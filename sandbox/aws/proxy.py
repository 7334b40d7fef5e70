"""The HTTP front before the sandbox's AWS: passes requests on to moto, answers what moto cannot, fails on demand."""

from __future__ import annotations

import hmac
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from health.secrets.secret import Secret
from sandbox.aws.errors import Refusal, refusal
from sandbox.aws.upstream import connection
from sandbox.plan import AwsMode
from sandbox.serving import OwnHttpServer

Change = Callable[[bytes], bytes]

TOKEN = "X-Amz-Security-Token"  # noqa: S105 - a header, and a parameter of presigned URLs
_HELD_S = 60  # the longest that a silent or slow answer holds its connection
_DRIP_S = 0.1
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "server", "date"}


@dataclass(frozen=True)
class Static:
    """Something that the front serves itself, whole or by range, to GET."""

    body: bytes
    content_type: str = "application/json"


@dataclass
class AwsProxy:
    """An AWS endpoint on 127.0.0.1, for this user alone.

    Attributes:
        upstream: moto's server, as :func:`sandbox.aws.upstream.connection` takes it.
        token: the session token that every request must carry, signed or not, in its header or in its URL.
        modes: operation as IAM names it, ``rds:DescribeDBClusters``, a service's ``rds:*``, a path, or ``*`` → how
            it fails.
        changes: operation → what is made of moto's answer.
        statics: path → what is served there in moto's place.
        seen: every operation that was asked for, in order.
    """

    upstream: str = ""
    token: Secret | None = None
    modes: dict[str, AwsMode] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    statics: dict[str, Static] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        handler = type("Handler", (_Handler,), {"front": self})
        self._server = OwnHttpServer(handler)
        self.url = self._server.url

    def start(self) -> None:
        """Serve until :meth:`stop` or the process's end."""
        threading.Thread(target=self._server.serve_forever, name="aws-front", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def admits(self, header: str, query: str) -> bool:
        """Whether a request carries the session's token: in a header, or in its URL as presigned ones do."""
        if self.token is None:
            return True
        shown = header or parse_qs(query).get(TOKEN, [""])[0]
        return hmac.compare_digest(shown.encode(), self.token.reveal().encode())

    def mode(self, operation: str) -> AwsMode | None:
        """How an operation fails, if it does."""
        service = operation.partition(":")[0]
        return next((self.modes[key] for key in (operation, f"{service}:*", "*") if key in self.modes), None)


class _Handler(BaseHTTPRequestHandler):
    front: AwsProxy
    protocol_version = "HTTP/1.1"
    timeout = _HELD_S

    def setup(self) -> None:
        super().setup()
        self._upstream: HTTPConnection | None = None

    def finish(self) -> None:
        if self._upstream is not None:
            self._upstream.close()
        super().finish()

    def _serve(self) -> None:
        if not self.front.admits(self.headers.get(TOKEN, ""), urlsplit(self.path).query):
            self.close_connection = True  # whatever else it sends is not read
            return self._refuse(refusal(_service(self.headers.get("Authorization", "")), "unknown"))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service = _service(self.headers.get("Authorization", ""))
        path = urlsplit(self.path).path
        target = self.headers.get("X-Amz-Target")
        operation = f"{service}:{_operation(service, self.command, self.path, target, body)}" if service else path
        self.front.seen.append(operation)
        mode = self.front.mode(operation)
        if mode in ("denied", "expired", "throttled"):
            return self._refuse(refusal(service, mode))
        if mode == "reset":
            self.close_connection = True
            return None
        if mode == "silent":
            return self._hold()
        static = self.front.statics.get(path)
        status, headers, answer = self._static(static) if static is not None else self._ask(body)
        if operation in self.front.changes and status == 200:  # noqa: PLR2004 - HTTP OK
            answer = self.front.changes[operation](answer)
        if mode == "html":
            status, headers, answer = 200, {"Content-Type": "text/html"}, b"<html><body>Sign in</body></html>"
        return self._answer(status, headers, answer, mode)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve  # noqa: N815 - the base class's names

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Moto's answer, over a connection that is kept."""
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        for attempt in range(2):  # the first may find that moto has closed the kept connection
            try:
                if self._upstream is None:
                    self._upstream = connection(self.front.upstream)
                self._upstream.request(self.command, self.path, body, headers)
                answer = self._upstream.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            except (OSError, HTTPException):
                self._upstream = None
                if attempt:
                    raise
        raise AssertionError

    def _static(self, static: Static) -> tuple[int, dict[str, str], bytes]:
        headers = {"Content-Type": static.content_type, "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            return 200, headers, static.body
        size = len(static.body)
        first = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
        last = min(size - 1, int(asked[2])) if asked[1] and asked[2] else size - 1
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return 206, headers, static.body[first : last + 1]

    def _refuse(self, how: Refusal) -> None:
        self._answer(how.status, how.headers, how.body, None)

    def _answer(self, status: int, headers: dict[str, str], body: bytes, mode: AwsMode | None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return None
        if mode == "slow":
            return self._drip(body)
        if mode in ("half", "cut"):
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if mode == "half":  # the other half never comes
                return self._hold()
            self.close_connection = True
            return None
        self.wfile.write(body)
        return None

    def _drip(self, body: bytes) -> None:
        until = time.monotonic() + _HELD_S
        for octet in body:
            self.wfile.write(bytes([octet]))
            self.wfile.flush()
            if time.monotonic() > until:
                self.close_connection = True
                return
            time.sleep(_DRIP_S)

    def _hold(self) -> None:
        """Say no more until the client gives up."""
        self.close_connection = True
        self.connection.settimeout(_HELD_S)
        self.connection.recv(1)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the client has given up, or moto has ended
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: standard output is the sandbox's answer."""


def _service(authorization: str) -> str:
    """The service that a request was signed for; API Gateway's second version signs for the first."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", authorization)
    return scope[1] if scope else ""


def _operation(service: str, method: str, path: str, target: str | None, body: bytes) -> str:
    """The name of an operation, from wherever the service's protocol has it."""
    if target:
        return target.rpartition(".")[2]
    if service in ("sts", "rds", "ec2", "iam"):
        return parse_qs(body.decode("utf-8", "replace")).get("Action", ["?"])[0]
    plain, query = urlsplit(path).path, parse_qs(urlsplit(path).query, keep_blank_values=True)
    for verb, pattern, needed, name in _requests(service):
        if verb == method and pattern.fullmatch(plain) and needed <= query.keys():
            return name
    return f"{method} {plain}"


@cache
def _requests(service: str) -> tuple[tuple[str, re.Pattern[str], frozenset[str], str], ...]:
    """Method, path and query of every operation of a REST service, as botocore's model has them."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("apigatewayv2" if service == "apigateway" else service)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        uri, _, query = http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{[^}]*?\\\+\\\}", ".+", re.escape(uri))
        pattern = re.sub(r"\\\{[^}]*?\\\}", "[^/]+", pattern)
        found.append(
            (http["method"], re.compile(f"{pattern}/?"), frozenset(parse_qs(query, keep_blank_values=True)), name)
        )
    # Those that need the most of a query come first: ListObjectsV2 before ListObjects.
    return tuple(sorted(found, key=lambda each: -len(each[2])))
