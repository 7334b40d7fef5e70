"""The options of this project's own tests, and the place where they keep what is kept between runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.run.user_files import from_here, shown
from tests.support import assertions, effort, histories
from tests.support.postgres_versions import PostgresVersions, pytest_generate_tests
from tests.support.scheduling import pytest_collection_modifyitems, pytest_xdist_make_scheduler

__all__ = ["pytest_collection_modifyitems", "pytest_generate_tests", "pytest_xdist_make_scheduler"]  # hooks


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("tests of this project")
    group.addoption(
        "--histories", metavar="FILE", help="other histories with the engines' answers than prisma-histories-1.json"
    )
    group.addoption("--fast", action="store_true", help="the pure tests and one fault, in a minute")
    group.addoption("--by-turns", action="store_true", help="a part of the long tests, another after each change")
    group.addoption("--full", action="store_true", help="more examples, and real processes in place of forked ones")


def pytest_configure(config: pytest.Config) -> None:
    """Read the histories that the user names, or end the run with one line and status 4."""
    assertions.install(config)
    config.pluginmanager.register(effort.Effort(config))
    if (value := config.getoption("histories")) is None:
        return
    file = from_here(config, value)
    try:
        config.stash[histories.GIVEN] = histories.read(file)
    except histories.ShapeError as error:
        raise pytest.UsageError(
            f"--histories: {file}: {error}. Name a file of the shape of {shown(histories.OWN)}."
        ) from None


@pytest.fixture(scope="session", autouse=True)
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tests, and the runs that they start, share what they learn, and leave nothing in the user's home."""
    path = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(path))
        yield path


@pytest.fixture(scope="session")
def postgres_versions() -> PostgresVersions:
    """PostgreSQL of every major version."""
    return PostgresVersions()
