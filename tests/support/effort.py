"""How much of the tests runs: ``--fast`` while editing, ``--full`` beside the pipeline."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from plugins.paths import ROOT
from tests.support.scheduling import scope_of

# Without a sandbox, and but for one server without a database.
_PURE = ("tests/unit/health", "tests/unit/plugins", "tests/checks", "tests/test_imports.py")
_WORLD = "tests/faults/test_faults.py"
_SCOPE = f"{_WORLD}[failed-migration]"
_REAL_RUNS = "TESTS_REAL_RUNS"  # see tests/support/gate_runs.py
_EXAMPLES = "TESTS_EXAMPLES"  # times the usual number


def full() -> bool:
    """Whether all is wanted, in whatever time that needs: ``--full``."""
    return _REAL_RUNS in os.environ


def scaled(number: int) -> int:
    """Scale how many examples hypothesis makes up."""
    return max(1, round(number * float(os.environ.get(_EXAMPLES, "1"))))


def seconds(number: float, most: float) -> float:
    """Scale how long something long may take, up to what a user gives it."""
    return min(most, number * float(os.environ.get(_EXAMPLES, "1")))


def seeds(number: int) -> list[int]:
    """So many seeds, scaled: others after each change of the sources, and the same in every run of the same."""
    sources = sorted(path for layer in ("health", "fixtures") for path in (ROOT / layer).rglob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).digest()
    first = int.from_bytes(digest[:4])
    return [first + each for each in range(scaled(number))]


class Effort:
    """The plugin behind the options."""

    def __init__(self, config: pytest.Config) -> None:
        self._fast: bool = config.getoption("fast")
        if self._fast:
            os.environ[_EXAMPLES] = "0.1"
        elif config.getoption("full"):
            os.environ |= {_REAL_RUNS: "1", _EXAMPLES: "20"}
        from hypothesis import settings

        # A deadline would measure the machine's load.
        settings.register_profile("tests", deadline=None, max_examples=scaled(100))
        settings.load_profile("tests")

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """With ``--fast``, leave out what is neither pure nor the one world."""
        if not self._fast:
            return None
        wanted = [ROOT / name for name in (*_PURE, _WORLD)]
        related = any(path.is_relative_to(collection_path) or collection_path.is_relative_to(path) for path in wanted)
        return None if related else True

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """With ``--fast``, leave out the other faults."""
        if self._fast:
            left_out = {item for item in items if item.path == ROOT / _WORLD and scope_of(item.nodeid) != _SCOPE}
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]
