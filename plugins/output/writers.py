"""Writes the record of a run wherever it was asked for, after the findings are printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import Any

import pytest

from health.sanitize import one_line
from plugins.output import nightly
from plugins.redaction.values import hidden
from plugins.run.recorder import RECORD


@dataclass(frozen=True)
class Writer:
    """What writes a record to one place; its module is imported only where that was asked for.

    Attributes:
        name: how a person asks for it.
        wanted: whether that was done.
        function: ``module:name``, called with pytest's configuration and the record. What it raises is told in a line.
    """

    name: str
    wanted: Callable[[pytest.Config], object]
    function: str

    def write(self, config: pytest.Config, record: object) -> None:
        """Write the record."""
        module, _, name = self.function.partition(":")
        getattr(import_module(module), name)(config, record)


def _on_github(_: pytest.Config) -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


WRITERS = (
    Writer("--history", nightly.wanted, "plugins.output.nightly:write"),
    Writer("fixes", lambda config: not config.getoption("report"), "plugins.output.fix_files:write"),
    Writer("--report", lambda config: config.getoption("report"), "plugins.output.report_files:write"),
    Writer("--save-case", lambda config: config.getoption("save_case"), "plugins.output.case_directory:write"),
    Writer("--save", lambda config: config.getoption("save"), "plugins.output.saved_file:write"),
    Writer("--sarif", lambda config: config.getoption("sarif"), "plugins.output.result_files:write_sarif"),
    Writer(
        "--code-climate",
        lambda config: config.getoption("code_climate"),
        "plugins.output.result_files:write_code_climate",
    ),
    Writer("annotations", _on_github, "plugins.output.github:annotate"),
    Writer(
        "GITHUB_STEP_SUMMARY",
        lambda config: _on_github(config) and os.environ.get("GITHUB_STEP_SUMMARY"),
        "plugins.output.github:summarize",
    ),
    Writer(
        "--alluredir",
        lambda config: getattr(config.option, "allure_report_dir", None),
        "plugins.output.allure_results:write",
    ),
)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Write what was asked for; within this hook the terminal has told everything."""
    yield
    record = session.config.stash.get(RECORD, None)
    if record is not None:
        record = hidden(record)  # values, before they are serialised: a format's own words stay as they are
    for writer in WRITERS if record is not None else ():
        if not writer.wanted(session.config):
            continue
        try:
            writer.write(session.config, record)
        except Exception as error:  # noqa: BLE001 - a defect of one costs neither the others nor the findings
            could_not_write(session, writer.name, error)


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
            could_not_write(session, "--junitxml", OSError(error.errno, error.strerror, plugin.logfile))

    plugin.pytest_sessionfinish = pytest_sessionfinish


def could_not_write(session: pytest.Session, option: str, error: Exception) -> None:
    """Say that a file of the run is missing; whatever the checks found, the run has status 3."""
    if isinstance(error, OSError):
        what = f"{error.filename or 'it'} could not be written: {error.strerror or error}"
    else:
        what = f"it could not be written: {type(error).__name__}: {error}"
    print(one_line(f"{option}: {what}.", 1000), file=sys.stderr)
    session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
