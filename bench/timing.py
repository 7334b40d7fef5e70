"""A pytest plugin, ``-p bench.timing``: when each phase of a run ended, as JSON in the file ``$BENCH_TIMING``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "BENCH_TIMING"
PHASES = ("start and imports", "collection", "facts", "checks", "closing", "report", "end")
_stamps: list[float] = []


def seconds(file: Path, began: float, ended: float) -> dict[str, float]:
    """Phase → seconds; ``began`` and ``ended`` are the process's, as its parent's monotonic clock told them."""
    stamps = [began, *json.loads(file.read_text()), ended]
    return {phase: after - before for phase, (before, after) in zip(PHASES, pairwise(stamps), strict=True)}


def _stamp(number: int) -> None:
    del _stamps[number:]  # of repeated ones the last counts
    _stamps.append(time.monotonic())  # one clock for all processes of a machine


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """All plugins are imported."""
    _stamp(0)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop() -> Iterator[Any]:
    """All is collected; afterwards: resources are freed."""
    _stamp(1)
    try:
        return (yield)
    finally:
        _stamp(4)


@pytest.hookimpl(optionalhook=True, trylast=True)
def pytest_facts_read() -> None:
    """All facts are there."""
    _stamp(2)


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish() -> None:
    """One more check is done."""
    _stamp(3)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """All reports are written; what follows is pytest's and Python's own end."""
    _stamp(5)
    Path(os.environ[VARIABLE]).write_text(json.dumps(_stamps))
