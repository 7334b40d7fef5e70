"""One throw-away PostgreSQL for the tests that try migrations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.clone.server import CloneServer, clone
from plugins.run.check_catalog import all_checks


@pytest.fixture(scope="session", autouse=True)
def checks() -> None:
    """The checks are declared: an outcome without a value refers to one of them."""
    all_checks()


@pytest.fixture(scope="package")
def server() -> Iterator[CloneServer]:
    with clone("public") as made:
        with made.database("first"):
            pass  # a server starts with the first one
        yield made
