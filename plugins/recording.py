"""Gathers what the reports tell into the record of the run, and corrects the exit status."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from health.report import SCHEMA_VERSION, anything_judged, judge_environment
from plugins.catalogue import all_checks
from plugins.options import RUN

RECORD = pytest.StashKey[dict[str, Any]]()
_CHECKS = pytest.StashKey[dict[str, dict[str, Any]]]()
_STARTED = pytest.StashKey[tuple[datetime, float]]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Look at the clock."""
    session.config.stash[_STARTED] = datetime.now(UTC), time.monotonic()
    session.config.stash[_CHECKS] = {}


class Recorder:
    """Keeps the latest word on each check."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report tells."""
        told = getattr(report, "health", None)
        if told is not None:
            self._config.stash[_CHECKS][told["nodeid"]] = told


def pytest_configure(config: pytest.Config) -> None:
    """Record in the process that reports: not in a worker of -n."""
    if not hasattr(config, "workerinput") and config.stash[RUN].names:
        config.pluginmanager.register(Recorder(config), "migration-health-recorder")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Judge each environment; a run in which nothing was judged is no success."""
    config = session.config
    run = config.stash[RUN]
    if not config.pluginmanager.hasplugin("migration-health-recorder") or config.option.collectonly:
        return
    told = list(config.stash[_CHECKS].values())
    if exitstatus == pytest.ExitCode.OK and not anything_judged(told):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
    started, clock = config.stash[_STARTED]
    every_check = frozenset(all_checks())
    config.stash[RECORD] = {
        "schema_version": SCHEMA_VERSION,
        "started_at": started.isoformat(timespec="seconds"),
        "duration_s": round(time.monotonic() - clock, 3),
        "exit_status": int(session.exitstatus),
        "environments": [
            judge_environment(name, run.phase, [t for t in told if t["environment"] == name], every_check)
            for name in run.names
        ],
    }
    for check in (check for each in config.stash[RECORD]["environments"] for check in each["checks"]):
        check.pop("environment", None)
