"""A real shell for the commands that fixes suggest."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.history_table import PSQL
from tests.support.load import patience


def bash(script: str, directory: Path, **variables: str) -> str:
    """What a script prints; it must end well and complain of nothing."""
    file = directory / "script.sh"
    file.write_text(f"{script}\n", encoding="utf-8", newline="")
    known = {"PATH": f"{PSQL.parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(
        ["bash", "-u", file],
        cwd=directory,
        env={**known, **variables},
        capture_output=True,
        check=False,
        timeout=patience(30),
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()
