"""Arranges an environment's part of a record for a page: the verdict and the plan come first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from health.nightly.drift import Drift, DriftFinding
from health.nightly.svg import trend_svg
from health.report import drift as drift_text
from health.report.headline import WHEN, cause, counted
from health.report.order import unseen_causes, worst_first
from health.report.plan import rehearsal_line
from health.report.record import EnvironmentResult
from health.report.results import CheckResult, FindingResult, FixResult
from health.report.tables import tables
from health.report.terminal import migration_lines


@dataclass(frozen=True)
class Step:
    """A step of the plan, with the finding that it is for."""

    number: int
    fix: FixResult
    finding: FindingResult


@dataclass(frozen=True)
class DriftView:
    """How an environment differs from the nights before, as a page shows it.

    Attributes:
        sentences: what came of the comparison, and what it could not see.
        groups: what is new, gone and still there, each where there is any.
        span: which nights the trend covers.
        chart: the trend as SVG, in which every text is escaped.
    """

    drift: Drift
    sentences: tuple[str, ...]
    groups: tuple[tuple[str, tuple[DriftFinding, ...]], ...]
    span: str
    chart: str


@dataclass(frozen=True)
class EnvironmentView:
    """An environment as a page shows it.

    Attributes:
        sentence: when the run was, and how many checks came to what.
        cause: the root cause, or how many there are; None where it is not known, or nothing blocks.
        steps: the plan, with each fix once.
        rehearsal: what came of simulating the plan.
        drift: the comparison with the nights before; None without a history.
        findings: worst first.
        asserts: the checks that failed without a finding.
        open: the checks without an answer by their reason.
        known: label → what is known of the environment.
        migration: what became of the migration that was asked for.
        tables: the history and the columns of Entity as text.
    """

    result: EnvironmentResult
    sentence: str
    cause: str | None
    steps: tuple[Step, ...]
    rehearsal: str | None
    drift: DriftView | None
    findings: tuple[FindingResult, ...]
    asserts: tuple[CheckResult, ...]
    open: Mapping[str, tuple[str, ...]]
    known: Mapping[str, str]
    migration: tuple[str, ...]
    tables: str


def environment_view(result: EnvironmentResult) -> EnvironmentView:
    """Arrange an environment's part of a record."""
    findings = worst_first(result.findings, unseen_causes(result.checks))
    return EnvironmentView(
        result=result,
        sentence=f"{WHEN[result.phase].capitalize()}: {counted(result)}",
        cause=cause(result),
        steps=_steps(findings),
        rehearsal=rehearsal_line(result),
        drift=_drift(result),
        findings=tuple(findings),
        asserts=tuple(check for check in result.checks if check.outcome == "failed" and not check.findings),
        open=_open(result),
        known=result.overview.facts,
        migration=tuple(line.strip() for line in migration_lines(result)),
        tables="\n".join(tables(result.overview)),
    )


def _drift(result: EnvironmentResult) -> DriftView | None:
    if (drift := result.drift) is None:
        return None
    groups = (("New", drift.new), ("Gone", drift.gone), ("Still there", drift.still))
    return DriftView(
        drift=drift,
        sentences=(f"{drift_text.counted(drift)}. {drift_text.consequence(result)}", *drift_text.notes(result)),
        groups=tuple(group for group in groups if group[1]),
        span=drift_text.span(drift) if drift.trend else "",
        chart=trend_svg(drift.trend, result.name, style=False) if drift.trend else "",
    )


def _steps(findings: list[FindingResult]) -> tuple[Step, ...]:
    steps: dict[int, Step] = {}
    for finding in findings:
        for fix in finding.fixes:
            if fix.order:
                steps.setdefault(fix.order, Step(fix.order, fix, finding))
    return tuple(step for _, step in sorted(steps.items()))


def _open(result: EnvironmentResult) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for check in result.checks:
        if check.outcome == "unknown":
            reason = check.reason or "no reason given"
            names[reason] = (*names.get(reason, ()), check.id)
    return names
