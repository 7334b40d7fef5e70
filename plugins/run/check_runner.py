"""Runs checks: their findings decide the outcome, and travel on the report as plain JSON."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import pytest

from health.check import blocks
from health.finding import CouldNotCheck, Finding, Fix
from health.sanitize import inert, one_line, printable
from health.waivers.waivers import Waiver
from plugins import fixes
from plugins.run.fact_fixtures import FACT_SETS, target_of
from plugins.run.fact_summary import overview, summarize
from plugins.run.fix_rehearsal import FixRehearsal
from plugins.run.items import check_of, target_name
from plugins.run.options import RUN, Target

_FINDINGS = pytest.StashKey[list[dict[str, Any]]]()
_REHEARSALS = pytest.StashKey[dict[str, FixRehearsal]]()
_FACTS_TOLD = pytest.StashKey[dict[str, dict[str, Any]]]()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Judge a check; it fails without a traceback when a finding blocks."""
    check = check_of(pyfuncitem)
    if check is None:
        return None
    run = pyfuncitem.config.stash[RUN]
    facts: Mapping[str, Any] = pyfuncitem.funcargs["facts"]  # type: ignore[assignment]
    target = target_of(pyfuncitem) or Target("", run.phase)
    rehearsal = _rehearsal(pyfuncitem)
    findings = [
        as_json(
            finding, check.finds[finding.code].at(target.phase), facts, run.waivers.match(target.environment, finding),
            rehearsal,
        )
        for finding in check.judge(pyfuncitem.funcargs)
    ]  # fmt: skip
    pyfuncitem.stash[_FINDINGS] = findings
    if blocking := [f for f in findings if blocks(f["severity"], run.fail_on) and not f["waived"]]:
        pytest.fail(
            printable("\n".join(f"{f['code']}: {f['subject']}: {f['message']}" for f in blocking)), pytrace=False
        )
    return True


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what is known of the check on its report."""
    report = yield
    target = target_of(item)
    error = call.excinfo.value if call.excinfo is not None else None
    unread = error if isinstance(error, CouldNotCheck) else None
    if unread is not None:
        report.longrepr = one_line(str(unread), 1000)
    # The call decides; a set-up that did not get so far stands in for it.
    if target is None or report.when == "teardown" or (report.when == "setup" and report.passed):
        return report
    check = check_of(item)
    findings = item.stash.get(_FINDINGS, [])
    told: dict[str, Any] = {
        "environment": target.environment,
        "phase": target.phase,
        "id": check.id if check else item.name.partition("[")[0].removeprefix("test_").replace("_", "-"),
        "nodeid": item.nodeid,
        "outcome": _outcome(report, findings),
        "severity": check.severity(target.phase) if check else "error",
        "seconds": round(call.duration, 3),
        "reason": None if findings else _reason(report),
        "findings": findings,
        "what": one_line(unread.what) if unread is not None else None,
        "explained_by": unread.explained_by if unread is not None else None,
    }
    name, ending = target_name(item) or "", {}
    if item is _last_of_turn(item) and (rehearsal := _rehearsal(item)) is not None:
        ending = {"rehearsal": rehearsal.to_the_end(_findings_of_turn(item))}
        item.config.stash.setdefault(_FACTS_TOLD, {}).pop(name, None)  # for a rehearsal the schema may have been dumped
    told |= _facts_told(item.config, name)
    told["overview"] = told["overview"] | ending
    if report.failed and not isinstance(report.longrepr, str):
        text = str(report.longrepr)
        if inert(text) != text:  # a plain assert shows what came from outside
            report.longrepr = inert(text)
    report.health = told  # type: ignore[attr-defined]
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, Any] | None:
    """Show a check that has findings, none of which blocks, as warned, or as waived where all others are accepted."""
    told = getattr(report, "health", None)
    if told and told["outcome"] == "warned":
        return "warned", "w", ("WARNED", {"yellow": True})
    if told and told["outcome"] == "waived":
        return "waived", "a", ("WAIVED", {"yellow": True})
    return None


def as_json(
    finding: Finding,
    severity: str,
    facts: Mapping[str, Any],
    waiver: Waiver | None = None,
    rehearsal: FixRehearsal | None = None,
) -> dict[str, Any]:
    """A finding as it stands in the record, with its fixes built from these facts, and tried."""
    suggested, reason = fixes.suggest(finding, facts)
    if rehearsal is not None and waiver is None:
        suggested, refuted = rehearsal.prove(finding, suggested)
        reason = " ".join(filter(None, [reason, *refuted])) or None
    waived = {"reason": waiver.reason, "owner": waiver.owner, "expires": waiver.expires.isoformat()} if waiver else None
    shown = finding.shown
    return {
        "code": finding.code,
        "severity": severity,
        "subject": shown.subject,
        "message": shown.message,
        "evidence": {key: list(v) if isinstance(v, tuple) else v for key, v in shown.evidence.items()},
        "explained_by": None,
        "waived": waived,
        "fixes": [_fix_as_json(fix) for fix in suggested],
        "no_fix": reason,
    }


def _fix_as_json(fix: Fix) -> dict[str, Any]:
    return {
        "kind": fix.kind,
        "title": fix.title,
        "option": fix.option,
        "fallback": fix.fallback,
        "rank": fix.rank,
        "order": None,
        "body": fix.body,
        "undo": fix.undo,
        "note": fix.note,
        "proof": vars(fix.proof).copy(),
    }


def _facts_told(config: pytest.Config, target: str) -> dict[str, Any]:
    """What the facts of a target say, put together once: all are there before its first report."""
    facts, known = config.stash[FACT_SETS].read(target), config.stash.setdefault(_FACTS_TOLD, {})
    if facts is None:
        return {"facts": {}, "overview": {}}
    if target not in known:
        known[target] = {"facts": summarize(facts), "overview": overview(facts)}
    return known[target]


def _rehearsal(item: pytest.Item) -> FixRehearsal | None:
    """What tries the fixes of an item's target; None where nothing of it is read."""
    name, known = target_name(item) or "", item.config.stash.setdefault(_REHEARSALS, {})
    readings, target = item.config.stash[FACT_SETS], target_of(item)
    facts = readings.read(name)
    if name not in known and facts is not None and target is not None:
        known[name] = FixRehearsal(facts, target.phase, lambda line: readings.say(f"{target.environment}: {line}"))
    return known.get(name)


