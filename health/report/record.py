"""The record of a run, from which the terminal and every file are written (schema version 1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from health.check import Check
from health.finding import SEVERITIES, Finding, Phase
from health.report.root_causes import explain
from health.waivers.waivers import Waivers

SCHEMA_VERSION = 1
Verdict = Literal["healthy", "blocked", "unknown", "partial"]
_JUDGED = ("passed", "warned", "waived", "failed")


def judge_environment(
    name: str, phase: Phase, checks: Sequence[dict[str, Any]], every_check: frozenset[str], *, sound: bool = True
) -> dict[str, Any]:
    """An environment's part of the record.

    Args:
        name: the environment.
        phase: of the run.
        checks: what the reports told, one per check.
        every_check: the ids of all checks that the suite has; fewer make the verdict ``partial``.
        sound: whether the run told of all its checks: not so where a process died or a file could not be collected.
    """
    findings = [finding for check in checks for finding in check["findings"]]
    _relate(findings)
    facts: dict[str, str] = {}
    overview: dict[str, Any] = {}
    for check in checks:
        facts.update(check.pop("facts", {}))
        overview.update(check.pop("overview", {}))
    return {
        "name": name,
        "verdict": verdict(checks, every_check, sound),
        "sound": sound,
        "phase": phase,
        "facts": facts,
        "history": overview.get("history"),
        "entity": overview.get("entity"),
        "proof": overview.get("proof"),
        "rehearsal": overview.get("rehearsal"),
        "checks": list(checks),
        "selected": [len(checks), len(every_check | {check["id"] for check in checks})],
    }


def unused_waivers(
    waivers: Waivers, checks: Sequence[Mapping[str, Any]], every_check: Mapping[str, Check]
) -> Iterator[Finding]:
    """What is to be said of an environment's waivers that no finding needed, in a run that told of all its checks.

    Nothing where a check did not run or a question was left open: what was not looked for may be there.
    """
    ran = {check["id"]: check for check in checks}
    if every_check.keys() - ran or any(check["outcome"] == "unknown" for check in checks):
        return
    # A check with a reason was skipped, or failed before it could return its findings.
    found: dict[str, list[str]] = {
        code: [] for name, check in every_check.items() if not ran[name]["reason"] for code in check.finds
    }
    for finding in (finding for check in checks for finding in check["findings"]):
        found.setdefault(finding["code"], []).append(finding["subject"])
    yield from waivers.unused(found)


def key(finding: Mapping[str, Any]) -> str:
    """:attr:`Finding.key` of a finding in the record."""
    return f"{finding['code']}:{finding['subject']}"


def anything_judged(checks: Sequence[Mapping[str, Any]]) -> bool:
    """Whether at least one check passed, warned or failed: else the run says nothing."""
    return any(check["outcome"] in _JUDGED for check in checks)


def worst_first(findings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Findings by severity; within one, those first that must be mended first. Waived ones stand last."""

    def place(finding: Mapping[str, Any]) -> tuple[bool, int, int]:
        ranks = [fix["rank"] for fix in finding["fixes"] if not fix["fallback"]]
        return bool(finding["waived"]), SEVERITIES.index(finding["severity"]), min(ranks, default=0)

    return sorted(findings, key=place)


def verdict(checks: Sequence[Mapping[str, Any]], every_check: frozenset[str], sound: bool) -> Verdict:
    """What a run says of an environment; see :func:`judge_environment` for the arguments."""
    outcomes = {check["outcome"] for check in checks}
    if "failed" in outcomes:
        return "blocked"
    if "unknown" in outcomes or not sound or not anything_judged(checks):
        return "unknown"
    return "healthy" if every_check <= {check["id"] for check in checks} else "partial"


def in_order(findings: Sequence[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Each numbered fix once, in the order in which they must be applied; causes and numbers are put in."""
    _relate(findings)
    numbered = {fix["order"]: fix for finding in findings for fix in finding["fixes"] if fix["order"]}
    return sorted(numbered.items())


def _relate(findings: Sequence[dict[str, Any]]) -> None:
    causes = explain([Finding(f["code"], f["subject"], f["message"], f["evidence"]) for f in findings])
    for finding in findings:
        finding["explained_by"] = causes.get(key(finding))
    _number(findings)


def _number(findings: Sequence[dict[str, Any]]) -> None:
    """Number the first fixes of each root finding in the order in which they must be applied.

    What is waived stays as it is, and what another finding explains is mended with that.
    """
    waived = {key(finding) for finding in findings if finding["waived"]}
    needed = [f for f in worst_first(findings) if not f["waived"] and f["explained_by"] in (None, *waived)]
    first = [fix for finding in needed for fix in finding["fixes"] if not fix["fallback"]]
    bodies: dict[str, int] = {}  # two findings may have the same fix, such as one deploy
    for fix in sorted(first, key=lambda fix: fix["rank"]):
        fix["order"] = bodies.setdefault(fix["body"], len(bodies) + 1)
