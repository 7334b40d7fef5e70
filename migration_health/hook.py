"""The program ``migration-health-hook``: asks ``--editing`` about the migration files that pre-commit names."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BLOCKED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask about one migration after the other.

    Args:
        arguments: files ``…/NAME/migration.sql``, and options of migration-health, which are passed on; those of the
            process where None.

    Returns:
        0 if each may be edited, 1 if one may not, else the highest exit status.
    """
    words = sys.argv[1:] if arguments is None else arguments
    options = [word for word in words if word.startswith("-")]
    files = [Path(word) for word in words if not word.startswith("-")]
    statuses = {_ask(file.parent, options) for file in files}
    return BLOCKED if BLOCKED in statuses else max(statuses, default=0)


def _ask(migration: Path, options: Sequence[str]) -> int:
    command = [sys.executable, "-P", "-m", "migration_health"]
    question = [f"--editing={migration.name}", f"--migrations={migration.parent}"]
    return subprocess.run([*command, *question, *options], check=False).returncode  # noqa: S603 - no shell reads it
