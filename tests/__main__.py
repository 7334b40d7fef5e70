"""Lints, type-checks and tests this project: ``python -m tests``, as ci/test does."""

from __future__ import annotations

import subprocess
import sys

from migration_health import SUITE
from migration_health.launcher import run

COUNTED = ("-o", "enable_assertion_pass_hook=true")  # tests/support/assertions.py counts assertions
LINTS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))


def lint() -> int:
    """Run the linters; gives the status of the first that fails."""
    for arguments in LINTS:
        status = subprocess.run([sys.executable, "-P", "-m", *arguments], cwd=SUITE, check=False).returncode
        if status:
            print(f"ci/test: stopped, as this failed: {' '.join(arguments)}", file=sys.stderr, flush=True)
            return status
    return 0


if __name__ == "__main__":
    sys.exit(lint() or run([*COUNTED, *sys.argv[1:]], SUITE / "tests"))
