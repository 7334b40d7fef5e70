"""What API Gateway routes of the migration API."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from health.api.status import BASES


@dataclass(frozen=True)
class Routes:
    """Whether a call of ``resolve`` reaches the migration API.

    Attributes:
        resolve: the path under which it does; None where it does not, or where that is not known.
        unknown: why it is not known; empty where it is.
    """

    resolve: str | None = None
    unknown: str = ""


def api_id(api_url: str, given: str | None) -> str | None:
    """The id of an HTTP API: the registry's, else the first label of API Gateway's own host."""
    found = re.match(r"https://([a-z0-9]+)\.execute-api\.", api_url)
    return found[1] if found else given


def routes_of(keys: Iterable[str]) -> Routes:
    """Judge the route keys of an API: ``POST /db-migrate/resolve``, ``ANY /{proxy+}``, ``$default``."""
    everything = False
    for key in keys:
        method, _, path = key.partition(" ")
        if key == "$default":
            everything = True
        elif method in ("POST", "ANY"):
            for base in BASES:
                if _matches(path, f"{base}/resolve"):
                    if path.startswith(f"{base}/"):
                        return Routes(f"{base}/resolve")
                    everything = True
    if everything:
        return Routes(unknown="a route for every path leads somewhere, and does not tell what is served there")
    return Routes()


def _matches(route: str, path: str) -> bool:
    """Whether a route's path, with ``{one}`` and ``{rest+}``, fits a path."""
    pattern = re.sub(r"\\\{[^{}/]*\\\+\\\}", ".+", re.escape(route))
    return re.fullmatch(re.sub(r"\\\{[^{}/]*\\\}", "[^/]+", pattern), path) is not None
