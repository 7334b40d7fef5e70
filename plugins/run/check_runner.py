"""Runs checks: their findings decide the outcome, and travel on the report."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from os.path import isabs, join, normpath
from typing import Any

import pytest

from health.check import Check, blocks, id_of
from health.finding import CouldNotCheck, Finding, Severity
from health.report.record import FactsOverview
from health.report.results import CheckResult, FindingResult, Outcome, RehearsalOutcome
from health.sanitize import inert, one_line, printable
from health.waivers.waivers import Waiver
from plugins import fixes
from plugins.paths import CHECKS
from plugins.run.accepted import accepted_findings
from plugins.run.check_report import CheckReport, result_on
from plugins.run.fact_fixtures import FACT_SETS, target_of
from plugins.run.items import by_target, check_of, target_name
from plugins.run.options import RUN, Target
from plugins.run.rehearsals import Rehearsal, rehearsal_of

_ACCEPTED = pytest.StashKey[frozenset[str]]()
_FAILED = pytest.StashKey[bool]()  # also where only a part of a test, a subtest, did
_FINDINGS = pytest.StashKey[tuple[FindingResult, ...]]()
_SENT = pytest.StashKey[dict[str, FactsOverview]]()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Judge a check; it fails without a traceback when a finding blocks."""
    check = check_of(pyfuncitem)
    if check is None:
        return None
    run = pyfuncitem.config.stash[RUN]
    facts: Mapping[str, Any] = pyfuncitem.funcargs["facts"]  # type: ignore[assignment]
    target = target_of(pyfuncitem) or Target("", run.phase)
    rehearsal = rehearsal_of(pyfuncitem)
    findings = tuple(
        finding_result(
            finding, check.severity_of(finding, target.phase), facts, run.waivers.match(target.environment, finding),
            rehearsal,
        )
        for finding in check.judge(pyfuncitem.funcargs)
    )  # fmt: skip
    pyfuncitem.stash[_FINDINGS] = findings
    blocking = [f for f in findings if blocks(f.severity, run.fail_on) and not f.waived]
    pyfuncitem.stash[_ACCEPTED] = known = (
        accepted_findings(pyfuncitem, target.environment, facts, findings) if blocking else frozenset()
    )
    if blocking := [f for f in blocking if f.key not in known]:
        pytest.fail(printable("\n".join(f"{f.code}: {f.subject}: {f.message}" for f in blocking)), pytrace=False)
    return True


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what is known of the check on its report."""
    raised = call.excinfo
    unread = raised.value if raised is not None and isinstance(raised.value, CouldNotCheck) else None
    if raised is not None and unread is not None:  # pytest must not format a traceback that nobody sees
        plain = pytest.fail.Exception(pytrace=False)
        call.excinfo = pytest.ExceptionInfo.from_exc_info((type(plain), plain, raised.tb))
    try:
        report = yield
    finally:
        call.excinfo = raised
    target = target_of(item)
    if unread is not None:
        report.longrepr = one_line(str(unread), 1000)
    # The call decides; a set-up that did not get so far stands in for it.
    if target is None or report.when == "teardown" or (report.when == "setup" and report.passed):
        return report
    check = check_of(item)
    findings = item.stash.get(_FINDINGS, ())
    result = CheckResult(
        id=check.id if check else id_of(item.name.partition("[")[0]),
        nodeid=item.nodeid,
        outcome=_outcome(report, check, findings, item.stash.get(_ACCEPTED, frozenset())),
        severity=check.severity(target.phase) if check else "error",
        seconds=round(call.duration, 3),
        reason=None if findings else _reason(report),
        findings=findings,
        what=one_line(unread.what) if unread is not None else None,
        explained_by=unread.explained_by if unread is not None else None,
    )
    if unread is not None:
        result = replace(result, outcome="unknown")
    elif check is not None and (mark := _hiding_mark(item)) and result.outcome in ("skipped", "passed"):
        result = replace(result, outcome="unknown", reason=f"The mark {mark} hides it. A waiver accepts a finding.")
    elif result.outcome == "failed":
        item.stash[_FAILED] = True
    elif item.stash.get(_FAILED, False):
        result = replace(result, outcome="failed", reason="One of its subtests failed.")
    rehearsed = _rehearse_all(item)
    carried = CheckReport(target_name(item) or "", result, _news(item), rehearsed)
    if report.failed and not isinstance(report.longrepr, str):
        text = str(report.longrepr)
        if inert(text) != text:  # a plain assert shows what came from outside
            report.longrepr = inert(text)
    report.health = carried  # type: ignore[attr-defined]
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, Any] | None:
    """Show a check that has findings, none of which blocks, as warned, or as waived where all others are accepted."""
    result = result_on(report)
    if result is not None and result.outcome == "warned":
        return "warned", "w", ("WARNED", {"yellow": True})
    if result is not None and result.outcome == "waived":
        return "waived", "a", ("WAIVED", {"yellow": True})
    return None


def finding_result(
    finding: Finding,
    severity: Severity,
    facts: Mapping[str, Any],
    waiver: Waiver | None = None,
    rehearsal: Rehearsal | None = None,
) -> FindingResult:
    """Build a finding's part of the record, with its fixes built from these facts, and tried."""
    suggested, reason = fixes.suggest(finding, facts)
    if rehearsal is not None and waiver is None:
        suggested, refuted = rehearsal.prove(finding, suggested)
        reason = " ".join(filter(None, [reason, *refuted])) or None
    return FindingResult.of(_placed(finding, facts), severity, waiver, suggested, reason)


