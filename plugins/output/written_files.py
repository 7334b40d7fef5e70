"""Tells in one line which file of pytest's own could not be written, after everything else has been told."""

from __future__ import annotations

import sys
from functools import wraps
from typing import Any

import pytest

from health.sanitize import one_line


def pytest_sessionstart(session: pytest.Session) -> None:
    """Guard what writes the file of ``--junitxml``: its failure would take the terminal's report with it."""
    plugins = session.config.pluginmanager
    for plugin in [each for each in plugins.get_plugins() if type(each).__name__ == "LogXML"]:
        name = plugins.get_name(plugin)
        plugins.unregister(plugin)
        _guard(plugin, session)
        plugins.register(plugin, name)


def _guard(plugin: Any, session: pytest.Session) -> None:
    write = plugin.pytest_sessionfinish

    @wraps(write)
    def pytest_sessionfinish() -> None:
        try:
            write()
        except OSError as error:
            could_not_write(session, "--junitxml", plugin.logfile, error)

    plugin.pytest_sessionfinish = pytest_sessionfinish


def could_not_write(session: pytest.Session, option: str, file: object, error: OSError) -> None:
    """Say that a file of the run is missing; whatever the checks found, the run has status 3."""
    print(one_line(f"{option}: {file} could not be written: {error.strerror}.", 1000), file=sys.stderr)
    session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
