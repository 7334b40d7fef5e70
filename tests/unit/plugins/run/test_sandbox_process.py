"""What a person hears of a sandbox that starts, or does not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from health.finding import CouldNotCheck
from plugins.run import sandbox_process
from plugins.run.options import Run
from plugins.run.sandbox_process import Sandbox
from tests.support.load import patience

PROGRAM = """
import json, sys
assert "--progress" in sys.argv
for waits_for in ("its PostgreSQL", "its database to be filled"):
    print(json.dumps({"waits_for": waits_for}), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox that never gets further than to its database."""
    (tmp_path / "sandbox.py").write_text(PROGRAM)
    monkeypatch.setattr(sandbox_process, "ROOT", tmp_path)
    run: Any = Run(None, (), "before", "", "error", {}, (), None)  # type: ignore[arg-type]
    sandbox = Sandbox(run, "local")
    until = time.monotonic() + patience(60)
    while sandbox.waits_for != "its database to be filled" and time.monotonic() < until:
        time.sleep(0.01)
    return sandbox


def test_what_it_waits_for_is_known_while_it_starts(starting: Sandbox) -> None:
    assert starting.waits_for == "its database to be filled"
    assert not starting.environment.done()
    starting.close()


def test_too_slow_is_said_in_those_words(starting: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_process, "_READY_S", 0.001)
    starting.close()
    with pytest.raises(CouldNotCheck) as raised:
        starting.environment.result(patience(60))
    assert raised.value.what.startswith("the sandbox is too slow: it was not ready within 0.001 s")
    assert "It was waiting for its database to be filled" in str(raised.value)
    assert "less to do" in raised.value.remedy


def test_one_that_ends_by_itself_is_not_called_slow(starting: Sandbox) -> None:
    starting.close()
    with pytest.raises(CouldNotCheck, match="did not start"):
        starting.environment.result(patience(60))
