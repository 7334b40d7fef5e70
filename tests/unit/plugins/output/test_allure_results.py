"""Allure's results of checks, as they are made from the record."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from health.report.record import Record
from plugins.output import allure_results
from plugins.output.allure_results import allure_files
from plugins.run.check_catalog import all_checks
from tests.unit.health.report.test_terminal import SQL, check, finding, matches_snapshot, record
from tests.unit.plugins.output.test_html_page import hostile_record, run


@pytest.fixture(autouse=True)
def checks() -> None:
    """Load the checks, which document themselves."""
    all_checks()


def results(given: Record, **more: Any) -> dict[str, dict[str, Any]]:
    files = dict(allure_files(given, **more))
    return {r["name"]: r for r in (json.loads(text) for name, text in files.items() if name.endswith("-result.json"))}


def labels(result: dict[str, Any]) -> set[tuple[str, str]]:
    return {(label["name"], label["value"]) for label in result["labels"]}


def test_a_result_as_allure_reads_it() -> None:
    matches_snapshot("allure-result.json", json.dumps(results(run("several"))["four"], indent=1) + "\n")


def test_severity_suite_and_feature() -> None:
    found = results(run("several"))
    assert {("severity", "critical"), ("suite", "prod"), ("feature", "x")} <= labels(found["four"])
    assert ("severity", "normal") in labels(found["two"])
    assert ("severity", "minor") in labels(found["one"])


def test_statuses() -> None:
    statuses = {name: found["status"] for name, found in results(run("symptom")).items()}
    assert statuses["bastion-running"] == "failed"
    assert statuses["no-failed-migration"] == "broken"
    assert results(run("skipped"))["two"]["status"] == "skipped"
    assert results(run("warned"))["two"]["status"] == "passed"


def test_sql_and_evidence_are_attachments() -> None:
    files = dict(allure_files(run("several")))
    first, undo = results(run("several"))["four"]["attachments"][:2]
    assert first["name"] == "Fix 1 (sql): Mark it"
    assert files[first["source"]] == files[undo["source"]] == SQL


def test_the_history_is_one_over_runs_and_machines() -> None:
    one = run("several")
    moved = [replace(check, nodeid=f"suite/{check.nodeid}") for check in one.environments[0].checks]
    later = replace(one, started_at="2027-01-01T00:00:00+00:00", duration_s=9.0)
    later = replace(later, environments=(replace(one.environments[0], checks=tuple(moved)),))
    for name, result in results(one).items():
        other = results(later)[name]
        assert [result[key] for key in ("historyId", "testCaseId")] == [
            other[key] for key in ("historyId", "testCaseId")
        ]
        assert result["uuid"] != other["uuid"]
    elsewhere = replace(one, environments=(replace(one.environments[0], name="dev"),))
    assert results(elsewhere)["one"]["historyId"] != results(one)["one"]["historyId"]


def test_no_parameter_is_called_facts() -> None:
    for result in results(run("several")).values():
        assert {parameter["name"] for parameter in result["parameters"]} == {"environment", "phase"}


def test_a_check_of_the_suite_links_to_its_page() -> None:
    whole = record("several")
    linked = replace(whole.checks[0], id="no-failed-migration", nodeid="checks/test_history.py::test_x[prod]")
    given = replace(run("several"), environments=(replace(whole, checks=(linked,)),))
    (link,) = results(given, docs_url="https://example.org/docs/")["no-failed-migration"]["links"]
    assert link["url"] == "https://example.org/docs/checks/history.md#no-failed-migration"
    assert results(given)["no-failed-migration"]["links"] == []


def test_a_step_of_the_guide_is_the_story() -> None:
    checks = [
        check("no-failed-migration", "failed", finding("crashed-migration", "m8")), check("ssh-key", "passed"),
        check("mine", "passed"),
    ]  # fmt: skip
    given = replace(run("several"), environments=(replace(record("several"), checks=tuple(checks)),))
    stories = {
        name: [label["value"] for label in result["labels"] if label["name"] == "story"]
        for name, result in results(given).items()
    }
    assert stories == {
        "no-failed-migration": ["A row that began and never ended"],
        "ssh-key": ["Have the bastion's key", "`chmod 600` of the key"],
        "mine": [],
    }


def test_hostile_text_stays_text() -> None:
    given = replace(hostile_record(), started_at="2026-11-29T06:00:00+00:00")
    for name, text in allure_files(given):
        assert "/" not in name
        text.encode()
        if name.endswith("-result.json"):
            result = json.loads(text)
            assert "<script" not in result["description"]
            assert "\x1b" not in result.get("statusDetails", {}).get("message", "")


def test_what_the_plugin_wrote_of_checks_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = run("several")
    module, _, name = given.environments[0].checks[0].nodeid.partition("::")
    ours = {"uuid": "1", "name": name, "titlePath": module.split("/"), "attachments": [{"source": "../a.txt"}]}
    kept = {**ours, "uuid": "2", "name": "test_other", "attachments": [{"source": "b.txt"}]}
    (tmp_path / "results").mkdir()
    texts: dict[str, object] = {
        "1-result.json": ours, "2-result.json": kept, "old-result.json": ours, "a.txt": "", "b.txt": "",
        "3-container.json": {"children": ["1"]}, "4-container.json": {"children": ["1", "2"]}, "x-result.json": [1],
    }  # fmt: skip
    for file, text in texts.items():
        (tmp_path / "results" / file).write_text(json.dumps(text))
    (tmp_path / "a.txt").write_text("another's")
    os.utime(tmp_path / "results" / "old-result.json", (0, 0))
    allure_results._remove(tmp_path / "results", given)
    left = {path.name for path in (tmp_path / "results").iterdir()}
    assert left == {"2-result.json", "old-result.json", "b.txt", "4-container.json", "x-result.json"}
    assert (tmp_path / "a.txt").exists()