def _placed(finding: Finding, facts: Mapping[str, Any]) -> Finding:
    """The finding with the whole path of its file."""
    if finding.place is None or isabs(finding.place.path):
        return finding
    path = normpath(join(facts["environment"].migrations, finding.place.path))
    return replace(finding, place=replace(finding.place, path=path))


def _news(item: pytest.Item) -> FactsOverview | None:
    """What the facts show, where no report has it yet: all are read before a target's first report.

    For a rehearsal more may be read, such as the schema: the last report has what that changed.
    """
    name, sent = target_name(item) or "", item.config.stash.setdefault(_SENT, {})
    if name in sent and not _is_last(item):
        return None
    known = item.config.stash[FACT_SETS].overview(name)
    if known is None or sent.get(name) == known:
        return None
    sent[name] = known
    return known


def _rehearse_all(item: pytest.Item) -> RehearsalOutcome | None:
    """Try all fixes of a target together, after its last check."""
    rehearsal = rehearsal_of(item) if _is_last(item) else None
    if rehearsal is None:
        return None
    items = by_target(item.session)[target_name(item)]
    return rehearsal.to_the_end([finding for each in items for finding in each.stash.get(_FINDINGS, ())])


def _is_last(item: pytest.Item) -> bool:
    return by_target(item.session)[target_name(item)][-1] is item


def _outcome(
    report: pytest.TestReport, check: Check | None, findings: Sequence[FindingResult], known: frozenset[str]
) -> Outcome:
    if report.skipped:
        return "skipped"
    if report.failed:
        # A check that could not do its work has judged nothing; any other test that is red is red.
        unjudged = report.when == "setup" or (not findings and _crashed(report))
        return "unknown" if check is not None and unjudged else "failed"
    if any(f.severity != "info" and not f.waived and f.key not in known for f in findings):
        return "warned"
    return "waived" if any(f.waived or f.key in known for f in findings) else "passed"


def _hiding_mark(item: pytest.Item) -> str | None:
    """The mark by which pytest does not run a check of the suite's, or lets it fail: no check has one of its own."""
    if not item.path.is_relative_to(CHECKS):
        return None
    return next((mark.name for mark in item.iter_markers() if mark.name in ("skip", "skipif", "xfail")), None)


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
