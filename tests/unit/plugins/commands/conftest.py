"""One throw-away PostgreSQL for the tests that try migrations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.clone.server import CloneServer
from plugins.run.check_catalog import all_checks
from tests.support.clone_servers import started


@pytest.fixture(scope="session", autouse=True)
def checks() -> None:
    """The checks are declared: an outcome without a value refers to one of them."""
    all_checks()


@pytest.fixture(scope="package")
def server() -> Iterator[CloneServer]:
    with started() as made:
        yield made
