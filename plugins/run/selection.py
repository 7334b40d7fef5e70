"""Holds that all checks run, unless the command line itself selects: nothing unseen makes a gate smaller."""

from __future__ import annotations

import os
import shlex
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from health.check import id_of
from plugins.paths import CHECKS
from plugins.run.check_catalog import checks_as_far_as_they_load, checks_of_parts

if TYPE_CHECKING:
    from plugins.run.options import Run

# The attribute of pytest's options -> how it is written.
_SELECT = {
    "keyword": "-k", "markexpr": "-m", "deselect": "--deselect", "ignore": "--ignore", "ignore_glob": "--ignore-glob",
    "lf": "--last-failed", "stepwise": "--stepwise", "stepwise_skip": "--stepwise-skip", "noconftest": "--noconftest",
}  # fmt: skip
# What shows something in place of judging, and would end with 0.
_SHOW = {
    "showfixtures": "--fixtures", "show_fixtures_per_test": "--fixtures-per-test", "cacheshow": "--cache-show",
    "markers": "--markers",
}  # fmt: skip
_NOTHING_RUNS = {"collectonly": "--collect-only", "setuponly": "--setup-only", "setupplan": "--setup-plan"}
_OURS = ("plugins.", "fixtures.", "checks.", "conftest", "migration-health")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """End the run with one line and status 4 where it would pass without having judged what was asked for."""
    for name, plugin in config.pluginmanager.list_name_plugin():
        if plugin is None and name.startswith(_OURS):
            raise pytest.UsageError(f"-p no:{name}: the checks need it. Leave that option out.")
    if not _run(config).names or hasattr(config, "workerinput"):
        return
    for attribute, option in _SHOW.items():
        if getattr(config.option, attribute, None):
            raise pytest.UsageError(f"{option} does not go with --env: nothing would be judged. Leave one of them out.")
    for source, words in _quiet_sources(config):
        if found := next(_selections(config, words), None):
            raise pytest.UsageError(
                f"{source} selects checks by {found}: a gate would pass without the others. Take it out there, or give "
                "it on the command line itself."
            )


def judges_nothing(config: pytest.Config) -> bool:
    """Whether the run was asked to run no check: it says nothing of an environment."""
    return any(getattr(config.option, attribute, False) for attribute in _NOTHING_RUNS)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse a part of the checks that the command line itself has not selected."""
    if not hasattr(session.config, "workerinput"):
        _refuse_fewer(session.config, [item.nodeid for item in session.items])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: object, ids: list[str]) -> None:
    """The same with -n, where only the workers collect."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]
    checks_as_far_as_they_load()
    _refuse_fewer(config, ids)


def _refuse_fewer(config: pytest.Config, nodeids: Sequence[str]) -> None:
    run = _run(config)
    if not run.names or judges_nothing(config) or next(_selections(config, config.invocation_params.args), None):
        return
    here: dict[str, set[str]] = {name: set() for name in run.targets}
    for nodeid in nodeids:
        test, _, target = nodeid.rpartition("::")[2].removesuffix("]").partition("[")
        if target in here:
            here[target].add(id_of(test))
    if not any(here.values()):
        return  # none at all is status 5
    for name, judgement in run.targets.items():
        every_check = {each for each in checks_of_parts(run.parts[judgement.environment]) if run.asks(name, each)}
        if missing := sorted(every_check - here[name]):
            others = f" and {len(missing) - 1} others" if len(missing) > 1 else ""
            raise pytest.UsageError(
                f"{missing[0]}{others} would not run, though the command line selects no checks: a setting of "
                f"{config.inipath or 'pytest'}, a conftest.py or a plugin leaves them out. Take it out there, or name "
                "on the command line what is to run."
            )


def _run(config: pytest.Config) -> Run:
    from plugins.run.options import RUN  # pytest loads that plugin after this one, and rewrites its assertions then

    return config.stash[RUN]


def _quiet_sources(config: pytest.Config) -> Iterator[tuple[str, Sequence[str]]]:
    """Where options come from that nobody sees on the command line."""
    yield "PYTEST_ADDOPTS", shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    yield f"addopts of {config.inipath}", config.getini("addopts")


def _selections(config: pytest.Config, words: Sequence[str]) -> Iterator[str]:
    """How these words of a command line select tests."""
    parser = config._parser  # noqa: SLF001 - pytest gives no other way to what a word of its options means
    alone = parser.parse_known_args([str(word) for word in words], Namespace())
    for attribute, option in _SELECT.items():
        if getattr(alone, attribute, None):
            yield option
    for path in alone.file_or_dir:
        place = Path(os.path.normpath(config.invocation_params.dir / str(path).partition("::")[0]))
        if "::" in str(path) or (place != CHECKS and place not in CHECKS.parents):
            yield str(path)
