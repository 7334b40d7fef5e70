"""A test that passes without an assertion fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from plugins.paths import ROOT
from tests.__main__ import COUNTED
from tests.support.load import patience

CONFTEST = """
from tests.support.assertions import install as pytest_configure
"""
TESTS = """
import pytest

def test_loop_over_nothing():
    for number in []:
        assert number

def test_assert():
    assert 1

def test_raises():
    with pytest.raises(ValueError):
        int("x")

def test_skipped():
    pytest.skip("for a reason")
"""


def test_what_asserts_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_own.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pytest.ini"), "--rootdir", str(tmp_path), *COUNTED]
    done = subprocess.run(
        [*command, "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=patience(60), check=False,
    )  # fmt: skip
    (failed,) = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert "test_loop_over_nothing" in failed
    assert "\nno assertion ran" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 failed, 2 passed, 1 skipped")
