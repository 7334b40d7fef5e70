"""Which tests run together, in which order, and which of them --fast leaves out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from plugins.paths import ROOT
from tests.support.load import patience
from tests.support.scheduling import rank, scope_of

FAULTS = "tests/faults/test_faults.py"


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        ("tests/docs/test_a.py::test_b", "tests/docs/test_a.py"),
        ("tests/docs/test_a.py::test_b[c:d]", "tests/docs/test_a.py"),
        (f"{FAULTS}::test_b", FAULTS),
        (f"{FAULTS}::test_b[reader]", f"{FAULTS}[reader]"),
        (f"{FAULTS}::test_b[reader-down]", f"{FAULTS}[reader-down]"),
        (f"{FAULTS}::test_b[reader:Run it [twice]: now]", f"{FAULTS}[reader]"),
    ],
)
def test_scope_is_the_file_or_the_fault(nodeid: str, scope: str) -> None:
    assert scope_of(nodeid) == scope


def test_the_longest_comes_first_and_what_is_not_listed_last() -> None:
    scopes = [
        "tests/x.py",
        f"{FAULTS}[reader]",
        "tests/engine/test_a.py",
        "tests/command_line/test_second_environment.py",
    ]
    assert sorted(scopes, key=rank) == scopes[::-1]


def collected(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-c", "pytest.ini", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "tests/faults", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=True,
    )
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_each_fault_is_set_up_once_and_fast_has_one() -> None:
    scopes = [scope_of(nodeid) for nodeid in collected() if nodeid.startswith(FAULTS)]
    changes = [scope for scope, before in zip(scopes, [None, *scopes], strict=False) if scope != before]
    assert len(changes) == len(set(changes)) > 90
    assert {scope_of(nodeid) for nodeid in collected("--fast")} == {f"{FAULTS}[failed-migration]"}
