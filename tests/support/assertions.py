"""A test that passes without an assertion fails: it would pass whatever the code does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest


class Counter:
    """Counts the assertions that hold, and each ``pytest.raises``."""

    def __init__(self) -> None:
        self.count = 0

    def pytest_assertion_pass(self) -> None:
        """Count one; pytest calls it where pytest.ini has enable_assertion_pass_hook."""
        self.count += 1

    def _counting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def counted(*arguments: Any) -> Any:
            self.count += 1
            return method(*arguments)

        return counted

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Fail a test that has asserted nothing."""
        before = self.count
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pytest.RaisesExc, "__exit__", self._counting(pytest.RaisesExc.__exit__))
            yield
        if self.count == before:
            pytest.fail("no assertion ran; or __pycache__ is older than pytest.ini: delete it", pytrace=False)
