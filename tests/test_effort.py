"""Every test has its turn, whatever the pipeline leaves out of a run."""

from __future__ import annotations

import pytest

from tests.support import effort

LONG = [f"tests/engine/test_engine.py::test_x[{number}]" for number in range(50)]


def turns(nodeids: list[str], monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What runs after each of some changes of the sources."""
    parts = []
    monkeypatch.setattr(effort, "_TURNS", {"tests/engine/": 4, "tests/faults/": 4})
    for number in range(4):
        monkeypatch.setattr(effort, "_number_of_sources", lambda number=number: number)
        parts.append({nodeid for nodeid in nodeids if effort.has_its_turn(nodeid)})
    return parts


def test_each_long_test_has_one_turn_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = turns(LONG, monkeypatch)
    assert set.union(*parts) == set(LONG)
    assert sum(map(len, parts)) == len(LONG)
    assert all(parts)


def test_what_is_short_runs_always(monkeypatch: pytest.MonkeyPatch) -> None:
    short = ["tests/unit/health/test_x.py::test_x[1]", "tests/test_imports.py::test_y"]
    assert turns(short, monkeypatch) == [set(short)] * 4


def test_the_tests_of_a_fault_have_their_turn_together(monkeypatch: pytest.MonkeyPatch) -> None:
    of_a_fault = [f"tests/faults/test_faults.py::test_{name}[half-applied:{name}]" for name in "abcdef"]
    assert sorted(map(len, turns(of_a_fault, monkeypatch))) == [0, 0, 0, 6]
