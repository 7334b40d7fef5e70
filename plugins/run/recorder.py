"""Gathers what the reports tell into the record of the run, and corrects the exit status."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from health.check import Check, check_of_code
from health.report.record import SCHEMA_VERSION, Verdict, anything_judged, judge_environment, unused_waivers, verdict
from health.runs.triggered import as_record
from health.waivers.waivers import Waivers
from plugins.run.check_catalog import all_checks, checks_as_far_as_they_load
from plugins.run.check_runner import as_json
from plugins.run.fact_fixtures import FACT_SETS
from plugins.run.options import RUN, Target

RECORD = pytest.StashKey[dict[str, Any]]()
_CHECKS = pytest.StashKey[dict[str, dict[str, Any]]]()
_UNSOUND = pytest.StashKey[bool]()
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
        elif report.failed:  # a test without facts, or a process that died under it
            self._config.stash[_UNSOUND] = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember that a file could not be collected: nobody knows what it would have checked."""
        if report.failed:
            self._config.stash[_UNSOUND] = True

    def pytest_internalerror(self) -> None:
        """The same for a defect in a worker, which alone would not change the exit status."""
        self._config.stash[_UNSOUND] = True


def pytest_configure(config: pytest.Config) -> None:
    """Record in the process that reports: not in a worker of -n."""
    if not hasattr(config, "workerinput") and config.stash[RUN].names and config.option.editing is None:
        config.pluginmanager.register(Recorder(config), "migration-health-recorder")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Judge each environment; a run in which nothing was judged is no success."""
    config = session.config
    run = config.stash[RUN]
    if not config.pluginmanager.hasplugin("migration-health-recorder") or config.option.collectonly:
        return
    told = list(config.stash[_CHECKS].values())
    every_check = all_checks() if sound(config) else {}
    if not sound(config):
        checks_as_far_as_they_load()  # with -n this process has collected none, and they name the causes
    else:
        for name in run.names:
            _add_unused(run.waivers.of(name), [t for t in told if t["environment"] == name], every_check)
    triggered = config.stash[FACT_SETS].triggered
    environments = []
    for target in run.targets.values():
        checks = told_of(config, target)
        if target.migrated and not checks and triggered is None:
            continue  # the run ended before
        judged = judge_environment(
            target.environment, target.phase, checks, frozenset(every_check), sound=sound(config)
        )
        if target.migrated:
            judged["migration"] = as_record(triggered) if triggered is not None else None
        environments.append(judged)
    session.exitstatus = _exit_status(config, exitstatus, told, environments)
    started, clock = config.stash[_STARTED]
    config.stash[RECORD] = {
        "schema_version": SCHEMA_VERSION,
        "started_at": started.isoformat(timespec="seconds"),
        "duration_s": round(time.monotonic() - clock, 3),
        "exit_status": int(session.exitstatus),
        "environments": environments,
    }
    for check in (check for each in environments for check in each["checks"]):
        check.pop("environment", None)
        check.pop("phase", None)


def told_of(config: pytest.Config, target: Target) -> list[dict[str, Any]]:
    """What the reports have told of a target so far, one per check."""
    wanted = target.environment, target.phase
    return [told for told in config.stash[_CHECKS].values() if (told["environment"], told["phase"]) == wanted]


def sound(config: pytest.Config) -> bool:
    """Whether nothing but the checks failed so far."""
    return not config.stash.get(_UNSOUND, False)


def verdict_of(config: pytest.Config, target: Target) -> Verdict:
    """What is to be said of a target by what the reports have told so far."""
    return verdict(told_of(config, target), frozenset(all_checks()), sound(config))


def _add_unused(waivers: Waivers, checks: list[dict[str, Any]], every_check: Mapping[str, Check]) -> None:
    """Give the check of the waivers what could be known only now: information, which changes no outcome."""
    findings = [as_json(finding, "info", {}) for finding in unused_waivers(waivers, checks, every_check)]
    check = check_of_code("unused-waiver")
    for told in checks:
        if check is not None and told["id"] == check.id:
            told["findings"] += findings


def _exit_status(
    config: pytest.Config, status: int, told: list[dict[str, Any]], environments: list[dict[str, Any]]
) -> int:
    """Pytest's own status, corrected where it would let a gate pass or tell a wrong reason."""
    stopped = getattr(config.pluginmanager.getplugin("dsession"), "shouldstop", False)
    if status == pytest.ExitCode.INTERRUPTED and stopped:  # -x with -n: nobody has interrupted
        return pytest.ExitCode.TESTS_FAILED
    if status != pytest.ExitCode.OK:
        return status
    if not anything_judged(told):
        return pytest.ExitCode.NO_TESTS_COLLECTED
    if any(environment["verdict"] in ("blocked", "unknown") for environment in environments):
        return pytest.ExitCode.TESTS_FAILED
    return status
