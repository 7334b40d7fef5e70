"""Relates an environment's findings: causes, severity, and the plan: the order in which their fixes are applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from health.finding import DECISION, DEPLOY, SEVERITIES
from health.report.results import CheckResult, FindingResult, FixResult, findings_of
from health.report.root_causes import explain


def related(findings: Sequence[FindingResult], *, deploys: bool = True) -> list[FindingResult]:
    """Return the findings with their causes, and with numbers on the fixes that are to be applied.

    Args:
        findings: all of an environment's.
        deploys: whether a deploy is a step of the plan; not where it is known to fail there.
    """
    causes = explain(findings)
    return _numbered([replace(finding, explained_by=causes.get(finding.key)) for finding in findings], deploys)


def related_checks(checks: Sequence[CheckResult], *, deploys: bool = True) -> tuple[CheckResult, ...]:
    """Return the checks with their findings related to each other."""
    findings = iter(related(findings_of(checks), deploys=deploys))
    return tuple(replace(check, findings=tuple(next(findings) for _ in check.findings)) for check in checks)


def in_order(findings: Sequence[FindingResult], *, deploys: bool = True) -> list[tuple[int, FixResult]]:
    """List each numbered fix once, in the order in which they must be applied."""
    fixes = (fix for finding in related(findings, deploys=deploys) for fix in finding.fixes)
    return sorted({fix.order: fix for fix in fixes if fix.order is not None}.items())


def worst_first(findings: Iterable[FindingResult]) -> list[FindingResult]:
    """Sort findings by severity, then by the rank of their first fix; waived ones come last."""
    return sorted(findings, key=_place)


def roots(findings: Sequence[FindingResult]) -> list[FindingResult]:
    """List the findings, related already, that are to be mended themselves: no cause of theirs is.

    What is waived stays as it is, and explains nothing that is to be mended.
    """
    waived = {finding.key for finding in findings if finding.waived}
    return [f for f in findings if not f.waived and (f.explained_by is None or f.explained_by in waived)]


def _place(finding: FindingResult) -> tuple[bool, int, int]:
    ranks = [fix.rank for fix in finding.fixes if not fix.fallback]
    return finding.waived is not None, SEVERITIES.index(finding.severity), min(ranks, default=0)


def _numbered(findings: Sequence[FindingResult], deploys: bool) -> list[FindingResult]:
    """Number the first fixes of each root finding: the fix of a cause also fixes what it explains."""
    mended = roots(findings)
    numbers: dict[str, int] = {}  # two findings may have the same fix, such as one deploy
    for fix in _steps([fix for finding in worst_first(mended) for fix in finding.fixes if not fix.fallback], deploys):
        numbers.setdefault(_what(fix), len(numbers) + 1)
    applied = set(map(id, mended))
    return [
        replace(finding, fixes=_ordered(finding, numbers if id(finding) in applied else {})) for finding in findings
    ]


def _steps(preferred: Iterable[FixResult], deploys: bool) -> Iterator[FixResult]:
    """Give the steps of the plan in their order; while it is to wait, what leads to the database and the wait alone."""
    ordered = sorted((fix for fix in preferred if deploys or fix.rank != DEPLOY), key=lambda fix: fix.rank)
    waits = any(fix.kind == "wait" for fix in ordered)
    return (fix for fix in ordered if not waits or fix.kind == "wait" or fix.rank < DECISION)


def _ordered(finding: FindingResult, numbers: Mapping[str, int]) -> tuple[FixResult, ...]:
    return tuple(replace(fix, order=None if fix.fallback else numbers.get(_what(fix))) for fix in finding.fixes)


def _what(fix: FixResult) -> str:
    """What makes two fixes one step: the same text, or that both are to wait."""
    return "wait" if fix.kind == "wait" else fix.body or f"{fix.kind}: {fix.title}"
