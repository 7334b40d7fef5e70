"""The plan: which fixes have a number, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from health.finding import DECISION, DEPLOY, SCRIPT, Severity
from health.report.order import in_order
from health.report.results import FindingResult, FixResult
from health.words import numbered_fixes


def found(*fixes: FixResult, subject: str = "m", severity: Severity = "error") -> FindingResult:
    return FindingResult(code="some-code", subject=subject, message="", severity=severity, fixes=fixes)


def fix(kind: Any, rank: int, body: str | None = None, **more: Any) -> FixResult:
    return FixResult(kind, f"{kind} {rank}", f"{kind} {rank}" if body is None else body, rank=rank, **more)


KEY, PATCH, DECIDE = fix("command", 1), fix("patch", SCRIPT), fix("decision", DECISION)
MEND, DEPLOYS, RESTORE = fix("sql", 10), fix("command", DEPLOY), fix("command", 90)
WAIT = fix("wait", DECISION, "")
ALL = [found(RESTORE, subject="a"), found(MEND, DEPLOYS, subject="b"), found(DECIDE, DEPLOYS, subject="c"),
       found(PATCH, subject="d", severity="warning"), found(KEY, subject="e", severity="warning")]  # fmt: skip


def titles(*findings: FindingResult, deploys: bool = True) -> list[str]:
    return [fix.title for _, fix in in_order(findings, deploys=deploys)]


def test_way_in_then_decisions_then_history_then_deploy_then_the_rest() -> None:
    assert titles(*ALL) == [fix.title for fix in (KEY, PATCH, DECIDE, MEND, DEPLOYS, RESTORE)]


def test_deploy_that_is_known_to_fail_has_no_number() -> None:
    assert titles(*ALL, deploys=False) == [fix.title for fix in (KEY, PATCH, DECIDE, MEND, RESTORE)]


def test_while_a_migration_runs_the_plan_is_to_wait() -> None:
    assert titles(*ALL, found(WAIT, subject="f")) == [fix.title for fix in (KEY, PATCH, WAIT)]


def test_two_waits_are_one_step() -> None:
    assert len(titles(found(WAIT), found(fix("wait", DECISION + 1, ""), subject="f"))) == 1


def test_two_decisions_without_a_query_are_two_steps() -> None:
    decisions = [FixResult("decision", title, "", rank=DECISION) for title in ("x", "y")]
    assert titles(*(found(each, subject=each.title) for each in decisions)) == ["x", "y"]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [([3], "fix 3"), ([1, 2], "fixes 1 and 2"), ([1, 2, 3], "fixes 1 to 3"), ([1, 3, 4], "fixes 1, 3 and 4")],
)
def test_fixes_are_named_by_their_numbers(numbers: list[int], said: str) -> None:
    assert numbered_fixes(numbers) == said
