"""The record as SARIF 2.1.0: the findings that can be seen in a file, for code scanning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import quote

from health.check import check_of_code
from health.finding import Severity
from health.report.check_pages import link_to
from health.report.json_values import Json
from health.report.places import PlacedFinding, below, fix_title, placed, viewed
from health.report.record import Record

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
_NOT_JUDGED = (2, 3, 4, 5)  # exit statuses: interrupted, internal, usage, nothing judged


def sarif(record: Record, root: str, docs_url: str = "") -> dict[str, Json]:
    """Give the record as SARIF, one run for all environments: GitHub takes no more than 20.

    Args:
        record: of the run.
        root: of the checkout that the paths are relative to; others are absolute.
        docs_url: what leads to ``docs/``; empty where that is not known.
    """
    found = list(placed(record))
    rules = {each.finding.code: _rule(each, docs_url) for each in reversed(found)}  # of equal ones the worst counts
    codes = sorted(rules)
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "migration-health",
                        "version": record.tool_version,
                        "rules": [rules[code] for code in codes],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": record.exit_status not in _NOT_JUDGED,
                        "exitCode": record.exit_status,
                    }
                ],
                "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the checkout."}}},
                "results": [_result(each, codes, root) for each in found],
                "columnKind": "utf16CodeUnits",
            }
        ],
    }


def _rule(each: PlacedFinding, docs_url: str) -> dict[str, Json]:
    check = check_of_code(each.finding.code)
    rule: dict[str, Json] = {
        "id": each.finding.code,
        "shortDescription": {"text": check.title if check else each.finding.code},
        "defaultConfiguration": {"level": _LEVELS[each.finding.severity]},
        "properties": {"check": each.check.id},
    }
    if check:
        rule["help"] = {"text": check.documentation}
    if link := link_to(each.check, docs_url):
        rule["helpUri"] = link
    return rule


def _result(each: PlacedFinding, codes: Sequence[str], root: str) -> dict[str, Json]:
    finding = each.finding
    fix = fix_title(finding)
    text = f"{each.environment}: {finding.message}" + (f" Fix: {fix}." if fix else "")
    result: dict[str, Json] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": viewed(text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _location(each.place.path, root),
                    "region": {"startLine": each.place.line},
                }
            }
        ],
        # The second is the one that GitHub compares.
        "partialFingerprints": {"migrationHealth/v1": each.known, "primaryLocationLineHash": f"{each.known}:1"},
        "properties": {"environment": each.environment, "subject": viewed(finding.subject)},
    }
    if each.accepted:
        reason = finding.waived.reason if finding.waived else "What explains it is waived."
        result["suppressions"] = [{"kind": "external", "justification": viewed(reason)}]
    return result


def _location(path: str, root: str) -> dict[str, Json]:
    if inside := below(path, root):
        return {"uri": quote(inside), "uriBaseId": _ROOT}
    return {"uri": f"file://{quote(path)}" if PurePosixPath(path).is_absolute() else quote(path)}
