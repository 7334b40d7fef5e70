"""How much of the tests runs: ``--fast`` while editing, ``--by-turns`` in the pipeline, ``--full`` beside it."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

import pytest

from plugins.paths import ROOT
from tests.support.scheduling import is_one_world, scope_of

# Without a sandbox, and but for one server without a database.
_PURE = ("tests/unit/health", "tests/unit/plugins", "tests/checks", "tests/test_imports.py")
_WORLD = "tests/faults/test_faults.py"
_SCOPE = f"{_WORLD}[failed-migration]"
# What takes long -> with --by-turns, one part of so many runs, another one after each change of the sources.
_TURNS = {
    "tests/attack/names/": 7,
    "tests/attack/": 4,
    "tests/cases/": 16,
    "tests/command_line/": 5,
    "tests/engine/": 10,
    "tests/faults/": 10,
    "tests/sandbox/": 3,
    "tests/unit/fixtures/clone/": 4,
    "tests/unit/fixtures/database/": 4,
    "tests/unit/fixtures/history/": 4,
    "tests/unit/fixtures/pending/": 4,
    "tests/unit/fixtures/reconstruction/": 4,
    "tests/unit/fixtures/schema/": 4,
    "tests/unit/plugins/commands/": 4,
    "tests/unit/plugins/fixes/history/": 4,
    "tests/unit/plugins/run/": 4,
    "tests/versions/": 6,
}
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
    first = _number_of_sources()
    return [first + each for each in range(scaled(number))]


@cache
def _number_of_sources() -> int:
    sources = sorted(path for layer in ("health", "fixtures") for path in (ROOT / layer).rglob("*.py"))
    return _number(b"".join(path.read_bytes() for path in sources))


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:4])


def has_its_turn(nodeid: str) -> bool:
    """Whether a test is in the part that has its turn; what shares one world has it together."""
    turns = next((number for prefix, number in _TURNS.items() if nodeid.startswith(prefix)), 1)
    key = scope_of(nodeid) if is_one_world(nodeid) else nodeid
    return (_number(key.encode()) + _number_of_sources()) % turns == 0


class Effort:
    """The plugin behind the options."""

    def __init__(self, config: pytest.Config) -> None:
        self._fast: bool = config.getoption("fast")
        self._by_turns: bool = config.getoption("by_turns")
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
        """Leave out the other faults with ``--fast``, and what has not its turn with ``--by-turns``."""
        left_out = {item for item in items if not self._wanted(item)}
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]

    def _wanted(self, item: pytest.Item) -> bool:
        if self._fast and item.path == ROOT / _WORLD and scope_of(item.nodeid) != _SCOPE:
            return False
        return not self._by_turns or has_its_turn(item.nodeid)
