"""Relates an environment's findings: causes, severity, and the order in which their fixes are applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from health.finding import SEVERITIES
from health.report.results import CheckResult, FindingResult, FixResult, findings_of
from health.report.root_causes import explain


def related(findings: Sequence[FindingResult]) -> list[FindingResult]:
    """Return the findings with their causes, and with numbers on the fixes that are to be applied."""
    causes = explain(findings)
    return _numbered([replace(finding, explained_by=causes.get(finding.key)) for finding in findings])


def related_checks(checks: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """Return the checks with their findings related to each other."""
    findings = iter(related(findings_of(checks)))
    return tuple(replace(check, findings=tuple(next(findings) for _ in check.findings)) for check in checks)


def in_order(findings: Sequence[FindingResult]) -> list[tuple[int, FixResult]]:
    """List each numbered fix once, in the order in which they must be applied."""
    fixes = (fix for finding in related(findings) for fix in finding.fixes)
    return sorted({fix.order: fix for fix in fixes if fix.order is not None}.items())


def worst_first(findings: Iterable[FindingResult]) -> list[FindingResult]:
    """Sort findings by severity, then by the rank of their first fix; waived ones come last."""
    return sorted(findings, key=_place)


def _place(finding: FindingResult) -> tuple[bool, int, int]:
    ranks = [fix.rank for fix in finding.fixes if not fix.fallback]
    return finding.waived is not None, SEVERITIES.index(finding.severity), min(ranks, default=0)


def _numbered(findings: Sequence[FindingResult]) -> list[FindingResult]:
    """Number the first fixes of each root finding in the order in which they must be applied.

    What is waived stays as it is, and the fix of a cause also fixes what it explains.
    """
    waived = {finding.key for finding in findings if finding.waived}
    roots = [f for f in findings if not f.waived and (f.explained_by is None or f.explained_by in waived)]
    first = [fix for finding in worst_first(roots) for fix in finding.fixes if not fix.fallback]
    bodies: dict[str, int] = {}  # two findings may have the same fix, such as one deploy
    for fix in sorted(first, key=lambda fix: fix.rank):
        bodies.setdefault(fix.body, len(bodies) + 1)
    applied = set(map(id, roots))
    return [replace(finding, fixes=_ordered(finding, bodies if id(finding) in applied else {})) for finding in findings]


def _ordered(finding: FindingResult, orders: Mapping[str, int]) -> tuple[FixResult, ...]:
    return tuple(replace(fix, order=None if fix.fallback else orders.get(fix.body)) for fix in finding.fixes)
