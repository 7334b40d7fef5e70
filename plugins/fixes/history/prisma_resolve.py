"""Prisma's own ways to settle a migration: the command, and Frigg's call of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from health.api.routes import Routes
from health.config.environment import Environment
from health.finding import Fix
from health.history.history import History
from plugins.fixes import commands as shell

_How = Literal["applied", "rolled-back"]


def resolve(history: History, environment: Environment, routes: Routes | None, name: str, how: _How) -> Iterator[Fix]:
    """``prisma migrate resolve``, and the API's call where API Gateway is known to route it.

    Nothing where Prisma would refuse it: it records no orphan as applied (P3017), and nothing that has a row with an
    end, rolled back or not (P3008).
    """
    on_disk = name in history.directory.names
    has_ended = any(row.finished_at is not None for row in history.by_name.get(name, ()))
    if how == "applied" and (not on_disk or has_ended):
        return
    schema = shell.quote(str(environment.schema_path))
    yield Fix(
        "command",
        f"Prisma's own command does the same: prisma migrate resolve --{how}",
        f"{environment.prisma_cli} migrate resolve {shell.quote(f'--{how}={name}')} --schema={schema}",
        fallback=True,
        note=f"DATABASE_URL must lead {shell.way(environment)}. Prisma has no command that takes it back."
        f"{_told(routes)}",
    )
    if on_disk and routes is not None and routes.resolve is not None:
        body = json.dumps({"migrationName": name, "action": how, "stage": environment.stage})
        yield Fix(
            "http",
            f"The migration API does the same: resolve as {how}",
            f"POST {environment.api_url.rstrip('/')}{routes.resolve}\n"
            f"Content-Type: application/json\nx-frigg-admin-api-key: <the key of the auth function>\n\n{body}\n",
            fallback=True,
            note="It acts on the migrations of the deployed layer; a release that runs Prisma in the router itself "
            "answers 500 and changes nothing. There is no call that takes it back.",
        )


def _told(routes: Routes | None) -> str:
    """Why there is no call of the API beside the command."""
    if routes is None or routes.resolve is not None:
        return ""
    if routes.unknown:
        return f" Whether the API has a call for it is not known: {routes.unknown}."
    return " API Gateway routes no call of the API for it."
