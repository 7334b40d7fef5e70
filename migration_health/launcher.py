"""Runs the suite's checks by pytest, wherever the user stands: the console script, and ``ci/gate``."""

import os
import stat
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from migration_health import INSTALLED, SUITE, __version__
from migration_health.arguments import complete

# A word in the first place that stands for an option.
COMMANDS = {"init": "--init", "fetch-postgres": "--fetch-postgres"}
SETUP_FAILED = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks, or do what the first word asks for.

    Args:
        arguments: pytest's; those of the process where None.

    Returns:
        Pytest's exit status.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in COMMANDS:
        words[0] = COMMANDS[words[0]]
    if words[:1] == ["report"]:
        return _report(words[1:])
    if find_spec("pytest") is None:
        print("migration-health: pytest is not installed: pip install pytest", file=sys.stderr)
        return SETUP_FAILED
    if "--version" in words or "-V" in words:
        print(version())
        return 0
    return run(words, SUITE / "checks")


def _report(words: Sequence[str]) -> int:
    """Make a page of records that are there: no run of pytest."""
    sys.path.insert(0, str(SUITE))
    return int(import_module("plugins.commands.report_page").main(words))


def version() -> str:
    """Name this program's version, and those of what it runs on."""
    from importlib.metadata import version as of

    python = ".".join(map(str, sys.version_info[:3]))
    return f"migration-health {__version__}, pytest {of('pytest')}, Python {python}"


def run(arguments: Sequence[str], folder: Path) -> int:
    """Run pytest in this process.

    Args:
        arguments: pytest's.
        folder: the tests to run where none is named.
    """
    import pytest

    # Modules come from the suite, never from the directory where the user stands or a package of the same name.
    sys.path.insert(0, str(SUITE))
    try:
        status = int(pytest.main([*_of_wheel(), *complete(arguments, SUITE, folder)]))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _of_wheel() -> list[str]:
    """Keep pytest from leaving files in the installed package, which no uninstall would remove."""
    if not INSTALLED:
        return []
    place = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "migration-health")
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)  # pytest would let others in
        status = place.lstat()
        own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    except OSError:
        own = False
    return ["--assert=plain", *(["-o", f"cache_dir={place}/pytest"] if own else ["-p", "no:cacheprovider"])]
