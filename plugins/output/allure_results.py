"""``--alluredir DIR``: the results of checks for Allure, from the record, in place of those of its pytest plugin."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from health.check import CHECKS
from health.finding import Severity
from health.report.check_pages import link_to
from health.report.json_values import to_json
from health.report.record import EnvironmentResult, Record
from health.report.results import CheckResult, FindingResult, FixResult, Outcome
from health.sanitize import markdown, printable, prose
from plugins.output.guide_steps import GUIDE_STEPS
from plugins.output.private_files import write_private
from plugins.run.check_catalog import checks_as_far_as_they_load
from plugins.run.user_files import from_here

_STATUS: Mapping[Outcome, str] = {
    "passed": "passed", "warned": "passed", "waived": "passed", "failed": "failed", "unknown": "broken",
    "skipped": "skipped",
}  # fmt: skip
_SEVERITIES: Mapping[Severity, str] = {"error": "critical", "warning": "normal", "info": "minor"}
_ENDINGS = {"sql": "sql", "patch": "diff", "decision": "sql"}
_LARGEST = 1_000_000  # bytes of a result that the plugin wrote


def write(config: pytest.Config, record: Record) -> None:
    """Write a result per check.

    Raises:
        OSError: one of them could not be written.
    """
    checks_as_far_as_they_load()  # with -n this process has collected none, and they document themselves
    directory = from_here(config, config.option.allure_report_dir)
    _remove(directory, record)
    for name, text in allure_files(record, _docs_url(config)):
        write_private(directory / name, text)


def allure_files(record: Record, docs_url: str = "") -> Iterator[tuple[str, str]]:
    """Give the files of Allure's results: their names and texts.

    Args:
        record: of the run.
        docs_url: what leads to ``docs/``; empty where that is not known.
    """
    for environment in record.environments:
        for check in environment.checks:
            yield from _files(record, environment, check, docs_url)
    yield "environment.properties", f"migration-health={record.tool_version}\nexit-status={record.exit_status}\n"


def _docs_url(config: pytest.Config) -> str:
    try:
        return str(config.getini("docs_url"))
    except ValueError:  # no writer that declares it is loaded
        return ""


def _files(
    record: Record, environment: EnvironmentResult, check: CheckResult, docs_url: str
) -> Iterator[tuple[str, str]]:
    # By what it is, never by where it ran: so that runs on other machines continue its history.
    identity = f"{environment.name}\0{environment.phase}\0{check.id}"
    uuid = _hash(f"{record.started_at}\0{identity}")
    attachments = []
    for number, (title, ending, text) in enumerate(_attachments(check)):
        source = f"{uuid}-{number}-attachment.{ending}"
        kind = "application/json" if ending == "json" else "text/plain"
        attachments.append({"name": title, "source": source, "type": kind})
        yield source, printable(text)
    start = round(datetime.fromisoformat(record.started_at).timestamp() * 1000)
    result = {
        "uuid": uuid,
        "historyId": _hash(identity),
        "testCaseId": _hash(check.id),
        "fullName": f"{check.nodeid.partition('::')[0].removesuffix('.py').removesuffix('.sql')}#{check.id}",
        "name": check.id,
        "titlePath": [environment.name, _topic(check)],
        "status": _STATUS[check.outcome],
        "statusDetails": {"message": message} if (message := _message(check)) else {},
        "stage": "finished",
        "start": start,
        "stop": start + round(check.seconds * 1000),
        "description": "\n\n".join(_description(check)),
        "labels": [{"name": name, "value": value} for name, value in _labels(environment, check)],
        "parameters": [
            {"name": "environment", "value": environment.name},
            {"name": "phase", "value": environment.phase},
        ],
        "links": [{"type": "link", "name": "About this check", "url": link}]
        if (link := link_to(check, docs_url))
        else [],
        "attachments": attachments,
    }
    yield f"{uuid}-result.json", json.dumps(_plain(result), indent=1)


def _plain(value: Any) -> Any:
    """Cut every text of a result, and escape what steers a terminal or turns a line of the page around."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return list(map(_plain, value))
    return prose(value) if isinstance(value, str) else value


