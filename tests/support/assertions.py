"""With ``ci/test``, a test that passes without an assertion fails: it would pass whatever the code does."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest

from plugins.paths import ROOT
from tests import support

_COUNTED = "enable_assertion_pass_hook"


def install(config: pytest.Config) -> None:
    """Count, where pytest compiles assertions for it; what is compiled so is kept apart.

    It is not for the checks: pytest then words a failure otherwise, and doubles the percent signs of its message.
    """
    if not config.getini(_COUNTED):
        return
    sys.pycache_prefix = str(ROOT / ".pytest_cache" / "counted")
    helpers = [module.name for module in pkgutil.iter_modules(support.__path__, f"{support.__name__}.")]
    pytest.register_assert_rewrite(*(name for name in helpers if name not in sys.modules))
    config.pluginmanager.register(Counter())


class Counter:
    """Counts the assertions that hold, and each ``pytest.raises``."""

    def __init__(self) -> None:
        self.count = 0

    def pytest_assertion_pass(self) -> None:
        """Count one."""
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
            pytest.fail("no assertion ran", pytrace=False)
