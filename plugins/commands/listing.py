"""What there is: ``--list-checks``, ``--list-faults`` and ``--explain``."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from health.check import Check, check_of_code
from health.sanitize import did_you_mean
from plugins.run.check_catalog import all_checks, describe
from plugins.run.sandbox_faults import list_faults


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options that only tell."""
    group = parser.getgroup("migration health")
    group.addoption("--list-checks", action="store_true", help="list the checks and what they find")
    group.addoption("--list-faults", action="store_true", help="list the ways to break the local environment")
    group.addoption("--explain", metavar="ID", help="explain a check, or the check of a finding's code")
    group.addoption("--format", metavar="text|json", help="of the three above")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Tell and end, if one of these options is given."""
    option = config.option
    if not (option.list_checks or option.list_faults or option.explain is not None):
        if option.format is not None:
            raise pytest.UsageError("--format goes with --list-checks, --list-faults or --explain.")
        return None
    if option.format not in (None, "text", "json"):
        raise pytest.UsageError(f"--format: {option.format!r} is none of text, json.")
    told: Any
    if option.explain is not None:
        told = describe(_find(option.explain))
        text = _explanation(told)
    elif option.list_checks:
        told = [describe(check) for check in all_checks().values()]
        text = "\n".join(_by_topic(told))
    else:
        told = list_faults()
        text = "\n".join(f"{f['name']:22} {f['does']}\n{'':22} {_shown_by(f)}" for f in told)
    print(json.dumps(told, indent=2, ensure_ascii=False) if option.format == "json" else text)
    return 0


def _by_topic(told: list[dict[str, Any]]) -> Iterator[str]:
    """The checks below their topics, each with the worst that it finds before a deploy, and after it."""
    width = max(len(check["id"]) for check in told)
    for topic in sorted({check["topic"] for check in told}):
        yield f"{topic.replace('_', ' ')}:"
        for check in (check for check in told if check["topic"] == topic):
            before, after = check["severity"]["before"], check["severity"]["after"]
            severity = before if before == after else f"{before}/{after}"
            yield f"  {check['id']:{width}}  {severity:10}  {check['title']}"
    yield "A severity of two is before/after a deploy."


def _shown_by(fault: dict[str, str]) -> str:
    if fault["raises"]:
        return f"finding: {fault['raises']}"
    return f"could not check: {fault['unanswered']}" if fault["unanswered"] else "healthy all the same"


def _find(name: str) -> Check:
    checks = all_checks()
    check = checks.get(name) or check_of_code(name)
    if check is None:
        known = [*checks, *(code for each in checks.values() for code in each.finds)]
        hint = did_you_mean(name, known, "--list-checks lists what there is.")
        raise pytest.UsageError(f"--explain: no check and no finding {name!r}; {hint}")
    return check


def _explanation(told: dict[str, Any]) -> str:
    lines = [told["id"], "=" * len(told["id"]), "", told["documentation"], "", "Findings"]
    for finding in told["findings"]:
        severities = finding["severity"]
        by_phase = ", ".join(f"{phase}: {severity}" for phase, severity in severities.items())
        severity = by_phase if len(set(severities.values())) > 1 else severities["before"]
        lines.append(f"  {finding['code']} ({severity})")
        lines += textwrap.wrap(finding["fix"], 96, initial_indent="    fix: ", subsequent_indent="         ")
    return "\n".join([*lines, "", f"Facts: {', '.join(told['facts'])}"])
