"""Does the work of several tests side by side, where most of it is waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import pytest

T = TypeVar("T")
THREADS = 3


@contextmanager
def side_by_side(work: Mapping[str, Callable[[], T]], threads: int = THREADS) -> Iterator[Callable[[str], T]]:
    """Begin all work; gives a function that waits for a result by its name, and raises what the work raised."""
    with ThreadPoolExecutor(threads) as pool:
        begun = {name: pool.submit(do) for name, do in work.items()}
        try:
            yield lambda name: begun[name].result()
        finally:
            pool.shutdown(cancel_futures=True)


def selected(request: pytest.FixtureRequest, parameter: str) -> list[str]:
    """Give the values of a parameter with which tests of this module are to run."""
    items = [item for item in request.session.items if item.path == request.path]
    calls = [item.callspec.params for item in items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    return [str(call[parameter]) for call in calls if parameter in call]
