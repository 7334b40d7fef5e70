"""Completes pytest's arguments, so that the suite runs from any directory and paths are meant from there."""

from collections.abc import Sequence
from pathlib import Path

# The suite's options that take a value: those of plugins/ and of tests/conftest.py.
VALUED = (
    "--app", "--at-once", "--case", "--clone", "--code-climate", "--confirm", "--database-url", "--editing", "--env",
    "--environments", "--explain", "--fail-on", "--fault", "--fetch-postgres", "--format", "--histories", "--history",
    "--history-nights", "--migrations", "--phase", "--postgres", "--replay", "--report", "--rows", "--sarif", "--save",
    "--save-case", "--tunnel-script", "--waivers",
)  # fmt: skip


def complete(arguments: Sequence[str], suite: Path, folder: Path) -> list[str]:
    """Complete the arguments of a run.

    Args:
        arguments: pytest's, as the user wrote them where they stand.
        suite: the directory with pytest.ini.
        folder: the tests to run where none is named.
    """
    completed = [_from_suite(argument, suite) for argument in _joined(arguments)]
    # A value of pytest's own options can be a path too, so only what is surely a test counts as one.
    paths = [argument.partition("::")[0] for argument in completed if argument[:1] not in {"", "-"}]
    named = any(path.endswith(".py") or Path(path).resolve().is_relative_to(folder) for path in paths)
    return ["-c", str(suite / "pytest.ini"), "--rootdir", str(suite), *([] if named else [str(folder)]), *completed]


def _joined(arguments: Sequence[str]) -> list[str]:
    """Write ``--app DIR`` as ``--app=DIR``: pytest would take a directory that stands alone for a place of tests."""
    result: list[str] = []
    for argument in arguments:
        if result and result[-1] in VALUED:
            result[-1] += f"={argument}"
        else:
            result.append(argument)
    return result


def _from_suite(argument: str, suite: Path) -> str:
    """Find a test as reports name it, ``checks/test_x.py::test_y[env]``, in the suite if it is not found here."""
    path = argument.partition("::")[0]
    below = path.endswith(".py") and not Path(path).exists() and (suite / path).exists()
    return str(suite / argument) if below else argument
