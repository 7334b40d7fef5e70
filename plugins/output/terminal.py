"""The suite's part of the terminal: a header before the results and a block per environment after them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from itertools import takewhile
from typing import Any

import pytest

from health.report.record import anything_judged
from health.report.terminal import block, header, migration_lines
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


def pytest_facts_read(config: pytest.Config, readings: FactSets) -> None:
    """What the facts say, before the first result."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None or reporter.verbosity < 0 or hasattr(config, "workerinput"):
        return
    for name, target in readings.run.targets.items():
        known = readings.overview(name)
        for line in header(target.environment, known.facts) if known is not None else ():
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
    writer = reporter._tw  # noqa: SLF001 - its markup() knows whether colours are wanted
    migrated = any(environment.migration for environment in record.environments)
    for environment in record.environments:
        reporter.write_line("")
        for line in migration_lines(environment):
            reporter.write_line(line)
        if environment.migrated and not anything_judged(environment.checks):
            continue
        if distributed(config):
            for line in header(environment.name, environment.overview.facts):
                reporter.write_line(line)
            reporter.write_line("")
        paint = partial(_paint, writer)
        lines = block(environment, reporter.verbosity > 0, paint, writer.fullwidth - 1)
        # What was found before a migration that was then run is told anew, or is mended.
        for line in takewhile(str.strip, lines) if migrated and not environment.migrated else lines:
            reporter.write_line(line)
    reporter.write_line("")


def _ours(report: Any) -> bool:
    result = result_on(report)
    # A test that crashed in an unforeseen way keeps its traceback.
    return result is not None and (bool(result.findings) or isinstance(report.longrepr, str | tuple))


def _paint(writer: Any, text: str, style: str) -> str:
    painted: str = text if os.environ.get("NO_COLOR") else writer.markup(text, **{style: True})
    return painted
