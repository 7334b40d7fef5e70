"""What a check's result adds to its case in a JUnit report."""

from __future__ import annotations

from collections.abc import Iterator

from health.check import worst
from health.report.check_pages import link_to, page_of
from health.report.places import fix_title
from health.report.results import CheckResult
from health.sanitize import safe_line


def properties(environment: str, phase: str, check: CheckResult, docs_url: str = "") -> Iterator[tuple[str, str]]:
    """Give names and values: of the check, then of each finding its code, what it is about, and its fix.

    Args:
        environment: that was judged.
        phase: of the run.
        check: what came of it.
        docs_url: what leads to ``docs/``; empty where that is not known.
    """
    yield "id", check.id
    yield "environment", environment
    yield "phase", phase
    yield "outcome", check.outcome
    yield "severity", worst(finding.severity for finding in check.findings) if check.findings else check.severity
    if link := link_to(check, docs_url) or page_of(check):
        yield "doc", link
    for finding in check.findings:
        yield "code", finding.code
        yield "subject", safe_line(finding.subject)
        if finding.waived is not None:
            waived = finding.waived
            yield "waived", safe_line(f"until {waived.expires}, owner {waived.owner}: {waived.reason}")
        if fix := fix_title(finding) or finding.no_fix:
            yield "fix", safe_line(fix)
