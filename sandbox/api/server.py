"""The sandbox's Frigg API: an HTTP server that answers from the same database, and runs migrations on it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from health.history.history import History
from sandbox.api.runs import RunStore
from sandbox.plan import LOCAL, Plan
from sandbox.serving import OwnHttpServer

_COMMAND = "node /opt/nodejs/node_modules/prisma/build/index.js migrate status --schema=/opt/nodejs/schema.prisma"
_ERRORS = {
    "P3015": "Error: P3015\nCould not find the migration file at migration.sql.",
    "P3019": "Error: P3019\nThe datasource provider does not match the one in the lock file, migration_lock.toml.",
}
_HEADER = "x-frigg-admin-api-key"
_DATABASES = ("postgresql", "mongodb", "documentdb")
_HELD_S = 60
API_ID = "l0ca1ap1id"
_GATEWAY_404 = {"message": "Not Found"}
_INSTEAD: dict[str, tuple[int, bytes, str]] = {
    "html": (200, b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "text/html"),
    "unavailable": (503, b'{"message":"Service Unavailable"}', "application/json"),  # API Gateway's own
}


class FriggApi:
    """Serves the migration API on 127.0.0.1 to this user alone, behind the routes that its API Gateway would have.

    By ``plan.api_mode`` it is not there, says nothing, shows a page of HTML, has no routes, fails, lets API Gateway
    answer for it, looks at another database (``elsewhere``), or has an older layer (``behind``).

    Args:
        plan: key, base path and mode.
        read_history: reads the history anew; raises OSError when the database is not to be reached.
        runs: carries migrations out.
    """

    def __init__(self, plan: Plan, read_history: Callable[[], History], runs: RunStore) -> None:
        told = {"plan": plan, "read_history": staticmethod(read_history), "runs": runs}
        self._server = OwnHttpServer(type("Handler", (_Handler,), told))
        self._down = plan.api_mode == "down"
        self.url = self._server.url

    def start(self) -> None:
        """Serve until the process ends; or leave the port closed, where the API is to be down."""
        if self._down:
            self._server.server_close()
        else:
            threading.Thread(target=self._server.serve_forever, name="api", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    plan: Plan
    read_history: Callable[[], History]
    runs: RunStore
    timeout = 10

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        if self.plan.api_mode == "silent":
            self.connection.settimeout(_HELD_S)
            self.connection.recv(1)
            return None
        if self.plan.api_mode in _INSTEAD:
            return self._answer(*_INSTEAD[self.plan.api_mode])
        base, _, rest = url.path.removeprefix(self.plan.api_prefix).partition("/")
        routed = url.path.startswith(self.plan.api_prefix) and not base and "/" not in rest
        if self.plan.api_mode == "unrouted" or not routed or (self.command == "GET") != bool(rest):
            return self._answer(404, _GATEWAY_404)
        if self.headers.get(_HEADER) != self.plan.api_key:
            return self._refuse()
        stage = parse_qs(url.query).get("stage", [LOCAL.name])[0]  # the variable STAGE stands in for it
        if self.command == "POST":
            return self._trigger(sent)
        return self._tell_status(stage) if rest == "status" else self._tell_run(rest, stage)

    def _refuse(self) -> None:
        if self.plan.api_prefix.startswith("/admin"):
            return self._answer(401, {"error": "Unauthorized", "message": "Invalid admin API key"})
        return self._answer(401, {"status": "error", "message": f"Unauthorized - {_HEADER} header required"})

    def _trigger(self, sent: bytes) -> None:
        try:
            body = json.loads(sent) if sent else {}
            given = dict(body)
        except (ValueError, TypeError):
            return self._answer(500, {"message": "Internal Server Error"})  # the catch-all swallows the parser's 400
        problem = _problem(given)
        if problem:
            return self._answer(400, {"success": False, "error": problem})
        record = self.runs.queue(given["stage"], given.get("userId") or "admin")
        identifier = record["migrationId"]
        return self._answer(
            202,
            {
                "success": True, "migrationId": identifier, "state": record["state"],
                "statusUrl": f"{self.plan.api_prefix}/{identifier}",
                "s3Key": f"migrations/{record['stage']}/{identifier}.json",
                "message": "Database migration queued successfully",
            },
        )  # fmt: skip

    def _tell_run(self, identifier: str, stage: str) -> None:
        record = self.runs.read(identifier, stage)
        if record is None:
            return self._answer(404, {"success": False, "error": f"Migration not found: {identifier}"})
        return self._answer(200, record)

    def _tell_status(self, stage: str) -> None:
        worker = f"{LOCAL.prefix}dbMigrationWorker"
        if self.runs.busy or self.plan.api_mode == "failed":
            details = f"Lambda {worker} returned error: Lambda invocation failed"
            if self.runs.busy:
                details = f"Failed to invoke Lambda {worker}: Rate Exceeded."
            failed = {"success": False, "error": "Failed to check database state", "details": details}
            return self._answer(500, failed)
        problem = self._status()
        answer: dict[str, Any] = {
            "upToDate": not problem, "pendingMigrations": 0, "dbType": "postgresql", "stage": stage,
        }  # fmt: skip
        if problem:
            answer["error"] = f"Command failed: {_COMMAND}\n{problem}"
            answer["recommendation"] = "Run POST /db-migrate to initialize database"
        return self._answer(200, answer)

    def _status(self) -> str:
        """What the CLI's status prints on standard error; a space where it exits 1 without a word there."""
        try:
            history = self._seen(self.read_history())
        except PermissionError:
            return (
                "Error: P1000: Authentication failed against database server, the provided database credentials "
                "for `postgres` are not valid."
            )
        except OSError:
            return "Error: P1001: Can't reach database server at `the cluster`:`5432`"
        return self._judge(history)

    def _seen(self, history: History) -> History:
        """What the API's own layer and database are, where they are others than everybody else's."""
        if self.plan.api_mode == "elsewhere":
            return replace(history, recorded=replace(history.recorded, rows=history.recorded.rows[:-1]))
        if self.plan.api_mode == "behind":
            known = tuple(m for m in history.directory.migrations if m not in history.pending)
            return replace(history, directory=replace(history.directory, migrations=known))
        return history

    @staticmethod
    def _judge(history: History) -> str:
        diagnosis = history.diagnosis
        if diagnosis.error is not None:
            return _ERRORS[diagnosis.error]
        if diagnosis.diverged:
            unapplied, unpersisted = "\n".join(diagnosis.unapplied), "\n".join(diagnosis.unpersisted)
            return (
                "Your local migration history and the migrations table from your database are different:\n\n"
                f"The migrations have not yet been applied:\n{unapplied}\n\n"
                f"The migrations from the database are not found locally in prisma/migrations:\n{unpersisted}"
            )
        if diagnosis.unapplied:
            return " "
        if not history.recorded.table_exists:
            return "The current database is not managed by Prisma Migrate."
        if diagnosis.failed:
            plural = "migrations" if len(diagnosis.failed) > 1 else "migration"
            return f"Following {plural} have failed:\n" + "\n".join(diagnosis.failed)
        return ""

    def _answer(self, status: int, body: dict[str, Any] | bytes, kind: str = "application/json; charset=utf-8") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(HTTPStatus(status))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: standard output is the sandbox's answer."""


def _problem(given: dict[str, Any]) -> str:
    """Why the use case rejects the body of a trigger."""
    kind = given.get("dbType", "postgresql")
    if not isinstance(kind, str):
        return "dbType must be a string"
    if kind not in _DATABASES:
        return f'Invalid dbType: "{kind}". Must be one of: {", ".join(_DATABASES)}'
    if not given.get("stage"):
        return "stage is required"
    if not isinstance(given["stage"], str):
        return "stage must be a string"
    if not isinstance(given.get("userId", "admin"), str):
        return "userId must be a string"
    return ""


def routes(plan: Plan) -> dict[str, Any]:
    """What API Gateway's GetRoutes answers: ``resolve`` is routed since the release that moved it below /admin."""
    keys = ["POST {}", "GET {}/status", "GET {}/{{processId}}"]
    if plan.api_prefix.startswith("/admin"):
        keys.append("POST {}/resolve")
    if plan.api_mode == "unrouted":
        keys = []
    items = [
        {"routeId": f"r{number}", "routeKey": key.format(plan.api_prefix), "target": "integrations/i1"}
        for number, key in enumerate(keys)
    ]
    return {"items": items}
