"""The suite's part of the terminal: a header before the results and a block per environment after them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import takewhile
from typing import Any

import pytest

from health.report.drift import drift_lines
from health.report.matrix import matrix, matrix_lines
from health.report.record import EnvironmentResult, Record, anything_judged
from health.report.several import one_line_each, table_lines, worst
from health.report.terminal import WIDTH, block, header, migration_lines
from health.words import plural
from plugins.run.check_report import result_on
from plugins.run.fact_fixtures import FactSets, distributed
from plugins.run.options import RUN
from plugins.run.recorder import RECORD
from plugins.run.user_files import shown

_OUTCOMES = ("failed", "error", "warned", "waived", "skipped")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Which environments, from which registry, in which phase, with how many waivers."""
    run = config.stash[RUN]
    if run.registry is None:
        return []
    faults = f", faults: {', '.join(run.faults)}" if run.faults else ""
    case = f", case: {shown(run.case)}" if run.case is not None else ""
    phase = "before and after (--migrate)" if run.migrate else f"{run.phase} ({run.phase_source})"
    where = f"{', '.join(run.names)} ({run.registry.file})"
    if run.replay is not None:
        lines = [f"replayed from {run.registry.file}, saved {run.replay.day}, by version {run.replay.version}"]
    else:
        lines = []
    lines += [f"environment: {where}, phase: {phase}, blocks: {run.fail_on}{faults}{case}"]
    if in_force := sum(len(run.waivers.of(name).in_force) for name in run.names):
        lines.append(f"waivers: {in_force} in force ({run.waivers.file})")
    return lines


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Name the tests as reports do, from the suite's root, wherever the user stands."""
    if reporter := session.config.pluginmanager.getplugin("terminalreporter"):
        reporter.startpath = session.config.rootpath


def pytest_facts_read(config: pytest.Config, readings: FactSets, targets: Sequence[str]) -> None:
    """What the facts say, before the first result."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None or reporter.verbosity < 0 or hasattr(config, "workerinput"):
        return
    for name in targets:
        known = readings.overview(name)
        for line in header(readings.run.targets[name].environment, known.facts) if known is not None else ():
            reporter.write_line(line)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> Iterator[None]:
    """Say once what the checks found: in the blocks, and not in pytest's own sections too."""
    kept = {outcome: terminalreporter.stats.get(outcome, []) for outcome in _OUTCOMES}
    for outcome, reports in kept.items():
        if outcome in terminalreporter.stats:
            terminalreporter.stats[outcome] = [r for r in reports if not _ours(r)]
    try:
        return (yield)
    finally:
        terminalreporter.stats.update({outcome: reports for outcome, reports in kept.items() if reports})
        _blocks(terminalreporter, config)


def _blocks(reporter: Any, config: pytest.Config) -> None:
    record = config.stash.get(RECORD, None)
    if record is None:
        return
    if reporter.verbosity < 0:
        for environment in record.environments:
            for line in (*migration_lines(environment), *one_line_each([environment])):
                reporter.write_line(line)
        return
    _beside_each_other(reporter, record, reporter._tw.fullwidth - 1)  # noqa: SLF001
    in_full = _in_full(config, reporter, record)
    for environment in in_full:
        _block(config, reporter, record, environment)
    if left := len(record.environments) - len(in_full):
        reporter.write_line("")
        reporter.write_line(f"{left} more {plural(left, 'environment')}, not as bad: in full by -v, or --report DIR.")
    reporter.write_line("")


def _block(config: pytest.Config, reporter: Any, record: Record, environment: EnvironmentResult) -> None:
    reporter.write_line("")
    for line in migration_lines(environment):
        reporter.write_line(line)
    if environment.migrated and not anything_judged(environment.checks):
        return
    if distributed(config):
        for line in header(environment.name, environment.overview.facts):
            reporter.write_line(line)
        reporter.write_line("")
    writer = reporter._tw  # noqa: SLF001 - its markup() knows whether colours are wanted
    lines = block(environment, reporter.verbosity > 0, partial(_paint, writer), writer.fullwidth - 1)
    # What was found before a migration that was then run is told anew, or is mended.
    told_anew = not environment.migrated and any(each.migration for each in record.environments)
    for line in takewhile(str.strip, lines) if told_anew else lines:
        reporter.write_line(line)
    if environment.drift is not None:
        reporter.write_line("")
        for line in drift_lines(environment, min(writer.fullwidth - 1, WIDTH)):
            reporter.write_line(line)


def _beside_each_other(reporter: Any, record: Record, width: int) -> None:
    """A table of several environments, and which migration is where."""
    if len({environment.name for environment in record.environments}) == 1:
        return
    reporter.write_line("")
    for line in table_lines(record.environments, width):
        reporter.write_line(line)
    if rows := list(matrix_lines(matrix(record.environments), width)):
        reporter.write_line("")
        for line in rows:
            reporter.write_line(line)


def _in_full(config: pytest.Config, reporter: Any, record: Record) -> Sequence[EnvironmentResult]:
    """The environments whose findings are shown: of all that there are the worst ones."""
    every = record.environments
    return every if reporter.verbosity > 0 or config.getoption("env") != "all" else worst(every)


def _ours(report: Any) -> bool:
    result = result_on(report)
    # A test that crashed in an unforeseen way keeps its traceback.
    return result is not None and (bool(result.findings) or isinstance(report.longrepr, str | tuple))


def _paint(writer: Any, text: str, style: str) -> str:
    painted: str = text if os.environ.get("NO_COLOR") else writer.markup(text, **{style: True})
    return painted
