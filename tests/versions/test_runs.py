"""A whole run on a local environment of every version."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.gate_runs import run


def test_a_run_proves_its_fixes_on_the_servers_own_version(fetched: Path, each_major: int, tmp_path: Path) -> None:
    arguments = ("--env=local", f"--postgres={each_major}", "--fault=half-applied", f"--report={tmp_path}")
    done = run(*arguments, env={"XDG_CACHE_HOME": str(fetched)})
    assert done.status == 1, done.text
    assert f"PostgreSQL {each_major} (auto)" in done.text
    (environment,) = json.loads((tmp_path / "report.json").read_text())["environments"]
    assert environment["rehearsal"]["status"] == "proven", environment["rehearsal"]