def _labels(environment: EnvironmentResult, check: CheckResult) -> Iterator[tuple[str, str]]:
    worst = min((finding.severity for finding in check.findings), key=list(_SEVERITIES).index, default=check.severity)
    yield "severity", _SEVERITIES[worst]
    yield "suite", environment.name
    yield "feature", _topic(check)
    for step in _guide_steps(check):
        yield "story", step
    for tag in dict.fromkeys((check.outcome, *(finding.code for finding in check.findings))):
        yield "tag", tag
    yield "framework", "pytest"
    yield "language", "python"


def _guide_steps(check: CheckResult) -> tuple[str, ...]:
    """Name the steps of the repair guide that led to what was found, else all that a check looks at."""
    finds = CHECKS[check.id].finds if check.id in CHECKS else ()
    codes = {finding.code for finding in check.findings} or finds
    return tuple(step for code, step in GUIDE_STEPS.items() if code in codes)


def _topic(check: CheckResult) -> str:
    """Name what a check is about, by its file: ``checks/test_history.py``, ``checks/invariants/x.sql``."""
    path = PurePosixPath(check.nodeid.partition("::")[0])
    return "invariants" if path.suffix == ".sql" else path.stem.removeprefix("test_")


def _message(check: CheckResult) -> str:
    lines = [f"{finding.code}, {finding.subject}: {finding.message}" for finding in check.findings]
    return "\n".join([*lines, *([check.reason] if check.reason else [])])


def _description(check: CheckResult) -> Iterator[str]:
    """Describe a check and its findings in Markdown, which Allure shows as such."""
    if check.id in CHECKS:
        yield CHECKS[check.id].documentation
    for finding in check.findings:
        yield f"**{finding.severity}: {markdown(finding.code)}**: {markdown(finding.subject)}"
        yield markdown(finding.message)
        for fix in finding.fixes:
            yield f"{_fix_name(fix)} ({fix.kind}): {markdown(fix.title)}"
        if finding.no_fix:
            yield f"No further fix: {markdown(finding.no_fix)}"


def _attachments(check: CheckResult) -> Iterator[tuple[str, str, str]]:
    """List what stands beside a result: title, file ending, and text."""
    for finding in check.findings:
        for fix in finding.fixes:
            ending = _ENDINGS.get(fix.kind, "txt")
            if fix.body:
                yield f"{_fix_name(fix)} ({fix.kind}): {fix.title}", ending, fix.body
            if fix.undo:
                yield f"Undo of {_fix_name(fix).lower()}: {fix.title}", ending, fix.undo
        if finding.evidence:
            yield f"Evidence: {finding.code}", "json", _evidence(finding)


def _evidence(finding: FindingResult) -> str:
    return json.dumps({"subject": finding.subject, **finding.evidence}, indent=1, default=to_json)


def _fix_name(fix: FixResult) -> str:
    return f"Fix {fix.order}" if fix.order else "Fallback" if fix.fallback else "Fix"


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _remove(directory: Path, record: Record) -> None:
    """Remove what Allure's plugin has written of the record's checks in this run; results of other tests stay."""
    started = datetime.fromisoformat(record.started_at).timestamp()
    nodeids = {check.nodeid for environment in record.environments for check in environment.checks}
    removed = set[str]()
    for file in directory.glob("*-result.json"):
        result = _written_since(file, started)
        if f"{'/'.join(map(str, result.get('titlePath', ())))}::{result.get('name')}" in nodeids:
            removed.add(str(result.get("uuid")))
            for attachment in result.get("attachments", ()):
                (directory / Path(attachment["source"]).name).unlink(missing_ok=True)
            file.unlink()
    for file in directory.glob("*-container.json"):
        children = _written_since(file, started).get("children")
        if children and removed.issuperset(children):
            file.unlink()


def _written_since(file: Path, started: float) -> dict[str, Any]:
    """Read a file of Allure's plugin; nothing of one that is older than this run, or that it did not write."""
    with suppress(OSError, ValueError):
        status = file.stat()
        if status.st_mtime >= started - 1 and status.st_size <= _LARGEST:
            read = json.loads(file.read_bytes())
            return read if isinstance(read, dict) else {}
    return {}