def _of_target(item: pytest.Item) -> list[pytest.Item]:
    return [each for each in item.session.items if target_name(each) == target_name(item)]


def _last_of_turn(item: pytest.Item) -> pytest.Item:
    return _of_target(item)[-1]


def _findings_of_turn(item: pytest.Item) -> list[dict[str, Any]]:
    return [finding for each in _of_target(item) for finding in each.stash.get(_FINDINGS, [])]


def _outcome(report: pytest.TestReport, findings: list[dict[str, Any]]) -> str:
    if report.skipped:
        return "skipped"
    if report.failed:
        return (
            "unknown"
            if report.when == "setup" or (report.when == "call" and not findings and _crashed(report))
            else "failed"
        )
    if any(f["severity"] != "info" and not f["waived"] for f in findings):
        return "warned"
    return "waived" if any(f["waived"] for f in findings) else "passed"


def _crashed(report: pytest.TestReport) -> bool:
    """Whether a check ended in an exception other than a failed assertion: it has judged nothing."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash is not None and not crash.message.startswith(("AssertionError", "assert"))


def _reason(report: pytest.TestReport) -> str | None:
    if report.skipped and isinstance(report.longrepr, tuple):
        return one_line(report.longrepr[2].removeprefix("Skipped: "))
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        return one_line(crash.message.partition("\n")[0] if crash else str(report.longrepr), 1000)
    return None
