"""Relates an environment's findings: causes, severity, and the plan: the order in which their fixes are applied."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from health.check import CHECKS
from health.finding import DECISION, DEPLOY, SEVERITIES
from health.report.results import CheckResult, FindingResult, FixResult, findings_of
from health.report.root_causes import accepted, explain, explained_by


def related(findings: Sequence[FindingResult], *, deploys: bool = True) -> list[FindingResult]:
    """Return the findings with their causes, and with numbers on the fixes that are to be applied.

    Args:
        findings: all of an environment's.
        deploys: whether a deploy is a step of the plan; not where it is known to fail there.
    """
    causes = explain(findings, {finding.key for finding in findings if finding.waived})
    return _numbered([replace(finding, explained_by=causes.get(finding.key)) for finding in findings], deploys)


def related_checks(checks: Sequence[CheckResult], *, deploys: bool = True) -> tuple[CheckResult, ...]:
    """Return the checks with their findings related to each other."""
    findings = iter(related(findings_of(checks), deploys=deploys))
    return tuple(replace(check, findings=tuple(next(findings) for _ in check.findings)) for check in checks)


def in_order(findings: Sequence[FindingResult], *, deploys: bool = True) -> list[tuple[int, FixResult]]:
    """List each numbered fix once, in the order in which they must be applied."""
    return numbered(related(findings, deploys=deploys))


def numbered(findings: Iterable[FindingResult]) -> list[tuple[int, FixResult]]:
    """The same of findings that are related already."""
    fixes = (fix for finding in findings for fix in finding.fixes)
    return sorted({fix.order: fix for fix in fixes if fix.order is not None}.items())


def unseen_causes(checks: Sequence[CheckResult]) -> dict[str, tuple[str, ...]]:
    """Map findings that may be symptoms to the checks without an answer that might have found their cause.

    What keeps a check from its answer is a cause itself.
    """
    unanswered = {check.id for check in checks if check.outcome == "unknown"}
    finds = {code: check.id for check in CHECKS.values() if check.id in unanswered for code in check.finds}
    declared, causes = explained_by(), {check.explained_by for check in checks}
    symptoms = (f for f in findings_of(checks) if f.explained_by is None and not f.waived and f.key not in causes)
    named = {f.key: dict.fromkeys(finds[code] for code in declared.get(f.code, ()) if code in finds) for f in symptoms}
    return {key: tuple(ids) for key, ids in named.items() if ids}


def worst_first(findings: Iterable[FindingResult], symptoms: Collection[str] = ()) -> list[FindingResult]:
    """Sort findings by severity, then by the rank of their first fix; what is accepted comes last.

    Args:
        findings: of one environment.
        symptoms: the keys of those that stand behind others as severe.
    """
    listed = list(findings)
    known = accepted_keys(listed)

    def place(finding: FindingResult) -> tuple[bool, int, bool, int]:
        ranks = [fix.rank for fix in finding.fixes if not fix.fallback]
        severity, symptom = SEVERITIES.index(finding.severity), finding.key in symptoms
        return finding.key in known, severity, symptom, min(ranks, default=0)

    return sorted(listed, key=place)


def accepted_keys(findings: Sequence[FindingResult]) -> set[str]:
    """The keys of findings that are waived, or that only waived ones explain."""
    waived = {finding.key for finding in findings if finding.waived}
    return accepted(findings, waived) if waived else waived


def roots(findings: Sequence[FindingResult]) -> list[FindingResult]:
    """List the findings, related already, that are to be mended themselves: no cause of theirs is.

    What is waived stays as it is, with what it explains.
    """
    return [f for f in findings if not f.waived and f.explained_by is None]


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
