"""The faults that the sandbox knows, asked of its program: nothing here imports it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import pytest

from fixtures.clients.child_environment import child_environment
from fixtures.clients.child_process import run
from health.sanitize import did_you_mean
from plugins.paths import ROOT
from plugins.run.packages import LOCAL, require


def list_faults() -> list[dict[str, str]]:
    """The sandbox's faults: name, does, raises, unanswered.

    Raises:
        pytest.UsageError: the sandbox's program does not run here.
    """
    require([LOCAL], "the sandbox")
    done = run(
        [sys.executable, "-m", "sandbox", "--list-faults"],
        cwd=ROOT,
        seconds=60,
        env=child_environment("PYTHON", "COVERAGE"),
    )
    if done.returncode:
        raise pytest.UsageError(f"the sandbox does not run here. python -m sandbox --list-faults, in {ROOT}, says why.")
    faults: list[dict[str, str]] = json.loads(done.stdout)
    return faults


def require_known(names: Iterable[str]) -> None:
    """Raise a usage error with the nearest names for a fault that the sandbox does not know."""
    known = [fault["name"] for fault in list_faults()]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, "--list-faults lists them.")
            raise pytest.UsageError(f"--fault: no fault {name!r}; {hint}")
