"""Each case, put into a sandbox and judged by a whole run: what report.json says is what is right."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from health.config.environment import Limits
from tests.support import npm_servers
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


def on_servers(case: ExpectedCase) -> list[Any]:
    """The case on each server that it is to be judged on: the embedded one, or each version that has its extensions."""
    if not case.needs_contrib:
        return [case.marked(None)]
    return [case.marked(major, id=f"{case.id}-{major}") for major in npm_servers.majors()]


@pytest.mark.parametrize(("case", "major"), [each for case in CASES for each in on_servers(case)])
def test_what_is_said_of_a_case_is_right(case: ExpectedCase, major: int | None, tmp_path: Path) -> None:
    rehearsed = case.expected.plan is not None or case.expected.proof is not None
    limit = REHEARSAL_S if rehearsed else seconds(patience(SHORT_S), REHEARSAL_S)
    differences = judged(case.path, tmp_path, limit, major).differences(case.expected)
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


def judged(case: Path, place: Path, rehearsal_s: float = REHEARSAL_S, major: int | None = None) -> Judged:
    variables = {} if major is None else {"XDG_CACHE_HOME": str(npm_servers.user_cache(major))}
    with harness.sandbox(case=case, postgres=major) as entry:
        entry["limits"] = {**entry.get("limits", {}), "rehearsal_s": rehearsal_s}
        result = run(*harness.registry(place, entry), f"--report={place / 'report'}", "-q", env=variables)
    assert result.status in {0, 1, 10}, result.text
    (environment,) = json.loads((place / "report" / "report.json").read_text())["environments"]
    return Judged(environment)
