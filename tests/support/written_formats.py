"""Every format that a record is written in, each with what must hold of a text that a hostile record makes of it.

A new writer of the record gets an entry here: the tests of all formats then hold for it too.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from _pytest.junitxml import LogXML

from health.report.code_climate import code_climate
from health.report.cut import cut
from health.report.record import Record
from health.report.sarif import sarif
from health.report.terminal import block
from health.report.workflow_commands import workflow_commands
from health.sanitize import printable
from plugins.output.junit_properties import JunitProperties
from plugins.output.markdown_summary import summary
from plugins.output.sql_files import sql_file
from plugins.run.check_report import CheckReport
from plugins.run.options import RUN, Target

ROOT = "/checkout"
DOCS_URL = "https://example.com/docs"
ROOM = 1024 * 1024
COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^:,\n]*)(?:,\w+=[^:,\n]*)*)::[^\n]*")


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        write: makes the text of a record.
        inert: fails where the text does more than to be shown.
        largest: bytes, where the format has a limit.
    """

    write: Callable[[Record], str]
    inert: Callable[[str], None]
    largest: int | None = None


def _terminal(record: Record) -> str:
    lines = (line for each in record.environments for line in block(each, True, lambda text, _: text))
    return "\n".join(lines) + "\n"


def _sql(record: Record) -> str:
    return "\n".join(line for each in record.environments for line in sql_file(each)) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def junit(record: Record) -> str:
    """What pytest writes of such results, without times."""
    log = LogXML("junit.xml", None, "pytest", "no", "total", "xunit2")
    run: Any = SimpleNamespace(targets={each.name: Target(each.name, each.phase) for each in record.environments})
    stash = pytest.Stash()
    stash[RUN] = run
    config: Any = SimpleNamespace(stash=stash, getini=lambda _: DOCS_URL)
    extra = JunitProperties(config)
    for environment in record.environments:
        for check in environment.checks:
            outcome: Any = {"failed": "failed", "unknown": "failed", "skipped": "skipped"}.get(check.outcome, "passed")
            told = "\n".join(f"{f.code}: {f.subject}: {f.message}" for f in check.findings) or check.reason or ""
            longrepr: Any = {"failed": printable(told), "skipped": ("x.py", 1, told)}.get(outcome)
            when: Any = "setup" if check.outcome == "unknown" else "call"
            phases: Any = ((when, outcome, longrepr), ("teardown", "passed", None))
            for name, came, text in phases:
                report = pytest.TestReport(check.nodeid, ("x.py", 1, "x"), {}, came, text, name)
                if name != "teardown":
                    report.health = CheckReport(environment.name, check)  # type: ignore[attr-defined]
                extra.pytest_runtest_logreport(report)
                log.pytest_runtest_logreport(report)
    suite = ElementTree.Element("testsuite", name="pytest")
    suite.extend(reporter.to_xml() for reporter in log.node_reporters_ordered)
    ElementTree.indent(suite)
    return re.sub(r' time="[^"]*"', "", ElementTree.tostring(suite, encoding="unicode")) + "\n"


def _steers_nothing(text: str) -> None:
    """No line is a command of a CI runner, and no character steers a terminal or turns the direction of a text."""
    assert printable(text) == text
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert not re.search(r"##(?:\[|vso\[)", text, re.IGNORECASE)


def _markdown(text: str) -> None:
    _steers_nothing(text)
    outside = re.sub(r"^(```+).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    outside = re.sub(r"</?(?:details|summary)>", "", outside)
    assert not re.search(r"<[a-zA-Z!/]", outside), "HTML"
    assert not re.search(r"\]\(|!\[", outside), "a link or a picture"


def _commands(text: str) -> None:
    for line in text.splitlines():
        assert COMMAND.fullmatch(line), line[:300]
        assert printable(line) == line


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


def _data(text: str) -> None:
    """JSON that a program reads: as bytes it steers nothing."""
    _steers_nothing(text)
    json.loads(text)


def _shown_data(text: str) -> None:
    """JSON whose texts a viewer shows as they are."""
    _data(text)
    for string in _strings(json.loads(text)):
        assert printable(string) == string
        assert "](" not in string, "a link"


def _xml(text: str) -> None:
    assert "<script" not in text
    assert "<!" not in text
    for element in ElementTree.fromstring(text).iter():
        assert element.tag in ("testsuite", "testcase", "properties", "property", "failure", "error", "skipped")
        if element.tag == "property":
            assert printable(element.attrib["value"]) == element.attrib["value"]
        assert printable(html.unescape(element.text or "")) == (element.text or "")


FORMATS = {
    "terminal": Format(_terminal, _steers_nothing),
    "summary.md": Format(lambda record: "\n".join(summary(record)) + "\n", _markdown),
    "fixes.sql": Format(_sql, _steers_nothing),
    "report.json": Format(lambda record: _json(record.to_json()), _data),
    "junit": Format(junit, _xml),
    "annotations": Format(lambda record: "\n".join(workflow_commands(record, ROOT)) + "\n", _commands),
    "step summary": Format(lambda record: cut(summary(record), ROOM), _markdown, ROOM),
    "sarif": Format(lambda record: _json(sarif(record, ROOT, DOCS_URL)), _shown_data),
    "code climate": Format(lambda record: _json(code_climate(record, ROOT)), _shown_data),
}
