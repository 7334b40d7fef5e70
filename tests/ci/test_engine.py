"""``ci/engine``: where there is no engine it says so in a line, and installs and makes nothing for a command."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from plugins.paths import ROOT
from tests.support.load import patience


def test_what_was_not_made_is_not_made_for_a_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "ci" / "engine", "echo", "it ran"], env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=patience(10), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("ci/engine: ")
    assert line.endswith(("run ci/engine", "only root may start it"))
    assert not (tmp_path / "migration-health-engine" / "storage").exists()
