"""Broken environments on every version: what a run finds there, and the SQL that repairs it and takes that back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import fault_promises as promises
from tests.support.fault_fixes import read_cases
from tests.support.faults import Broken, all_faults, broken_by

# In the pipeline: a fix of the history, one of the schema, and what the rows are asked.
PIPELINE = ("half-applied", "column-dropped", "pending-duplicate-rows")
# One of each kind of SQL, and one of each topic.
FULL = (
    *PIPELINE, "failed-migration", "orphaned-migration", "pending-objects-exist", "duplicated-row", "no-history",
    "edited-migration", "comment-edited", "entity-data-missing", "column-nullable", "constraint-not-validated",
    "index-invalid", "sequence-behind", "partitions-changed", "lock-held", "stuck-process", "out-of-order",
    "reader", "too-many-connections", "api-elsewhere", "secret-rotated", "layer-mismatch", "worker-log-error",
)  # fmt: skip
CASES = read_cases()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the faults."""
    chosen = FULL if metafunc.config.getoption("full") else PIPELINE
    if "fault" in metafunc.fixturenames:
        metafunc.parametrize("fault", chosen, scope="module")


@pytest.fixture(scope="module")
def broken(fault: str, each_major: int, fetched: Path) -> Iterator[Broken]:
    with broken_by(fault, postgres=each_major) as world:
        yield world


def test_there_are_such_faults() -> None:
    assert set(FULL) <= {fault["name"] for fault in all_faults()}


def test_a_fault_is_found_and_the_sql_repairs_it(broken: Broken, fault: str, each_major: int) -> None:
    server = broken.read["server"]
    if server.problem is None:
        assert server.version.startswith(f"{each_major}.")
        assert broken.read["clone_server"].major == each_major
    promises.raises_its_finding(broken)
    assert broken.cases == CASES.get(fault, [])
    for case in broken.cases:
        promises.fixes_and_restores(broken, case)
    promises.ends_as_rehearsed(broken)
