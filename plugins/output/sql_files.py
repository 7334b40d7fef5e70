"""The SQL fixes of an environment as a file for psql."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from health.report.order import accepted_keys, worst_first
from health.report.record import EnvironmentResult
from health.report.results import FixResult
from health.sanitize import printable


def sql_file(environment: EnvironmentResult) -> Iterator[str]:
    """All SQL fixes of an environment with their undos; only the preferred ones stand outside comments."""
    yield f"-- SQL fixes for {environment.name}, in the order in which they are to be applied."
    yield "-- Read each one before you run it; fallbacks and undos are commented out. Run them by"
    yield f"-- {environment.overview.psql}."
    yield "-- Fixes that are not SQL, such as deploys, have their numbers too: they stand in summary.md."
    findings, beside = worst_first(environment.findings), accepted_keys(environment.findings)
    known = [(f, fix) for f in findings if f.key not in beside for fix in f.fixes]
    fixes = [(finding, fix) for finding, fix in known if fix.kind == "sql" or _decided(fix)]
    for finding, fix in sorted(fixes, key=lambda pair: (pair[1].order is None, pair[1].order or 0)):
        option = f", the guide's option {fix.option}" if fix.option else ""
        later = not fix.fallback and finding.explained_by is None
        number = f"Fix {fix.order}" if fix.order else "Not yet" if later else "Fallback"
        # Titles and notes of SQL fixes are constants: no text from outside stands in a comment.
        how = "a person's decision" if fix.kind == "decision" else fix.proof.status
        yield f"\n-- {number}: {finding.code}: {fix.title}{option} ({how})"
        yield from _commented(textwrap.fill(fix.note, 100))
        yield from fix.body.rstrip("\n").split("\n") if fix.order and fix.kind == "sql" else _commented(fix.body)
        if fix.undo:
            yield "\n-- Undo:"
            yield from _commented(fix.undo)
    if not fixes:
        yield "-- There is nothing to mend by SQL."
    if any(fix.kind == "sql" for f in findings if f.key in beside for fix in f.fixes):
        yield "\n-- SQL for waived findings, and what they explain, is left out: it stands in summary.md."


def _decided(fix: FixResult) -> bool:
    """Whether a fix is a decision that stands between the SQL."""
    return fix.kind == "decision" and fix.order is not None


def _commented(body: str) -> Iterator[str]:
    for line in printable(body).rstrip("\n").split("\n") if body else ():
        yield f"-- {line}".rstrip()
