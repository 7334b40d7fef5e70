"""Which findings explain others, and what a waiver accepts with the one that it names."""

from __future__ import annotations

import pytest

from health.finding import Finding
from health.report.root_causes import accepted, explain
from plugins.run.check_catalog import all_checks

all_checks()

API = Finding("api-reports-failed", "url", "")
FAILED, OTHER = Finding("failed-migration", "m1", ""), Finding("failed-migration", "m2", "")
DISAGREES = Finding("api-disagrees", "url", "")
STALE = Finding("database-url-stale", "f", "")


@pytest.mark.parametrize(
    ("findings", "waived", "cause", "with_it"),
    [
        ([API], [], None, []),
        ([API, FAILED], [], FAILED, []),
        ([API, FAILED], [FAILED], FAILED, [API]),
        ([API, FAILED, OTHER], [FAILED], OTHER, []),
        ([API, OTHER, FAILED], [OTHER, FAILED], OTHER, [API]),
        ([API, FAILED, DISAGREES], [FAILED], DISAGREES, []),
        ([API, FAILED, DISAGREES, STALE], [FAILED, STALE], FAILED, [API, DISAGREES]),
        ([API, FAILED, DISAGREES, STALE], [STALE], FAILED, [DISAGREES]),
        ([API], [API], None, []),
    ],
)
def test_only_what_has_no_live_cause_is_accepted_with_its_cause(
    findings: list[Finding], waived: list[Finding], cause: Finding | None, with_it: list[Finding]
) -> None:
    keys = {each.key for each in waived}
    assert explain(findings, keys).get(API.key) == (cause and cause.key)
    assert accepted(findings, keys) - keys == {each.key for each in with_it}
