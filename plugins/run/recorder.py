"""Gathers what the reports carry into the record of the run, and corrects the exit status."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from health.finding import UNANSWERED
from health.report.record import (
    EnvironmentResult,
    FactsOverview,
    MigrationOutcome,
    Record,
    Verdict,
    judge_environment,
    unused_waivers,
    verdict,
)
from health.report.results import CheckResult, RehearsalOutcome
from migration_health import __version__
from plugins.run.check_catalog import all_checks, checks_as_far_as_they_load, checks_of_parts
from plugins.run.check_report import CheckReport, report_on
from plugins.run.check_runner import finding_result
from plugins.run.fact_fixtures import FACT_SETS
from plugins.run.options import RUN


@dataclass
class _Reported:
    """What the reports of a target have carried so far: of every check the latest."""

    checks: dict[str, CheckResult] = field(default_factory=dict)
    overview: FactsOverview = field(default_factory=FactsOverview)
    rehearsal: RehearsalOutcome | None = None

    def add(self, carried: CheckReport) -> None:
        self.checks[carried.check.nodeid] = carried.check
        if carried.overview is not None:
            self.overview = self.overview.updated(carried.overview)
        self.rehearsal = carried.rehearsal or self.rehearsal


RECORD = pytest.StashKey[Record]()
_REPORTED = pytest.StashKey[dict[str, _Reported]]()
_UNSOUND = pytest.StashKey[bool]()
_RED = pytest.StashKey[bool]()  # something failed that is no unanswered question
_STARTED = pytest.StashKey[tuple[datetime, float]]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Look at the clock."""
    session.config.stash[_STARTED] = datetime.now(UTC), time.monotonic()
    session.config.stash[_REPORTED] = {name: _Reported() for name in session.config.stash[RUN].targets}


class Recorder:
    """Keeps the latest word on each check."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report carries."""
        carried = report_on(report)
        if carried is not None:
            self._config.stash[_REPORTED][carried.target].add(carried)
        elif report.failed:  # a test without facts, or a process that died under it
            self._config.stash[_UNSOUND] = True
        unread = carried is not None and carried.check.outcome == "unknown"
        if report.failed and not unread and report.when in ("setup", "call", "teardown"):  # -n tells of a death by ???
            self._config.stash[_RED] = True

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
    if not config.pluginmanager.hasplugin("migration-health-recorder") or exitstatus == pytest.ExitCode.USAGE_ERROR:
        return  # nothing was begun
    if config.option.collectonly:
        if exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
        return
    if sound(config):
        _add_unused(config)
    else:
        checks_as_far_as_they_load()  # with -n this process has collected none, and they name the causes
    environments = tuple(_environments(config))
    session.exitstatus = _exit_status(config, exitstatus, environments)
    started, clock = config.stash[_STARTED]
    config.stash[RECORD] = Record(
        tool_version=__version__,
        started_at=started.isoformat(timespec="seconds"),
        duration_s=round(time.monotonic() - clock, 3),
        exit_status=int(session.exitstatus),
        environments=environments,
    )


def checks_of(config: pytest.Config, target: str) -> tuple[CheckResult, ...]:
    """The results of a target's checks so far."""
    return tuple(config.stash[_REPORTED][target].checks.values())


def sound(config: pytest.Config) -> bool:
    """Whether nothing but the checks failed so far."""
    return not config.stash.get(_UNSOUND, False)


def verdict_of(config: pytest.Config, target: str) -> Verdict:
    """The verdict on a target by its checks so far."""
    every_check = checks_of_parts(config.stash[RUN].parts[config.stash[RUN].targets[target].environment])
    return verdict(checks_of(config, target), frozenset(every_check), sound(config))


def _environments(config: pytest.Config) -> Iterator[EnvironmentResult]:
    triggered, run = config.stash[FACT_SETS].triggered, config.stash[RUN]
    for name, target in run.targets.items():
        checks, reported = checks_of(config, name), config.stash[_REPORTED][name]
        if target.migrated and not checks and triggered is None:
            continue  # the run ended before
        every_check = checks_of_parts(run.parts[target.environment]) if sound(config) else {}
        yield replace(
            judge_environment(
                target.environment,
                target.phase,
                checks,
                frozenset(every_check),
                sound=sound(config),
                rehearsal=reported.rehearsal,
            ),
            overview=reported.overview,
            migrated=target.migrated,
            migration=MigrationOutcome.of(triggered) if target.migrated and triggered is not None else None,
        )


def _add_unused(config: pytest.Config) -> None:
    """Give the check of the waivers what could be known only now: information, which changes no outcome."""
    run = config.stash[RUN]
    own = {check.id for check in all_checks().values() if "unused-waiver" in check.finds}
    of_environment: dict[str, list[_Reported]] = {}
    for name, target in run.targets.items():
        of_environment.setdefault(target.environment, []).append(config.stash[_REPORTED][name])
    for environment, targets in of_environment.items():
        checks = [check for reported in targets for check in reported.checks.values()]
        every_check = checks_of_parts(run.parts[environment])
        unused = unused_waivers(run.waivers.of(environment), checks, every_check)
        findings = tuple(finding_result(finding, "info", {}) for finding in unused)
        for reported in targets if findings else ():
            for nodeid, check in reported.checks.items():
                if check.id in own:
                    reported.checks[nodeid] = replace(check, findings=(*check.findings, *findings))


def _exit_status(config: pytest.Config, status: int, environments: Sequence[EnvironmentResult]) -> int:
    """Pytest's own status, corrected where it would let a gate pass or give a wrong reason."""
    stopped = getattr(config.pluginmanager.getplugin("dsession"), "shouldstop", False)
    if status == pytest.ExitCode.INTERRUPTED and stopped:  # -x with -n: nobody has interrupted
        status = pytest.ExitCode.TESTS_FAILED
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return status
    verdicts = {environment.verdict for environment in environments}
    if "blocked" in verdicts or config.stash.get(_RED, False):
        return pytest.ExitCode.TESTS_FAILED
    outcomes = {check.outcome for environment in environments for check in environment.checks}
    if outcomes <= {"skipped"}:
        return pytest.ExitCode.NO_TESTS_COLLECTED
    return UNANSWERED if "unknown" in verdicts else pytest.ExitCode.OK
