"""What a run knows of a check: its outcome, its findings and their fixes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

from health.finding import Finding, Fix, Severity
from health.sanitize import safe_line
from health.waivers.waivers import Waiver

Outcome = Literal["passed", "warned", "waived", "failed", "unknown", "skipped"]


@dataclass(frozen=True)
class FixResult(Fix):
    """A fix as it is shown; ``order`` is its number, None for what nobody has to apply."""

    order: int | None = None

    json_keys: ClassVar = ("kind", "title", "option", "fallback", "rank", "order", "body", "undo", "note", "proof")

    @classmethod
    def of(cls, fix: Fix) -> FixResult:
        """Take over a fix, without a number."""
        return cls(**{field.name: getattr(fix, field.name) for field in fields(Fix)})


@dataclass(frozen=True)
class WaivedBy:
    """The waiver that accepts a finding; ``expires`` is the last day, in ISO 8601."""

    reason: str
    owner: str
    expires: str

    @classmethod
    def of(cls, waiver: Waiver) -> WaivedBy:
        """Take over a waiver in the texts that are shown."""
        return cls(safe_line(waiver.reason), safe_line(waiver.owner), waiver.expires.isoformat())


@dataclass(frozen=True, kw_only=True)
class FindingResult(Finding):
    """A finding in the record, as it is shown.

    Attributes:
        explained_by: the key of the finding that is its cause.
        no_fix: why there is no fix, or no further one.
    """

    severity: Severity
    explained_by: str | None = None
    waived: WaivedBy | None = None
    fixes: tuple[FixResult, ...] = ()
    no_fix: str | None = None

    json_keys: ClassVar = (
        "code", "severity", "subject", "message", "evidence", "place", "explained_by", "waived", "fixes", "no_fix",
    )  # fmt: skip

    @classmethod
    def of(
        cls,
        finding: Finding,
        severity: Severity,
        waiver: Waiver | None = None,
        fixes: Iterable[Fix] = (),
        no_fix: str | None = None,
    ) -> FindingResult:
        """Take over a finding in the texts that are shown."""
        shown = finding.shown
        return cls(
            code=shown.code,
            subject=shown.subject,
            message=shown.message,
            evidence=dict(shown.evidence),
            place=shown.place,
            severity=severity,
            waived=WaivedBy.of(waiver) if waiver is not None else None,
            fixes=tuple(map(FixResult.of, fixes)),
            no_fix=safe_line(no_fix) if no_fix is not None else None,
        )


@dataclass(frozen=True)
class CheckResult:
    """What came of a check.

    Attributes:
        severity: the worst that it can find in this phase.
        reason: why it is unknown, skipped, or failed without a finding.
        what: what was read in place of an answer, where it is unknown.
        explained_by: the key of the finding because of which it is unknown.
    """

    id: str
    nodeid: str
    outcome: Outcome
    severity: Severity
    seconds: float
    reason: str | None = None
    findings: tuple[FindingResult, ...] = ()
    what: str | None = None
    explained_by: str | None = None


@dataclass(frozen=True)
class RehearsalOutcome:
    """What came of all numbered fixes in their order on a clone, then a deploy.

    Attributes:
        detail: why it is unproven; of what is proven only in a replay: when that was.
        deploys: whether the deploy succeeded there; None where that is not known.
        apart: the numbers of the fixes that no clone can run, such as a patch.
        stays: errors that the plan is not for, ``code, subject``.
    """

    status: Literal["proven", "unproven"]
    detail: str | None
    seconds: float
    deploys: bool | None = None
    apart: tuple[int, ...] = ()
    stays: tuple[str, ...] = ()


def findings_of(checks: Iterable[CheckResult]) -> list[FindingResult]:
    """List the findings of all checks."""
    return [finding for check in checks for finding in check.findings]
