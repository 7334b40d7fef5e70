"""Nothing that a report carries holds a secret, however deep it is."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest

from health.finding import Finding, Fix, FixProof
from health.report.json_values import to_json
from health.report.record import FactsOverview
from health.report.results import CheckResult, FindingResult
from health.secrets.secret import Searcher, Secret
from plugins.redaction.values import hidden
from plugins.run.check_report import CheckReport

TEXT = "AbCdEfGhIjKlMnOp"


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("health.secrets.secret._KNOWN", Searcher())
    Secret(TEXT)


def carried(text: str) -> CheckReport:
    fix = Fix("sql", text, text, undo=text, note=text, proof=FixProof("unproven", text))
    evidence: dict[str, Any] = {text: "x", "one": text, "many": ("a", text)}
    finding = FindingResult.of(Finding("a-leak", text, text, evidence), "error", None, [fix], text)
    result = CheckResult("leaks", text, "failed", "error", 0.5, text, (finding,), text, text)
    return CheckReport("dev", result, FactsOverview({"account": text, text: "x"}))


def test_a_report_is_redacted_in_every_part() -> None:
    before = carried(TEXT)
    redacted = hidden(before)
    assert redacted == carried("***")
    assert TEXT not in str(to_json(redacted))
    assert before == carried(TEXT), "what the process itself works with is left alone"


def test_what_holds_no_secret_is_left_alone() -> None:
    harmless = carried("harmless")
    assert hidden(harmless) is harmless


@dataclass
class Other:
    """A dataclass of another plugin's, which may hold anything."""

    texts: Any


@pytest.mark.parametrize("texts", [TEXT, [TEXT], {"a": (TEXT,)}, MappingProxyType({"a": TEXT}), TEXT.encode()])
def test_dataclasses_of_others_are_looked_into(texts: object) -> None:
    redacted = hidden([Other(texts)])
    assert TEXT not in str(redacted)
    assert "***" in str(redacted)
