"""The PostgreSQL of every version, where a run finds what was downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.clone.server import CloneServer
from plugins.run.check_catalog import all_checks
from tests.support.postgres_versions import PostgresVersions


@pytest.fixture(scope="session", autouse=True)
def checks() -> None:
    """The checks are declared: an outcome without a value refers to one of them."""
    all_checks()


@pytest.fixture(scope="module")
def fetched(each_major: int, postgres_versions: PostgresVersions) -> Iterator[Path]:
    """The cache in which a run finds the version of now; other tests know nothing of it."""
    postgres_versions.choice(each_major)
    with postgres_versions.in_cache() as place:
        yield place


@pytest.fixture(scope="module")
def server(each_major: int, postgres_versions: PostgresVersions) -> Iterator[CloneServer]:
    with postgres_versions.server(each_major) as made:
        yield made
