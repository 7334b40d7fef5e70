"""An environment's part of the record as text for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from health.report import worst_first
from health.text import one_line, printable

Paint = Callable[[str, str], str]  # text, style → text

WIDTH = 100
_SHOWN_PER_CODE = 5
_VERDICTS = {
    "healthy": ("HEALTHY", "green"),
    "blocked": ("BLOCKED", "red"),
    "unknown": ("UNKNOWN", "red"),
    "partial": ("PARTIAL", "yellow"),
}
_STYLES = {"error": "red", "warning": "yellow", "info": "cyan"}
_WHEN = {"before": "before a deploy", "after": "after a deploy", "nightly": "nightly"}


def header(name: str, facts: Mapping[str, str]) -> list[str]:
    """What is known of an environment, a line each."""
    width = max((len(label) for label in facts), default=0)
    return [f"{name}: {label:{width}}  {text}" for label, text in facts.items()]


def block(environment: Mapping[str, Any], verbose: bool, paint: Paint) -> Iterator[str]:
    """The verdict, what is wrong worst first with its fixes, and what could not be found out, line by line.

    Args:
        environment: an element of the record's ``environments``.
        verbose: whether to show fallbacks and undos in full.
        paint: colours a text in a style, or leaves it.
    """
    for line in _block(environment, verbose, paint):
        # CI runners take a line that begins like this for a command, also after blanks.
        yield f"|{line}" if line.lstrip().startswith(("::", "##[")) else line


def _block(environment: Mapping[str, Any], verbose: bool, paint: Paint) -> Iterator[str]:
    checks = environment["checks"]
    findings = worst_first([finding for check in checks for finding in check["findings"]])
    roots = [finding for finding in findings if not _explained(finding, findings)]
    unread = [check for check in checks if check["outcome"] == "unknown"]

    word, style = _VERDICTS[environment["verdict"]]
    verdict = paint(f"{environment['name']}: {word}", style)
    yield f"{verdict}  {_WHEN[environment['phase']]}; {_sentence(environment)}"
    blocking = [finding for finding in roots if finding["severity"] != "info"]
    if len(blocking) == 1 and (len(findings) > 1 or unread):
        yield f"Root cause: {one_line(blocking[0]['code'])}, {one_line(blocking[0]['subject'])}"
    told: dict[str, int] = {}
    for finding in roots:
        code = finding["code"]
        told[code] = told.get(code, 0) + 1
        if told[code] <= _SHOWN_PER_CODE:
            yield ""
            yield from _finding(finding, findings, unread, verbose, paint)
    for code, number in told.items():
        if number > _SHOWN_PER_CODE:
            yield ""
            yield f"{number - _SHOWN_PER_CODE} more {code}: --report DIR writes all of them."
    for check in checks:
        if check["outcome"] == "failed" and not check["findings"]:  # a plain assert
            yield ""
            yield f"{paint('error', 'red')}  {paint(check['id'], 'bold')}"
            yield from _wrapped(check["reason"] or "")
    yield from _unread(unread, findings, paint)
    for check in checks:
        if check["outcome"] == "skipped":
            yield ""
            yield f"skipped  {check['id']}: {one_line(check['reason'] or '')}"


def _sentence(environment: Mapping[str, Any]) -> str:
    checks: Sequence[Mapping[str, Any]] = environment["checks"]
    count = {o: sum(check["outcome"] == o for check in checks) for o in ("passed", "warned", "failed", "unknown")}
    run, there_are = environment["selected"]
    parts = [f"{run} of {there_are} checks ran" if run < there_are else f"{run} checks"]
    words = {"failed": "failed", "unknown": "could not be checked", "warned": "warned", "passed": "passed"}
    parts += [f"{count[outcome]} {said}" for outcome, said in words.items() if count[outcome]]
    return ", ".join(parts) + "."


def _explained(finding: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> bool:
    return any(_key(other) == finding["explained_by"] for other in findings)


def _finding(
    finding: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], unread: Sequence[Mapping[str, Any]],
    verbose: bool, paint: Paint,
) -> Iterator[str]:  # fmt: skip
    style = _STYLES[finding["severity"]]
    yield f"{paint(finding['severity'], style)}  {paint(finding['code'], 'bold')}  {one_line(finding['subject'])}"
    yield from _wrapped(finding["message"])
    for other in findings:
        if other["explained_by"] == _key(finding):
            yield from _wrapped(f"explains {other['code']}: {other['message']}")
    if names := [check["id"] for check in unread if check["explained_by"] == _key(finding)]:
        yield from _wrapped(f"because of it could not be checked: {', '.join(names)}")
    for fix in finding["fixes"]:
        yield from _fix(fix, verbose)
    if finding["no_fix"]:
        yield from _wrapped(f"no {'DELETE' if finding['fixes'] else 'fix'}: {finding['no_fix']}")


def _fix(fix: Mapping[str, Any], verbose: bool) -> Iterator[str]:
    number = f"fix {fix['order']}" if fix["order"] else "or"
    option = f", the guide's option {fix['option']}" if fix["option"] else ""
    proof = f", {fix['proof']['status']}: {fix['proof']['detail']}" if fix["kind"] == "sql" else ""
    yield from _wrapped(f"{number} ({fix['kind']}{option}{proof}): {fix['title']}")
    if fix["fallback"] and not verbose:
        yield "     shown by -v, and written by --report DIR"
        return
    for line in printable(fix["body"].replace("\r\n", "\n")).rstrip("\n").split("\n"):
        yield f"       {line}"
    if fix["note"]:
        yield from _wrapped(fix["note"], "     ")
    if fix["undo"] and (verbose or "\n" not in fix["undo"]):
        yield "     undo:"
        for line in printable(fix["undo"]).rstrip("\n").split("\n"):
            yield f"       {line}"


def _unread(
    unread: Sequence[Mapping[str, Any]], findings: Sequence[Mapping[str, Any]], paint: Paint
) -> Iterator[str]:  # fmt: skip
    keys = {_key(finding) for finding in findings}
    by_reason: dict[str, list[str]] = {}
    for check in unread:
        if check["explained_by"] not in keys:
            by_reason.setdefault(check["reason"] or "no reason given", []).append(check["id"])
    for reason, names in by_reason.items():
        yield ""
        first, *more = _wrapped(", ".join(names), " " * len("could not check  "))
        yield f"{paint('could not check', 'red')}  {first.lstrip()}"
        yield from more
        yield from _wrapped(reason)


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        one_line(text, 2000), WIDTH, initial_indent=indent, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _key(finding: Mapping[str, Any]) -> str:
    return f"{finding['code']}:{finding['subject']}"
