"""A record is read back as it was written, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from health.report import reading
from health.report.overview import EntityColumn, HistoryOverview, ProofOverview, RowOverview, ServerProof
from health.report.reading import RecordError, read_record
from health.report.record import SCHEMA_VERSION, FactsOverview, MigrationOutcome, Record
from health.report.results import RehearsalOutcome
from tests.unit.health.report.test_terminal import RECORDS, record

FULL = FactsOverview(
    {"account": "1"},
    HistoryOverview(2, {"applied": 2}, (RowOverview("m", "applied", "2026", None, 1),), 1, 0, {}),  # type: ignore[arg-type]
    (EntityColumn("id", "integer", False, None),),
    ProofOverview({"writer": ServerProof("u", False, "25006", ())}, None, ("sts:GetCallerIdentity",), ()),
)


def text(**changes: Any) -> bytes:
    written = Record("0.1.0", "2026-11-29T06:00:00+00:00", 3.0, 1, (record("several"),)).to_json()
    return json.dumps({**written, **changes}).encode()


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_survives_its_file(name: str) -> None:
    whole = Record("0.1.0", "2026-11-29T06:00:00+00:00", 3.0, 1, (record(name),))
    assert read_record(json.dumps(whole.to_json()).encode()) == whole


def test_so_does_what_is_known_of_an_environment() -> None:
    from health.history.history import Deployment

    history = replace(FULL.history, deploy=Deployment(("m",), None, None))  # type: ignore[type-var]
    run = MigrationOutcome(None, "FAILED", "2026", 1.0, "https://x", "prod", None, "gone")
    full = replace(
        record("several"),
        overview=replace(FULL, history=history),
        rehearsal=RehearsalOutcome("proven", None, 1.5, True, (1,), ("a, b",)),
        migrated=True,
        migration=run,
    )
    whole = Record("0.1.0", "2026", 3.0, 1, (full, replace(full, migration=None)))
    assert read_record(json.dumps(whole.to_json()).encode()) == whole


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 200_000, "it is not JSON"),
        (b'{"schema_version": ' + b"1" * 5_000 + b"}", "it is not JSON"),
        (b"[]", "it has no schema_version"),
        (b'{"uid": "allure"}', "it has no schema_version"),
        (text(schema_version=2), "its schema version is 2; this program reads 1. Use the program's version"),
        (text(schema_version="1"), "its schema version is '1'"),
        (text(schema_version=True), "its schema version is True"),
        (text(schema_version=None, tool_version={}), "its schema version is None"),
        (text(environments={}), "environments is no list"),
        (text(environments=[1]), "an environment cannot be 1"),
        (text(environments=[{}]), "EnvironmentResult without name"),
        (text(exit_status="\x1b[2J"), r"exit_status: '\x1b[2J' is no int"),
        (text(duration_s=None), "duration_s: None is no float"),
        (text().replace(b'"blocked"', b'"<script>"'), "verdict: '<script>' is no value of healthy, blocked"),
        (text().replace(b'"order": 1', b'"order": {}'), ".order: an object is no int"),
        (text().replace(b'"order": 1', b'"order": true'), ".order: True is no int"),
        (text().replace(b'"fixes": [{', b'"fixes": [[], {'), "fixes[0]: a list is no FixResult"),
        (text().replace(b'"evidence": {}', b'"evidence": {"a": [1]}'), "evidence['a']: a list is of no type"),
        (text(duration_s=float("nan")), "NaN is no number of JSON"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(RecordError) as refused:
        read_record(data)
    assert why in str(refused.value)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 500


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST", len(text()) - 1)
    with pytest.raises(RecordError, match="it is larger than"):
        read_record(text())


def test_this_program_reads_its_own_version() -> None:
    assert read_record(text(schema_version=SCHEMA_VERSION)).environments
