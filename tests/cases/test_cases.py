"""Each case, put into a sandbox and judged by a whole run: what report.json says is what is right."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from health.config.environment import Limits
from tests.support import sandbox as harness
from tests.support.cases import CASES, ExpectedCase, Judged
from tests.support.effort import seconds
from tests.support.gate_runs import run
from tests.support.load import patience

REHEARSAL_S = Limits().rehearsal_s
SHORT_S = 15.0  # for rehearsals of a case that says nothing of what comes of them; most need less
MANY, MANY_S = 20_000, 15
TABLES = """
CREATE TABLE "Entity" ("id" SERIAL PRIMARY KEY, "data" JSONB NOT NULL DEFAULT '{}');
CREATE TABLE "Town" ("id" INTEGER PRIMARY KEY, "name" TEXT);
"""
INSERT = "INSERT INTO \"Town\" VALUES (%d, 'a; b');"


@pytest.mark.parametrize("case", [case.marked for case in CASES])
def test_what_is_said_of_a_case_is_right(case: ExpectedCase, tmp_path: Path) -> None:
    rehearsed = case.expected.plan is not None or case.expected.proof is not None
    limit = REHEARSAL_S if rehearsed else seconds(patience(SHORT_S), REHEARSAL_S)
    differences = judged(case.path, tmp_path, limit).differences(case.expected)
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize(
    "applied",
    [
        pytest.param('["1_init", "2_seed"]', id="applied"),
        pytest.param('["1_init"]', id="pending"),
    ],
)
def test_file_of_many_inserts_is_judged_in_seconds(tmp_path: Path, applied: str) -> None:
    case = tmp_path / "case"
    for name, sql in (("1_init", TABLES), ("2_seed", "".join(f"{INSERT % number}\n" for number in range(MANY)))):
        (case / "migrations" / name).mkdir(parents=True)
        (case / "migrations" / name / "migration.sql").write_text(sql)
    (case / "case.toml").write_text(f'gist = "a seed"\nprisma = "6.19.3"\napplied = {applied}\n')
    begun = time.monotonic()
    assert judged(case, tmp_path).environment["verdict"] == "healthy"
    assert time.monotonic() - begun < patience(MANY_S)


def judged(case: Path, place: Path, rehearsal_s: float = REHEARSAL_S) -> Judged:
    with harness.sandbox(case=case) as entry:
        entry["limits"] = {**entry.get("limits", {}), "rehearsal_s": rehearsal_s}
        result = run(*harness.registry(place, entry), f"--report={place / 'report'}", "-q")
    assert result.status in {0, 1}, result.text
    (environment,) = json.loads((place / "report" / "report.json").read_text())["environments"]
    return Judged(environment)
