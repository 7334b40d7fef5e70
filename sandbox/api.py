"""The sandbox's Frigg API, generation G2: an HTTP server that answers from the same database."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from health.history import History

_COMMAND = "node /opt/nodejs/node_modules/prisma/build/index.js migrate status --schema=/opt/nodejs/schema.prisma"
_ERRORS = {
    "P3015": "Error: P3015\nCould not find the migration file at migration.sql.",
    "P3019": "Error: P3019\nThe datasource provider does not match the one in the lock file, migration_lock.toml.",
}


class FriggApi:
    """Serves ``/db-migrate`` on 127.0.0.1.

    Args:
        key: what ``x-frigg-admin-api-key`` must hold.
        read_history: reads the history anew; raises OSError when the database is not to be reached.
    """

    def __init__(self, key: str, read_history: Callable[[], History]) -> None:
        handler = type("Handler", (_Handler,), {"key": key, "read_history": staticmethod(read_history)})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve until the process ends."""
        threading.Thread(target=self._server.serve_forever, name="api", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    key: str
    read_history: Callable[[], History]
    timeout = 10

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if not url.path.startswith("/db-migrate/"):
            return self._answer(404, {"message": "Not Found"})  # API Gateway's own
        if self.headers.get("x-frigg-admin-api-key") != self.key:
            message = "Unauthorized - x-frigg-admin-api-key header required"
            return self._answer(401, {"status": "error", "message": message})
        identifier = url.path.removeprefix("/db-migrate/")
        if identifier != "status":
            return self._answer(404, {"success": False, "error": f"Migration not found: {identifier}"})
        stage = parse_qs(url.query).get("stage", ["production"])[0]
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
            history = self.read_history()
        except PermissionError:
            return (
                "Error: P1000: Authentication failed against database server, the provided database credentials "
                "for `postgres` are not valid."
            )
        except OSError:
            return "Error: P1001: Can't reach database server at `the cluster`:`5432`"
        return self._judge(history)

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

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(HTTPStatus(status))
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: standard output is the sandbox's answer."""
