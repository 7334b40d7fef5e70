"""Starts a benchmark under the project's own Python, with what it needs installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ci import bootstrap


def at_home(module: str, extras: Sequence[str]) -> None:
    """Go on under ``.venv``'s own Python, which is used as it is; under another, become ``python -m module`` there."""
    if Path(sys.prefix).resolve() != bootstrap.VENV:
        become(module, extras)


def become(module: str, extras: Sequence[str], without: tuple[str, ...] = ()) -> NoReturn:
    """Become ``python -m module``, with the same arguments.

    Args:
        module: that is run.
        extras: of pyproject.toml, installed beside its dependencies unless this is ``.venv``'s own Python already.
        without: what the variables begin with that are not handed on.

    Raises:
        SystemExit: 4, the set-up failed; stderr says why.
    """
    try:
        if Path(sys.prefix).resolve() != bootstrap.VENV:
            bootstrap.prepare("bench", extras)
        inherited = bootstrap.environment(PYTHONPATH=str(bootstrap.ROOT))
        clean = {name: value for name, value in inherited.items() if not name.startswith(without)}
        run = [bootstrap.PYTHON, "-P", "-m", module, *sys.argv[1:]]
        os.execve(bootstrap.PYTHON, run, clean)  # noqa: S606 - the project's own Python
    except (bootstrap.SetupError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(4)
