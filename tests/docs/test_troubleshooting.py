"""The table of symptoms names findings that there are, and every one of the way to the database."""

from __future__ import annotations

import re

from health.check import CHECKS, check_of_code
from plugins.paths import ROOT
from plugins.run.check_catalog import all_checks

TEXT = (ROOT / "docs" / "guides" / "troubleshooting.md").read_text()
ROWS = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if re.match(r"\| (?!symptom)", line)]
# Each has a row for whatever else a person may see of it.
WAY = {
    f"checks.test_{name}"
    for name in ("tunnel", "aws", "api", "layer", "runs")
}  # fmt: skip


def codes() -> set[str]:
    return {code for row in ROWS for code in re.findall(r"`([a-z0-9-]+)`", row[1])}


def test_every_row_has_a_symptom_a_finding_a_cause_and_a_remedy() -> None:
    assert len(ROWS) > 40
    assert [row for row in ROWS if len(row) != 4 or not all(row)] == []


def test_every_finding_of_the_table_exists() -> None:
    all_checks()
    assert {code for code in codes() if check_of_code(code) is None} == set()


def test_the_whole_way_is_in_the_table() -> None:
    all_checks()
    ours = [check for check in CHECKS.values() if check.function.__module__ in WAY]
    assert {check.id for check in ours} >= {"tunnel-script-exists", "ssh-key", "tunnel-opens", "database-answers"}
    assert {code for check in ours for code in check.finds} - codes() == set()
