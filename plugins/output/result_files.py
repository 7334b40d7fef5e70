"""``--sarif FILE`` and ``--code-climate FILE``: findings at their lines, for code scanning."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from health.report.json_values import Json
from health.report.record import Record
from plugins.output.private_files import write_private
from plugins.run.user_files import from_here

_OPTIONS = ("sarif", "code_climate")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("migration health")
    group.addoption("--sarif", metavar="FILE", help="write findings at lines of files as SARIF 2.1.0")
    group.addoption("--code-climate", metavar="FILE", help="write them as GitLab's code quality report")
    parser.addini("docs_url", "address of the suite's docs/, for links in reports")


def pytest_configure(config: pytest.Config) -> None:
    """Look at the directories at once: a run whose report cannot be kept must not begin."""
    for name in _OPTIONS if not hasattr(config, "workerinput") else ():
        if value := config.getoption(name):
            path = from_here(config, value)
            option = f"--{name.replace('_', '-')}"
            if path.is_dir():
                raise pytest.UsageError(f"{option}: {path} is a directory. Name a file to write.")
            if not os.access(path.parent, os.W_OK | os.X_OK):
                why = "cannot be written to" if path.parent.exists() else "does not exist"
                raise pytest.UsageError(f"{option}: the directory {path.parent} {why}. Name another file.")


def write_sarif(config: pytest.Config, record: Record) -> None:
    """Write the file of ``--sarif``.

    Raises:
        OSError: it could not be written.
    """
    from health.report.sarif import sarif

    _write(config, "sarif", sarif(record, checkout(config), config.getini("docs_url")))


def write_code_climate(config: pytest.Config, record: Record) -> None:
    """Write the file of ``--code-climate``.

    Raises:
        OSError: it could not be written.
    """
    from health.report.code_climate import code_climate

    _write(config, "code_climate", code_climate(record, checkout(config)))


def checkout(config: pytest.Config) -> str:
    """The root of the repository's checkout: the CI server's own word, else where the user stands."""
    told = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR")
    return os.path.normpath(Path(config.invocation_params.dir, told or ""))


def _write(config: pytest.Config, option: str, report: Json) -> None:
    text = json.dumps(report, indent=2, ensure_ascii=True)
    write_private(from_here(config, config.getoption(option)), text + "\n")
