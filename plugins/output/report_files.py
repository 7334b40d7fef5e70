"""``--report DIR``: report.json, a file of SQL fixes per environment, and summary.md."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from health.report.order import accepted_keys, unseen_causes, worst_first
from health.report.plan import plan_steps, rehearsal_line
from health.report.record import EnvironmentResult, Record, anything_judged
from health.report.results import FixResult
from health.report.tables import tables
from health.report.terminal import migration_lines
from health.sanitize import fenced, markdown, printable
from plugins.redaction.values import hidden
from plugins.run.recorder import RECORD
from plugins.run.user_files import from_here

_LANGUAGES = {"sql": "sql", "patch": "diff", "command": "sh", "http": "http", "decision": "sql"}


def pytest_configure(config: pytest.Config) -> None:
    """Make the directory at once: a run whose report cannot be kept must not begin."""
    directory = config.getoption("report")
    if directory and not hasattr(config, "workerinput"):
        path = from_here(config, directory)
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise pytest.UsageError(f"--report: {path}: {error.strerror}. Name a directory to write to.") from None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the files."""
    config = session.config
    record, directory = config.stash.get(RECORD, None), config.getoption("report")
    if not directory or record is None:
        return
    path = from_here(config, directory)
    record = hidden(record)  # values, before they are serialised: JSON's own words stay as they are
    files = {
        "report.json": json.dumps(record.to_json(), indent=2, ensure_ascii=True),
        "summary.md": "\n".join(summary(record)),
    }
    # Of the two judgements of --migrate the second one, where it was made.
    for environment in sorted(record.environments, key=lambda each: anything_judged(each.checks)):
        files[f"fixes-{environment.name}.sql"] = "\n".join(sql_file(environment))
    for name, text in files.items():
        try:
            write_private(path / name, text + "\n")
        except OSError as error:  # the terminal still tells the result
            print(f"--report: {path / name} could not be written: {error.strerror}.", file=sys.stderr)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


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


def _plan(environment: EnvironmentResult) -> Iterator[str]:
    steps = plan_steps(environment)
    if steps:
        yield ""
    yield from (f"{number}. {markdown(step)}" for number, step in steps)


def _decided(fix: FixResult) -> bool:
    """Whether a fix is a decision that stands between the SQL."""
    return fix.kind == "decision" and fix.order is not None


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


def _commented(body: str) -> Iterator[str]:
    for line in printable(body).rstrip("\n").split("\n") if body else ():
        yield f"-- {line}".rstrip()


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read.

    Raises:
        OSError: it could not be written; nothing is left of it.
    """
    # A new file each time: the old one may be a link to somewhere, or readable by others.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
