"""An environment's part of the record as text for a person."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from health.finding import Severity
from health.report.fix_files import file_of, sql_name
from health.report.headline import WHEN, cause, counted, top_findings
from health.report.order import unseen_causes, worst_first
from health.report.plan import plan_steps, rehearsal_line
from health.report.record import EnvironmentResult, Verdict
from health.report.results import CheckResult, FindingResult, FixResult
from health.report.tables import tables
from health.sanitize import one_line, printable
from health.words import listed, plural

Paint = Callable[[str, str], str]  # text, style → text

WIDTH = 100  # at the most: longer lines are hard to read
_SHOWN_PER_CODE = 5
_SHOWN_NAMES = 6
_SHOWN_STEPS = 9
_SHOWN_LINES = 10  # of a fix that stands whole in a file
_VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    "healthy": ("HEALTHY", "green"),
    "blocked": ("BLOCKED", "red"),
    "unknown": ("UNKNOWN", "red"),
    "partial": ("PARTIAL", "yellow"),
}
_STYLES: Mapping[Severity, str] = {"error": "red", "warning": "yellow", "info": "cyan"}


def header(name: str, facts: Mapping[str, str]) -> list[str]:
    """What is known of an environment, a line each."""
    width = max((len(label) for label in facts), default=0)
    return [f"{name}: {label:{width}}  {text}" for label, text in facts.items()]


def block(environment: EnvironmentResult, verbose: bool, paint: Paint, width: int = WIDTH) -> Iterator[str]:
    """The verdict, what is wrong worst first with its fixes, and what could not be found out, line by line.

    Args:
        environment: an element of the record's ``environments``.
        verbose: whether to show fallbacks and undos in full.
        paint: colours a text in a style, or leaves it.
        width: columns of the terminal.
    """
    for line in _Block(environment, verbose, paint, min(width, WIDTH)).lines():
        yield re.sub(r"^(\s*)::", r"\1|::", line)  # a CI runner would take it for a command


def migration_lines(environment: EnvironmentResult) -> Iterator[str]:
    """What became of the migration that was to be asked for before this judgement; nothing where there was none."""
    name, run = environment.name, environment.migration
    if run is not None:
        named = f" (id {run.id})" if run.id else ""
        yield f"{name}: migration {run.state} after {run.seconds:.0f} s{named}"
        if run.id and run.state not in ("COMPLETED", "FAILED"):
            yield f"  It may go on in AWS: GET {run.url}/{run.id}?stage={run.stage}"
    elif environment.migrated:
        for reason in dict.fromkeys(check.reason for check in environment.checks if check.reason):
            yield f"{name}: {reason}"


class _Block:
    def __init__(self, environment: EnvironmentResult, verbose: bool, paint: Paint, width: int) -> None:
        self.environment, self.verbose, self.paint, self.width = environment, verbose, paint, width
        self.symptoms = unseen_causes(environment.checks)
        self.findings = worst_first(environment.findings, self.symptoms)
        self.keys = {finding.key for finding in self.findings}
        self.above = {finding.key: finding.explained_by for finding in self.findings if not finding.waived}
        self.unread = [check for check in environment.checks if check.outcome == "unknown"]
        self.shown: set[int] = set()  # the numbers of the fixes that have been shown

    def lines(self) -> Iterator[str]:
        word, style = _VERDICTS[self.environment.verdict]
        verdict = f"{self.environment.name}: {word}"
        indent = " " * (len(verdict) + 2)
        counts, *more = self.wrapped(f"{WHEN[self.environment.phase]}; {counted(self.environment)}", indent)
        yield f"{self.paint(verdict, style)}  {counts.lstrip()}"
        yield from more
        if not self.environment.sound:
            yield "Not all checks told: a test or a file outside them failed, see above."
        if first := cause(self.environment):
            yield from self.wrapped(first, "")
        yield from self.plan()
        numbers: dict[str, int] = {}
        for finding in top_findings(self.environment):
            what = f"{'waived ' if finding.waived else ''}{finding.code}"
            numbers[what] = numbers.get(what, 0) + 1
            if numbers[what] <= _SHOWN_PER_CODE:
                yield ""
                yield from self.finding(finding)
        for what, number in numbers.items():
            if number > _SHOWN_PER_CODE:
                yield ""
                yield f"{number - _SHOWN_PER_CODE} more {what}: --report DIR writes all of them."
        yield from self.others()
        if self.verbose and (shown := list(tables(self.environment.overview))):
            yield ""
            yield from map(printable, shown)
        yield from self.rehearsed()
        if any(fix.kind == "sql" for f in self.findings if self.verbose or not f.waived for fix in f.fixes):
            yield ""
            yield from self.wrapped(f"Run SQL by {self.environment.overview.psql}.", "")

    def rehearsed(self) -> Iterator[str]:
        if line := rehearsal_line(self.environment):
            yield ""
            yield from self.wrapped(line, "")

    def plan(self) -> Iterator[str]:
        """All steps before any of them is shown in full: they stand at their findings, which have another order."""
        steps = plan_steps(self.environment)
        for number, step in steps[:_SHOWN_STEPS]:
            first, *more = self.wrapped(step, "      ")
            yield f"  {number:>2}  {first.lstrip()}"
            yield from more
        if len(steps) > _SHOWN_STEPS:
            yield f"      and {len(steps) - _SHOWN_STEPS} more"

    def finding(self, finding: FindingResult) -> Iterator[str]:
        waived = finding.waived
        word = f"waived {finding.severity}" if waived else finding.severity
        severity = self.paint(word, "cyan" if waived else _STYLES[finding.severity])
        yield f"{severity}  {self.paint(finding.code, 'bold')}  {one_line(finding.subject)}"
        yield from self.wrapped(finding.message)
        if waived:
            yield from self.wrapped(f"Waived until {waived.expires}, owner {waived.owner}: {waived.reason}")
        if unseen := self.symptoms.get(finding.key):
            yield from self.wrapped(f"Its cause was not looked for: could not check {self.listed(unseen)}")
        yield from self.explained(finding)
        if names := [check.id for check in self.open_under.get(finding.key, ())]:
            yield from self.wrapped(f"because of it could not be checked: {self.listed(names)}")
        if waived and not self.verbose:
            if finding.fixes:
                yield "  fixes: shown by -v, and written by --report DIR"
            return
        yield from self.fixes(finding)

    @cached_property
    def open_under(self) -> dict[str | None, list[CheckResult]]:
        """The checks without an answer, by the root of what explains them."""
        checks: dict[str | None, list[CheckResult]] = {}
        for check in self.unread:
            checks.setdefault(self.root(check.explained_by), []).append(check)
        return checks

    @cached_property
    def under(self) -> dict[str | None, dict[str, list[FindingResult]]]:
        """The findings that others explain, at first or second hand: by their root, then by their code."""
        findings: dict[str | None, dict[str, list[FindingResult]]] = {}
        for finding in self.findings:
            if not finding.waived:
                of_root = findings.setdefault(self.root(finding.explained_by), {})
                of_root.setdefault(finding.code, []).append(finding)
        return findings

    def root(self, cause: str | None) -> str | None:
        """The root of a cause: what explains it may be explained itself."""
        while cause is not None and (above := self.above.get(cause)) in self.keys:
            cause = above
        return cause

    def explained(self, finding: FindingResult) -> Iterator[str]:
        """What a finding explains; of many with the same code the first one."""
        accepted = ", accepted with it" if finding.waived else ""
        for code, others in self.under.get(finding.key, {}).items():
            more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
            yield from self.wrapped(f"explains {code}{more}{accepted}: {others[0].message}")

    def fixes(self, finding: FindingResult) -> Iterator[str]:
        needed = [fix for fix in finding.fixes if not fix.fallback]
        fallbacks = [fix for fix in finding.fixes if fix.fallback]
        waived = finding.waived is not None
        for fix in needed:
            yield from self.fix(fix, waived=waived)
        if finding.no_fix:
            yield from self.wrapped(f"{'note' if needed else 'no fix'}: {finding.no_fix}")
        for fix in fallbacks:
            yield from self.fix(fix, waived=waived)
        if fallbacks and not self.verbose:
            yield "     shown with its cost by -v, and written by --report DIR"

    def fix(self, fix: FixResult, *, waived: bool) -> Iterator[str]:
        number = f"fix {fix.order}" if fix.order else "or" if fix.fallback else "fix" if waived else "not yet"
        option = f", the guide's option {fix.option}" if fix.option else ""
        proof = f", {fix.proof.status}: {fix.proof.detail}" if fix.kind == "sql" else ""
        again = ", as above" if fix.order in self.shown else ""
        yield from self.wrapped(f"{number} ({fix.kind}{option}{proof}){again}: {fix.title}")
        if again or (fix.fallback and not self.verbose):
            return
        if fix.order:
            self.shown.add(fix.order)
        if fix.body:
            yield from self.beginning(fix)
        if fix.note:  # a patch's note is the command that applies it
            yield from self.body(fix.note) if fix.kind == "patch" else self.wrapped(fix.note, "     ")
        if fix.undo and "\n" in fix.undo and not self.verbose:
            where = f"in {sql_name(self.environment)}" if fix.order and fix.kind == "sql" else "written by --report DIR"
            yield f"     undo: shown by -v, and {where}"
        elif fix.undo:
            yield "     undo:"
            yield from self.body(fix.undo)

    def beginning(self, fix: FixResult) -> Iterator[str]:
        """A fix's first lines where a file holds it whole, or all of them."""
        lines, file = list(self.body(fix.body)), file_of(self.environment, fix)
        if self.verbose or file is None or len(lines) <= _SHOWN_LINES:
            yield from lines
            return
        yield from lines[:_SHOWN_LINES]
        more = len(lines) - _SHOWN_LINES
        yield f"       … {more} more {plural(more, 'line')}: {file}"

    def body(self, text: str) -> Iterator[str]:
        for line in printable(text.replace("\r\n", "\n")).rstrip("\n").split("\n"):
            yield f"       {line}"

    def listed(self, names: Sequence[str]) -> str:
        if self.verbose or len(names) <= _SHOWN_NAMES + 1:
            return ", ".join(names)
        return listed(names, _SHOWN_NAMES)

    def others(self) -> Iterator[str]:
        """What has no finding: plain asserts that failed, questions without an answer, and what was skipped."""
        by_reason: dict[str, list[str]] = {}
        for check in self.environment.checks:
            if check.outcome == "failed" and not check.findings:
                yield ""
                yield f"{self.paint('error', 'red')}  {self.paint(check.id, 'bold')}"
                yield from self.wrapped(check.reason or "")
            if check.outcome == "unknown" and check.explained_by not in self.keys:
                by_reason.setdefault(check.reason or "no reason given", []).append(check.id)
        for reason, names in by_reason.items():
            yield ""
            first, *more = self.wrapped(self.listed(names), " " * len("could not check  "))
            yield f"{self.paint('could not check', 'red')}  {first.lstrip()}"
            yield from more
            yield from self.wrapped(reason)
        yield from self.skipped()

    def skipped(self) -> Iterator[str]:
        """A line for each reason: of a plain database it is the same for a score of checks."""
        by_reason: dict[str, list[str]] = {}
        for check in self.environment.checks:
            if check.outcome == "skipped":
                by_reason.setdefault(check.reason or "", []).append(check.id)
        if by_reason:
            yield ""
        for reason, names in by_reason.items():
            yield from self.wrapped(f"skipped  {self.listed(names)}: {reason}", "")

    def wrapped(self, text: str, indent: str = "  ") -> list[str]:
        return textwrap.wrap(
            one_line(text, 2000), self.width, initial_indent=indent, subsequent_indent=indent,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
