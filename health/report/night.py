"""What a history of nightly runs keeps of a record, and what the comparison makes of the exit status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from health.finding import UNANSWERED
from health.nightly.night import KeptFinding, Level, Night, NightlyRun
from health.report.order import accepted_keys
from health.report.record import EnvironmentResult, Record
from health.report.results import CheckResult
from health.sanitize import one_line

_APPLIED = ("applied", "orphaned", "edited")
_LONGEST = 300  # characters of a subject, or a message


def nightly_run(record: Record) -> NightlyRun:
    """Take from a record what is kept; every finding is as if it were seen for the first time."""
    nights = tuple(night(environment, record.started_at) for environment in record.environments)
    return NightlyRun(record.tool_version, record.started_at, nights)


def night(environment: EnvironmentResult, at: str) -> Night:
    """Take from an environment's part of a record what is kept."""
    checks, history = environment.checks, environment.overview.history
    ran, there_are = environment.selected
    accepted = accepted_keys(environment.findings)
    return Night(
        environment=environment.name,
        verdict=environment.verdict,
        complete=environment.sound and ran == there_are and bool(checks),
        judged=tuple(check.id for check in checks if check.outcome != "unknown"),
        unjudged=tuple(check.id for check in checks if check.outcome == "unknown"),
        findings=tuple(finding for check in checks for finding in _findings(check, accepted, at)),
        observed=dict(environment.overview.observed),
        applied=sum(history.states.get(state, 0) for state in _APPLIED) if history is not None else None,
        last=tuple(row.migration for row in (history.last if history is not None else ()) if row.state in _APPLIED),
    )


def _findings(check: CheckResult, accepted: set[str], at: str) -> Iterator[KeptFinding]:
    for finding in check.findings:
        level: Level = "accepted" if finding.waived or finding.key in accepted else finding.severity
        rows = finding.evidence.get("rows")
        number = rows if isinstance(rows, int) else None
        yield KeptFinding(
            finding.code, _cut(finding.subject), check.id, level, one_line(finding.message, _LONGEST), at, number
        )
    if check.outcome == "failed" and not check.findings:  # a plain assert
        yield KeptFinding(check.id, "", check.id, "error", one_line(check.reason or "", _LONGEST), at)


def _cut(subject: str) -> str:
    """Cut a subject so that two that begin alike still differ."""
    if len(subject) <= _LONGEST:
        return subject
    return f"{subject[: _LONGEST - 12]}…{sha256(subject.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def drift_status(status: int, environments: Iterable[EnvironmentResult]) -> int:
    """Give the exit status of a run that was compared with the nights before it.

    Only what is new blocks: 1 for a new finding, 10 where a check gave no answer, else 0.

    Args:
        status: of the same run without a history; any but 0, 1 and 10 stays.
        environments: each with its comparison.
    """
    judged = list(environments)
    if status not in (0, 1, UNANSWERED) or not all(each.sound for each in judged):
        return status
    if any(each.drift.blocking for each in judged if each.drift):
        return 1
    if any(each.verdict == "unknown" or (each.drift and each.drift.unjudged) for each in judged):
        return UNANSWERED
    return 0
