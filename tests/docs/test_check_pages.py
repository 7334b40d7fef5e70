"""docs/checks has a page for each file of checks, made of what they document; ``UPDATE_SNAPSHOTS=1`` writes them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from health.check import Check
from health.finding import PHASES
from health.report.check_pages import page_of
from health.report.results import CheckResult
from health.sanitize import markdown
from plugins.paths import ROOT
from plugins.run.check_catalog import all_checks, describe

PAGES = ROOT / "docs" / "checks"


def topics() -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for check in all_checks().values():
        module = check.function.__module__
        topic = module.removeprefix("checks.test_") if module.startswith("checks.") else "invariants"
        found.setdefault(topic, []).append(check)
    return dict(sorted(found.items()))


def page(topic: str, checks: list[Check]) -> str:
    return "\n".join([f"# Checks: {topic.replace('_', ' ')}", *(line for each in checks for line in section(each))])


def section(check: Check) -> Iterator[str]:
    told = describe(check)
    yield f"\n## {check.id}\n\n{told['documentation']}\n"
    yield "| finding | severity | fix |\n|---|---|---|"
    for finding in told["findings"]:
        by_phase = finding["severity"]
        severities = [f"{phase}: {by_phase[phase]}" for phase in PHASES]
        severity = by_phase["before"] if len(set(by_phase.values())) == 1 else ", ".join(severities)
        yield f"| `{finding['code']}` | {severity} | {markdown(finding['fix'])} |"


def test_the_pages_are_what_the_checks_say() -> None:
    wanted = {f"{topic}.md": f"{page(topic, checks)}\n" for topic, checks in topics().items()}
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGES.mkdir(exist_ok=True)
        for name, text in wanted.items():
            (PAGES / name).write_text(text)
    assert {path.name: path.read_text() for path in PAGES.glob("*.md")} == wanted


def test_a_link_leads_to_a_heading_that_there_is() -> None:
    for topic, checks in topics().items():
        file = "checks/invariants/x.sql" if topic == "invariants" else f"checks/test_{topic}.py"
        for check in checks:
            result = CheckResult(check.id, f"{file}::test_x[prod]", "passed", "error", 0.0)
            path, _, anchor = str(page_of(result)).partition("#")
            assert f"\n## {anchor}\n" in (ROOT / path).read_text()
    own = CheckResult("x", "/home/ann/rules/test_x.py::test_x[prod]", "passed", "error", 0.0)
    assert page_of(own) is None
