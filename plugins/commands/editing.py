"""``--editing NAME``: in place of the checks, whether a migration's SQL may be edited, and how."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from fixtures.application.environment import completed
from fixtures.facts import Facts
from fixtures.migrations.directory import read_migrations
from health.config import registry
from health.config.environment import Environment
from health.config.validation import RegistryError
from health.editing.names import EditingError, resolve
from health.editing.report import EditingAnswer, report
from health.finding import CouldNotCheck
from health.secrets.secret import hide
from plugins.commands.edit_answer import NEEDED, in_directory, in_environments, names_in
from plugins.output.private_files import write_private
from plugins.output.writers import could_not_write
from plugins.paths import SANDBOX_MIGRATIONS
from plugins.run import registry_file
from plugins.run.fact_fixtures import FACT_SETS, distributed
from plugins.run.options import RUN, Run
from plugins.run.user_files import from_here
from plugins.run.window import window

ANSWER = pytest.StashKey[EditingAnswer]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    group = parser.getgroup("migration health")
    group.addoption("--editing", metavar="NAME", help="whether this migration's SQL may be edited, and how")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Refuse what does not go with it."""
    if config.option.editing is None:
        return
    if config.option.migrate:
        raise pytest.UsageError("--editing does not go with --migrate, which changes what it reads. Leave one out.")
    if config.option.collectonly:
        raise pytest.UsageError("--editing does not go with --collect-only: it runs no checks. Leave one of them out.")
    if distributed(config):
        raise pytest.UsageError("--editing does not go with -n: one process holds all environments. Leave -n out.")
    config.pluginmanager.register(EditingCommand(), "migration-health-editing")


class EditingCommand:
    """Takes the place of collecting and running the checks."""

    @pytest.hookimpl(tryfirst=True)  # registered last, so before the pre-flight
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Refuse a wrong name."""
        try:
            _require_name(session.config.stash[RUN], session.config.option.editing)
        except EditingError as error:
            raise pytest.UsageError(f"--editing: {error}") from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        """Collect nothing: there is one question, and it is not a test."""
        session.items = []
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Find the answer."""
        config = session.config
        try:
            config.stash[ANSWER] = _ask(config)
        except EditingError as error:
            raise pytest.UsageError(f"--editing: {error}") from None
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The exit status, and the patch as a file."""
        answer = session.config.stash.get(ANSWER, None)
        if answer is None:
            return
        session.exitstatus, _ = answer.answer
        if (directory := session.config.getoption("report")) and answer.diff:
            path = from_here(session.config, directory) / f"{answer.migration}.patch"
            try:
                write_private(path, hide(answer.diff))
            except OSError as error:
                could_not_write(session, "--report", OSError(error.errno, error.strerror, str(path)))

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """The report."""
        answer = config.stash.get(ANSWER, None)
        if answer is not None:
            terminalreporter.write_line("")
            for line in report(answer):
                terminalreporter.write_line(line)
            terminalreporter.write_line("")


def _ask(config: pytest.Config) -> EditingAnswer:
    name, run = config.option.editing, config.stash[RUN]
    if not run.names:
        with closing(Facts(_default_environment(config))) as facts:
            return in_directory(name, facts)
    readings = config.stash[FACT_SETS]
    # All stay open, as the edit must hold for all: only the reading goes by a few at once.
    read: dict[str, Facts] = {}
    targets, most = list(run.targets), window(run.at_once)
    for number, target in enumerate(targets):
        if number >= most:
            readings.wait(targets[number - most])
        read[target] = readings.begin(target, [])
        read[target].start(NEEDED)
    for target in targets:
        readings.wait(target)
    return in_environments(name, read)


def _require_name(run: Run, name: str) -> None:
    """Refuse a name that the migrations directories do not hold, before anything else is read.

    Raises:
        EditingError: they do not. A directory that cannot be read is passed over: who needs it says so.
    """
    directories = []
    for each in run.names:
        path = run.deployed[each].migrations if each in run.deployed else _sandbox_directory(run)
        if path is None:
            return
        with suppress(CouldNotCheck):
            directories.append(read_migrations(path, each))
    if directories:
        resolve(name, names_in(directories))


def _sandbox_directory(run: Run) -> Path | None:
    """The migrations directory that the local environment will have; None where a fault may change it."""
    if run.faults:
        return None
    if run.case is not None:
        return run.case / "migrations"
    return run.overrides["migrations"][1] if "migrations" in run.overrides else SANDBOX_MIGRATIONS


def _default_environment(config: pytest.Config) -> Environment:
    """The settings by which a directory is found where no environment is named: the registry's, else the user's own."""
    overrides = config.stash[RUN].overrides
    try:
        known = registry_file.find(config).read()
        named = next(iter(known.deployed), None)
        if named is not None:
            environment = registry.environment(known, named, os.environ, overrides)
            if environment.migrations != Path() and environment.migrations.is_dir():
                return environment
        _, app = overrides.get("app", ("", config.invocation_params.dir))
        _, migrations = overrides.get("migrations", ("", Path()))
        return completed(Environment("", "", parts=frozenset(), app=app, migrations=migrations), os.environ)
    except RegistryError as error:
        raise pytest.UsageError(str(error).removeprefix("[]: ")) from None
