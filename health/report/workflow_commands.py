"""The record as workflow commands of GitHub Actions: annotations of the run, and of lines of its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from health.finding import SEVERITIES, Place, Severity
from health.report.order import accepted_keys, unseen_causes, worst_first
from health.report.places import below, fix_title
from health.report.record import EnvironmentResult, Record
from health.sanitize import one_line
from health.words import listed

_MOST = 10  # of a kind that GitHub shows of a step
_TITLE, _MESSAGE = 200, 2000  # characters
_KINDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}
_SHOWN_CHECKS = 5


@dataclass(frozen=True)
class _Annotation:
    severity: Severity
    title: str
    message: str
    place: Place | None = None
    consequence: bool = False


def workflow_commands(record: Record, root: str) -> Iterator[str]:
    """Give the lines to print: at most ten of a kind, the worst first; where there are more the last one tells so.

    Args:
        record: of the run.
        root: of the repository's checkout; a file elsewhere is not named.
    """
    found = [each for environment in record.current for each in _of(environment)]
    for severity in SEVERITIES:
        # What another finding explains stands behind what nothing explains.
        kind = sorted((each for each in found if each.severity == severity), key=lambda each: each.consequence)
        yield from (_command(each, root) for each in (kind if len(kind) <= _MOST else kind[: _MOST - 1]))
        if len(kind) > _MOST:
            more = f"{len(kind) - _MOST + 1} more of severity {severity} are not shown here: the summary has them."
            yield _command(_Annotation(severity, "migration-health", more), root)


def _of(environment: EnvironmentResult) -> Iterator[_Annotation]:
    accepted, name = accepted_keys(environment.findings), environment.name
    for finding in worst_first(environment.findings, unseen_causes(environment.checks)):
        if finding.key not in accepted:
            fix = fix_title(finding)
            yield _Annotation(
                finding.severity,
                f"{name}: {finding.code}",
                f"{finding.subject}: {finding.message}" + (f" Fix: {fix}." if fix else ""),
                finding.place,
                finding.explained_by is not None,
            )
    unanswered: dict[str, list[str]] = {}
    for check in environment.checks:
        if check.outcome == "unknown":
            unanswered.setdefault(check.reason or "It did not tell why.", []).append(check.id)
        elif check.outcome == "failed" and not check.findings:
            yield _Annotation("error", f"{name}: {check.id}", check.reason or "It failed.")
    for reason, ids in unanswered.items():
        yield _Annotation("error", f"{name}: could not be checked", f"{listed(ids, _SHOWN_CHECKS)}: {reason}")
    if not environment.sound:
        yield _Annotation("error", f"{name}: not all checks told", "A test or a file outside them failed, see the log.")


def _command(each: _Annotation, root: str) -> str:
    properties = {"title": one_line(each.title, _TITLE)}
    path = below(each.place.path, root) if each.place is not None else None
    if path is not None and each.place is not None:
        properties = {"file": path, "line": str(each.place.line), **properties}
    told = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
    return f"::{_KINDS[each.severity]} {told}::{_data(one_line(each.message, _MESSAGE))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
