"""The record as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from health.report.drift import drift_markdown
from health.report.order import accepted_keys, unseen_causes, worst_first
from health.report.plan import plan_steps, rehearsal_line
from health.report.record import EnvironmentResult, Record
from health.report.results import FixResult
from health.report.tables import tables
from health.report.terminal import migration_lines
from health.sanitize import fenced, markdown

_LANGUAGES = {"sql": "sql", "patch": "diff", "command": "sh", "http": "http", "decision": "sql"}


def summary(record: Record) -> Iterator[str]:
    """The record as Markdown."""
    yield "# Migration health"
    for environment in record.environments:
        yield f"\n## {markdown(environment.name)}: {environment.verdict} ({environment.phase})\n"
        known = [f"{label}: {markdown(text)}" for label, text in environment.overview.facts.items()]
        known += [markdown(line.strip()) for line in migration_lines(environment)]
        yield from (f"- {line}" for line in known)
        if shown := list(tables(environment.overview)):
            yield "\n" + fenced("\n".join(shown), "")
        yield from _plan(environment)
        yield "\n| check | outcome |\n|---|---|"
        for check in environment.checks:
            reason = f": {markdown(check.reason)}" if check.reason else ""
            yield f"| {markdown(check.id)} | {check.outcome}{reason} |"
        beside = accepted_keys(environment.findings)
        for finding in worst_first(environment.findings, unseen_causes(environment.checks)):
            waived = finding.waived
            accepted = "waived " if waived else "accepted " if finding.key in beside else ""
            word = f"{accepted}{finding.severity}"
            yield f"\n### {word}: {finding.code}: {markdown(finding.subject)}\n"
            yield markdown(finding.message)
            if waived:
                who, why = markdown(waived.owner), markdown(waived.reason)
                yield f"\nWaived until {waived.expires}, owner {who}: {why}"
            if finding.explained_by:
                yield f"\nExplained by {markdown(finding.explained_by)}."
            for fix in finding.fixes:
                yield from _fix(fix, root=finding.explained_by is None and not waived)
            if finding.no_fix:
                needed = any(not fix.fallback for fix in finding.fixes)
                yield f"\n{'Note' if needed else 'No fix'}: {markdown(finding.no_fix)}"
        if line := rehearsal_line(environment):
            yield f"\n{markdown(line)}"
        yield from drift_markdown(environment)


def _plan(environment: EnvironmentResult) -> Iterator[str]:
    steps = plan_steps(environment)
    if steps:
        yield ""
    yield from (f"{number}. {markdown(step)}" for number, step in steps)


def _fix(fix: FixResult, *, root: bool) -> Iterator[str]:
    number = f"Fix {fix.order}" if fix.order else "Fallback" if fix.fallback else "Not yet" if root else "Fix"
    proof = f", {fix.proof.status}: {markdown(fix.proof.detail)}" if fix.kind == "sql" else ""
    yield f"\n**{number}** ({fix.kind}{proof}): {markdown(fix.title)}\n"
    if fix.body:
        yield fenced(fix.body.rstrip("\n"), _LANGUAGES[fix.kind])
    if fix.note:
        yield "\n" + (fenced(fix.note, "sh") if fix.kind == "patch" else markdown(fix.note))
    if fix.undo:
        yield "\nUndo:\n"
        yield fenced(fix.undo.rstrip("\n"), "sql" if fix.kind == "sql" else "sh")
