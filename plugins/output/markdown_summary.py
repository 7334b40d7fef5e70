"""The record as Markdown: verdict, cause and plan first; facts and what passed are folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from health.report.drift import drift_markdown
from health.report.headline import WHEN, cause, counted
from health.report.matrix import matrix, matrix_markdown
from health.report.order import accepted_keys, unseen_causes, worst_first
from health.report.plan import plan_steps, rehearsal_line
from health.report.record import EnvironmentResult, Record
from health.report.results import CheckResult, FixResult
from health.report.several import table_markdown
from health.report.tables import tables
from health.report.terminal import migration_lines
from health.sanitize import fenced, markdown
from health.words import plural

_LANGUAGES = {"sql": "sql", "patch": "diff", "command": "sh", "http": "http", "decision": "sql"}
_FOLDED = ("passed", "skipped")  # outcomes


def summary(record: Record) -> Iterator[str]:
    """The record as Markdown."""
    yield "# Migration health"
    if len({environment.name for environment in record.environments}) > 1:
        yield ""
        yield from table_markdown(record.environments)
    for environment in record.environments:
        yield from _environment(environment)
    if rows := list(matrix_markdown(matrix(record.environments))):
        yield "\n## Which migration is where\n"
        yield from rows


def _environment(environment: EnvironmentResult) -> Iterator[str]:
    yield f"\n## {markdown(environment.name)}: {environment.verdict} ({WHEN[environment.phase]})\n"
    yield f"{counted(environment)}"
    if not environment.sound:
        yield "\nNot all checks told: a test or a file outside them failed."
    if first := cause(environment):
        yield f"\n**{markdown(first)}**"
    yield from _plan(environment)
    if line := rehearsal_line(environment):
        yield f"\n{markdown(line)}"
    if told := [markdown(line.strip()) for line in migration_lines(environment)]:
        yield ""
        yield from (f"- {line}" for line in told)
    yield from drift_markdown(environment)
    yield from _checks([check for check in environment.checks if check.outcome not in _FOLDED])
    yield from _findings(environment)
    passed = [check for check in environment.checks if check.outcome in _FOLDED]
    yield from _folded(f"{len(passed)} {plural(len(passed), 'check')} passed or skipped", _checks(passed))
    yield from _folded("What is known of the environment", _facts(environment))


def _facts(environment: EnvironmentResult) -> Iterator[str]:
    if facts := environment.overview.facts:
        yield ""
        yield from (f"- {label}: {markdown(text)}" for label, text in facts.items())
    if shown := list(tables(environment.overview)):
        yield "\n" + fenced("\n".join(shown), "")


def _folded(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Lines that a click opens; nothing where there are none."""
    if inner := list(lines):
        yield f"\n<details><summary>{title}</summary>"
        yield from inner
        yield "\n</details>"


def _checks(checks: Sequence[CheckResult]) -> Iterator[str]:
    if not checks:
        return
    yield "\n| check | outcome |\n|---|---|"
    for check in checks:
        reason = f": {markdown(check.reason)}" if check.reason else ""
        yield f"| {markdown(check.id)} | {check.outcome}{reason} |"


def _findings(environment: EnvironmentResult) -> Iterator[str]:
    beside = accepted_keys(environment.findings)
    listed = worst_first(environment.findings, unseen_causes(environment.checks))
    for finding in sorted(listed, key=lambda each: each.explained_by is not None):  # causes before what they explain
        waived = finding.waived
        accepted = "waived " if waived else "accepted " if finding.key in beside else ""
        yield f"\n### {accepted}{finding.severity}: {finding.code}: {markdown(finding.subject)}\n"
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


def _plan(environment: EnvironmentResult) -> Iterator[str]:
    steps = plan_steps(environment, at_least=1)
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
