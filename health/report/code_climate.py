"""The record as a code quality report of GitLab: the findings that can be seen in a file of the checkout."""

from __future__ import annotations

from health.finding import Severity
from health.report.json_values import Json
from health.report.places import below, fix_title, placed, viewed
from health.report.record import Record

_SEVERITIES: dict[Severity, str] = {"error": "blocker", "warning": "major", "info": "info"}


def code_climate(record: Record, root: str) -> list[Json]:
    """List the findings whose file is below the root; what is accepted is left out, as the format has no word for it.

    Args:
        record: of the run.
        root: of the checkout: GitLab takes relative paths alone.
    """
    issues: dict[str, Json] = {}
    for each in placed(record):
        finding, path = each.finding, below(each.place.path, root)
        if path is None or each.accepted:
            continue
        fix = fix_title(finding)
        issues[each.known] = {
            "description": viewed(f"{each.environment}: {finding.message}" + (f" Fix: {fix}." if fix else "")),
            "check_name": finding.code,
            "fingerprint": each.known,
            "severity": _SEVERITIES[finding.severity],
            "location": {"path": viewed(path), "lines": {"begin": each.place.line}},
        }
    return list(issues.values())
