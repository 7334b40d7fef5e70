"""report.json is as docs/report.schema.json publishes it; ``UPDATE_SNAPSHOTS=1`` writes that anew."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from health.history.history import Deployment
from health.report.overview import EntityColumn, HistoryOverview, ProofOverview, RowOverview, ServerProof
from health.report.record import EnvironmentResult, FactsOverview, MigrationOutcome, Record
from health.report.results import RehearsalOutcome
from tests.support.record_schema import FILE, record_schema
from tests.unit.health.report import test_terminal

HISTORY = HistoryOverview(
    2, {"applied": 1, "failed": 1}, (RowOverview("m1", "failed", "2026-01-01T00:00:00+00:00", None, 0),), 1, 1,
    Deployment((), "P3009", "m1"),
)  # fmt: skip
PROOF = ProofOverview({"writer": ServerProof("ann", False, "25006", ("INSERT",))}, "pg_dump 18", ("ec2:Describe",), ())
FULL = FactsOverview({"region": "r"}, HISTORY, (EntityColumn("id", "text", False, None),), PROOF)
MIGRATION = MigrationOutcome(None, "UNKNOWN", "2026-01-01T00:00:00+00:00", 1.5, "https://x", "prod", None, "No answer.")


def environments() -> Iterator[EnvironmentResult]:
    for name in test_terminal.RECORDS:
        yield test_terminal.record(name)
    several = test_terminal.record("several")
    yield replace(several, overview=FULL, rehearsal=RehearsalOutcome("proven", None, 0.5, True, (1,), ("a, b",)))
    yield replace(several, migrated=True)
    yield replace(several, migrated=True, migration=MIGRATION)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(FILE.read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def written(environment: EnvironmentResult) -> dict[str, Any]:
    record = Record("1.0", "2026-01-01T00:00:00+00:00", 1.0, 1, (environment,))
    return json.loads(json.dumps(record.to_json()))  # type: ignore[no-any-return]


def test_the_published_schema_is_that_of_the_values() -> None:
    text = json.dumps(record_schema(), indent=2) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FILE.write_text(text)
    assert json.loads(FILE.read_text()) == json.loads(text)
    assert FILE.read_text() == text


def test_every_record_validates(validator: Draft202012Validator) -> None:
    made = list(environments())
    assert made
    for environment in made:
        assert validator.is_valid(written(environment)), environment.name


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("environments", 0, "verdict"), "fine"),
        (("environments", 0, "checks", 0, "surprise"), 1),
        (("environments", 0, "surprise"), 1),
        (("schema_version",), 2),
        (("environments", 0, "selected"), [1]),
        (("environments", 0, "checks", 2, "findings", 0, "evidence"), {"x": {"y": 1}}),
        (("environments", 0, "checks", 2, "findings", 0, "place"), {"path": "x"}),
    ],
    ids=str,
)
def test_what_is_no_record_is_refused(validator: Draft202012Validator, path: tuple[Any, ...], value: object) -> None:
    data = written(test_terminal.record("several"))
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not validator.is_valid(data)
