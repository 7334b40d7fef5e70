"""What is to be read first of an environment: how its checks came out, and the cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from health.report.order import unseen_causes, worst_first
from health.report.record import EnvironmentResult
from health.report.results import FindingResult, Outcome
from health.waivers.waivers import OWN_CODES
from health.words import plural

WHEN = {"before": "before a deploy", "after": "after a deploy", "nightly": "nightly"}
_WORDS: Mapping[Outcome, str] = {
    "failed": "failed", "unknown": "could not be checked", "warned": "warned", "passed": "passed",
    "waived": "waived", "skipped": "skipped",
}  # fmt: skip


def counted(environment: EnvironmentResult) -> str:
    """Count the checks by their outcome, in a sentence."""
    count = Counter(check.outcome for check in environment.checks)
    run, there_are = environment.selected
    parts = [f"{run} of {there_are} checks ran" if run < there_are else f"{run} checks"]
    parts += [f"{count[outcome]} {word}" for outcome, word in _WORDS.items() if count[outcome]]
    waived = sum(finding.waived is not None for finding in environment.findings)
    apart = f"; {waived} waived {plural(waived, 'finding')}" if waived != count["waived"] else ""
    return ", ".join(parts) + apart + "."


def top_findings(environment: EnvironmentResult) -> list[FindingResult]:
    """List the findings that stand by themselves, worst first: no other finding of the environment explains them."""
    findings = worst_first(environment.findings, unseen_causes(environment.checks))
    keys = {finding.key for finding in findings}
    # What is waived does not stand under its cause; what it alone explains is accepted with it.
    return [finding for finding in findings if finding.waived or finding.explained_by not in keys]


def cause(environment: EnvironmentResult) -> str | None:
    """Name what is to be looked at first: the root cause, how many there are, or what keeps it from being seen."""
    if environment.verdict == "unknown":
        return _cause_of_silence(environment, "Root cause")
    if environment.verdict != "blocked":
        return None
    symptoms = unseen_causes(environment.checks)
    serious = [f for f in top_findings(environment) if f.severity != "info" and not f.waived]
    serious = [f for f in serious if f.severity == "error"] or serious
    causes = [f for f in serious if f.key not in symptoms]
    if serious and not causes:
        return _cause_of_silence(environment, "The cause was not looked for")
    # An expired waiver stands beside what it waived: that is the cause.
    return _causes(environment, [f for f in causes if f.code not in OWN_CODES] or causes)


def _causes(environment: EnvironmentResult, roots: Sequence[FindingResult]) -> str | None:
    if len(roots) == 1:
        return f"Root cause: {roots[0].code}, {roots[0].subject}"
    if not roots:
        return None
    numbers = [fix.order for finding in environment.findings for fix in finding.fixes if fix.order]
    return f"{len(roots)} causes" + (f"; begin with fix {min(numbers)}." if numbers else ".")


def _cause_of_silence(environment: EnvironmentResult, words: str) -> str | None:
    """Name what keeps every open question open, if it is one thing."""
    keys = {finding.key for finding in environment.findings}
    unread = (check for check in environment.checks if check.outcome == "unknown")
    reasons = {check.what for check in unread if check.explained_by not in keys}
    what = reasons.pop() if len(reasons) == 1 else None
    return f"{words}: {what}" if what else None
