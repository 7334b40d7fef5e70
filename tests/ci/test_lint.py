"""The tests follow the lints."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.__main__ import LINTS, lint


@pytest.mark.parametrize(("failing", "called"), [("ruff check .", 1), ("ruff format --check .", 2), ("mypy", 3)])
def test_the_first_lint_that_fails_ends_the_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: str, called: int
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\n[ "$*" != "-P -m {failing}" ] || exit 3\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    assert lint() == 3
    calls = [f"-P -m {' '.join(words)}" for words in LINTS[:called]]
    assert (tmp_path / "calls").read_text().splitlines() == calls
    assert capsys.readouterr().err == f"ci/test: stopped, as this failed: {failing}\n"
