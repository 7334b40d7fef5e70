"""Each case, put into a sandbox and judged by a whole run: what report.json says is what is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import sandbox as harness
from tests.support.cases import CASES, ExpectedCase, Judged
from tests.support.gate_runs import run


@pytest.mark.parametrize("case", [case.marked for case in CASES])
def test_what_is_said_of_a_case_is_right(case: ExpectedCase, tmp_path: Path) -> None:
    differences = judged(case.path, tmp_path).differences(case.expected)
    assert not differences, "\n".join(differences)


def judged(case: Path, place: Path) -> Judged:
    with harness.sandbox(case=case) as entry:
        result = run(*harness.registry(place, entry), f"--report={place / 'report'}", "-q")
    assert result.status in {0, 1}, result.text
    (environment,) = json.loads((place / "report" / "report.json").read_text())["environments"]
    return Judged(environment)
