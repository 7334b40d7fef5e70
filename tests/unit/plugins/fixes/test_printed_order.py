"""The preferred fixes of all findings, in the order in which a run prints them."""

from __future__ import annotations

from itertools import product

import psycopg
import pytest

from health.check import CHECKS
from health.report.order import related
from plugins.run.check_runner import finding_result
from tests.support.fix_cases import CLEAN, LATE, NAME, ROW_CODES, STATES, Case, Facts, KnownEffects, RowKind
from tests.support.history_table import put, stored

SHAPES = {
    "nothing": KnownEffects(),
    "all": KnownEffects("all", again="it exists"),
    "part": KnownEffects("part", repair=(LATE,), again="it exists"),
    "unknown": KnownEffects(None),
    "not on disk": KnownEffects(on_disk=False),
}
IN_FORCE: tuple[RowKind, ...] = ("applied", "edited", "hand-written")
FAILED: tuple[RowKind, ...] = ("failed",)
ROWS: list[tuple[RowKind, ...]] = [(), *product(STATES, repeat=2), *product(STATES, FAILED, IN_FORCE)]


def preferred(facts: Facts) -> tuple[list[str], set[str]]:
    """The SQL that is numbered, in that order, and the codes of the findings that it is for."""
    checks = [check for check in CHECKS.values() if {*ROW_CODES} & set(check.finds)]
    findings = related(
        [
            finding_result(finding, check.severity_of(finding, "before"), facts)
            for check in checks
            for finding in check.judge(facts)
        ]
    )
    fixes = [(finding.code, fix) for finding in findings for fix in finding.fixes]
    numbered = {fix.order: (code, fix.body) for code, fix in fixes if fix.order and fix.kind == "sql"}
    return [numbered[order][1] for order in sorted(numbered)], {code for code, _ in numbered.values()}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_each_one_runs_and_mends_its_finding(database: psycopg.Connection, shape: KnownEffects) -> None:
    mended: set[str] = set()
    for states in ROWS:
        case = Case("", states, shape)
        facts = case.facts()
        bodies, codes = preferred(facts)
        put(database, *facts["history"].recorded.rows)
        try:
            for body in bodies:
                database.execute(body.encode())
        finally:
            database.execute("ROLLBACK")
            database.execute(CLEAN.encode())
        completed = any(LATE in body for body in bodies)
        after = Case("", (), SHAPES["all"] if completed else shape)
        rows = [each.row for each in stored(database).values()]
        assert not preferred(after.of(NAME, "", rows))[0], states
        mended |= codes
    assert mended
