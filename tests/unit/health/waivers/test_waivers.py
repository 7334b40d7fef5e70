"""Waivers: what is understood, what is malformed, which finding is waived, and when one is unused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from checks.test_waivers import test_waivers_hold as judge
from health.check import Check, SeverityByPhase
from health.finding import Finding
from health.report.record import unused_waivers
from health.report.results import CheckResult, FindingResult, Outcome
from health.waivers import file as waivers_file
from health.waivers.file import KEYS, WaiversError
from health.waivers.waivers import OWN_CODES, Waivers
from plugins import fixes
from plugins.paths import ROOT
from plugins.run.check_catalog import all_checks

SHIPPED = ROOT / "waivers.toml"
TODAY = date(2026, 7, 1)
ENVIRONMENTS = ("dev", "prod", "local")
CODES = ("failed-migration", "orphaned-migration", "expired-waiver")
WHOLE = {
    "code": "'orphaned-migration'",
    "environment": "'prod'",
    "subject": "'m1'",
    "reason": "'Why.'",
    "owner": "'ann'",
    "expires": "2026-07-01",
}


def load(text: str) -> Waivers:
    return waivers_file.parse(text, "waivers.toml", ENVIRONMENTS, CODES, TODAY)


def table(**changes: str | None) -> str:
    """A waiver as TOML; None takes a key away."""
    lines = [f"{key} = {value}" for key, value in {**WHOLE, **changes}.items() if value is not None]
    return "\n".join(["[[waiver]]", *lines, ""])


def finding(code: str = "orphaned-migration", subject: str = "m1") -> Finding:
    return Finding(code, subject, "…")


def test_the_shipped_file_waives_nothing_and_its_example_is_valid() -> None:
    text = SHIPPED.read_text()
    assert load(text) == Waivers("waivers.toml")
    example = load(re.sub(r"(?m)^# (?=\[\[|\w+ = )", "", text))
    assert len(example.expired) == 1
    assert not example.malformed


@pytest.mark.parametrize(
    ("text", "in_force", "expired", "malformed"),
    [
        pytest.param("", 0, 0, 0, id="empty"),
        pytest.param(table(), 1, 0, 0, id="on its last day"),
        pytest.param(table(expires="2026-06-30"), 0, 1, 0, id="on the day after"),
        pytest.param(table() + table(subject="'m2'") + table(environment="'dev'"), 3, 0, 0, id="several"),
        pytest.param(table() + table(expires="2027-01-01"), 1, 0, 1, id="duplicate"),
        pytest.param(table(expires="2026-01-01") + table(), 1, 1, 0, id="expired and renewed"),
        pytest.param("waiver = []", 0, 0, 0, id="empty list"),
        pytest.param('waiver = [{code = "x"}]', 0, 0, 1, id="inline table"),
    ],
)
def test_each_is_in_force_or_expired_or_malformed(text: str, in_force: int, expired: int, malformed: int) -> None:
    waivers = load(text)
    assert (len(waivers.in_force), len(waivers.expired), len(waivers.malformed)) == (in_force, expired, malformed)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        *(pytest.param({key: None}, [f"Keys missing: {key}"], id=f"no {key}") for key in KEYS),
        *(pytest.param({key: "5"}, [f"{key} is not a"], id=f"{key} is a number") for key in KEYS),
        pytest.param({"reason": "' \t'"}, ["reason is empty", "Say why"], id="empty reason"),
        pytest.param({"owner": "''"}, ["owner is empty", "Name who"], id="empty owner"),
        pytest.param({"subject": "''"}, ["subject is empty", "Copy it"], id="empty subject"),
        pytest.param({"reson": "'x'"}, ["'reson'", "did you mean reason?"], id="unknown key"),
        pytest.param({"zzz": "'x'"}, ["'zzz'", "known: code, environment"], id="quite unknown key"),
        pytest.param({"expires": "'2026-12-31'"}, ["expires is not a date", "without quotes"], id="date in quotes"),
        pytest.param({"expires": "2026-12-31T00:00:00Z"}, ["expires is not a date"], id="date with a time"),
        pytest.param({"code": "'no-orphaned-migration'"}, ["did you mean orphaned-migration"], id="id of a check"),
        pytest.param({"code": "'zzz'"}, ["'zzz'", "copy it from the finding"], id="quite unknown code"),
        pytest.param({"code": "'expired-waiver'"}, ["mend that one"], id="waiver of a waiver"),
        pytest.param({"environment": "'prd'"}, ["'prd'", "did you mean prod?"], id="unknown environment"),
        pytest.param({"environment": "'zzz'"}, ["there are dev, prod, local."], id="quite unknown environment"),
    ],
)
def test_a_malformed_waiver_says_what_is_wrong_and_what_to_do(changes: dict[str, str | None], told: list[str]) -> None:
    waivers = load("\n" + table(**changes))
    assert not waivers.in_force
    (found,) = judge(waivers=waivers)
    assert (found.code, found.subject) == ("malformed-waiver", "waivers.toml:2")
    assert all(part in found.message for part in told), found.message
    assert "\n" not in found.message


def test_every_problem_of_a_waiver_is_told_at_once() -> None:
    (malformed,) = load(table(code="'x'", owner="''", expires="1", reason=None)).malformed
    assert len(malformed.problems) == 4


def test_a_duplicate_names_the_other() -> None:
    (malformed,) = load(table() + table(reason="'Other.'")).malformed
    assert malformed.place == "waivers.toml:8"
    assert "waivers.toml:1" in malformed.problems[0]


def test_places_are_numbers_where_lines_cannot_be_told() -> None:
    text = table(reason="'''\n[[waiver]]\n'''") + table(environment="'x'")
    assert load(text).malformed[0].place == "waivers.toml, waiver 2"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("[[waiver]\n", ["waivers.toml", "line 1", "Mend that line"], id="no TOML"),
        pytest.param("[[waiver]]\ncode = 'a'\ncode = 'b'\n", ["line 3"], id="key twice"),
        pytest.param("\n[waiver]\ncode = 'a'\n", ["waivers.toml:2", "[[waiver]]"], id="one bracket"),
        pytest.param("\n\n[[waivers]]\n", ["waivers.toml:3", "waivers is no list"], id="other word"),
        pytest.param("waiver = 'x'\n", ["waivers.toml:1", "[[waiver]]"], id="text"),
        pytest.param("waiver = [1]\n", ["waivers.toml:1", "[[waiver]]"], id="list of numbers"),
        pytest.param("'a\\u001b' = 1\n".replace("'", '"'), ["a\\x1b is no list"], id="control character"),
        pytest.param(f"x = 1{'0' * 5000}\n", ["not valid TOML"], id="endless number"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(text: str, told: list[str]) -> None:
    with pytest.raises(WaiversError) as error:
        load(text)
    assert all(part in str(error.value) for part in told), str(error.value)
    assert "\n" not in str(error.value)
    assert "\x1b" not in str(error.value)


@pytest.mark.parametrize(
    ("environment", "found", "waived"),
    [
        ("prod", finding(), True),
        ("dev", finding(), False),
        ("prod", finding(subject="m12"), False),
        ("prod", finding(subject="M1"), False),
        ("prod", finding(code="failed-migration"), False),
        ("prod", finding(subject="m1\u200b"), False),
        ("prod", finding(subject=" m1"), False),
    ],
)
def test_a_waiver_is_for_exactly_one_finding(environment: str, found: Finding, waived: bool) -> None:
    assert (load(table()).match(environment, found) is not None) is waived


def test_a_waiver_for_the_text_of_an_escape_waives_no_character_that_is_shown_so() -> None:
    real, text = finding(subject="a\u200bb"), finding(subject=r"a\u200bb")
    assert real.shown.subject == text.shown.subject
    for subject, accepted, other in (('"a\\u200bb"', real, text), (r"'a\u200bb'", text, real)):
        waivers = load(table(subject=subject))
        assert waivers.match("prod", accepted) is not None
        assert waivers.match("prod", other) is None


def test_an_expired_or_malformed_waiver_waives_nothing() -> None:
    assert load(table(expires="2026-06-30")).match("prod", finding()) is None
    assert load(table(owner="''")).match("prod", finding()) is None


def test_an_environment_hears_of_its_own_waivers_and_of_those_that_nobody_can_place() -> None:
    waivers = load(
        table()
        + table(environment="'dev'", expires="2000-01-01")
        + table(environment="'dev'", owner="''")
        + table(environment="'prd'")
    )
    codes = {name: [f.code for f in judge(waivers=waivers.of(name))] for name in ENVIRONMENTS}
    assert codes == {
        "dev": ["expired-waiver", "malformed-waiver", "malformed-waiver"],
        "prod": ["malformed-waiver"],
        "local": ["malformed-waiver"],
    }
    assert [len(waivers.of(name).in_force) for name in ENVIRONMENTS] == [0, 1, 0]


def test_an_expired_waiver_tells_what_it_waived() -> None:
    (found,) = judge(waivers=load(table(expires="2026-06-30")))
    assert found.code == "expired-waiver"
    assert all(part in found.message for part in ["orphaned-migration", "m1", "2026-06-30", "ann", "Why."])


# When a waiver is unused


def one(code: str) -> Check:
    severity = SeverityByPhase("error", "error", "error")
    return Check(f"no-{code}", list, {code: severity}, "")


EVERY = {check.id: check for check in map(one, CODES)}


def told(code: str, outcome: Outcome = "passed", reason: str | None = None, *subjects: str) -> CheckResult:
    (waiver,) = load(table()).in_force
    by = waiver if outcome == "waived" else None
    findings = tuple(FindingResult.of(finding(code, subject), "error", by) for subject in subjects)
    return CheckResult(f"no-{code}", "", outcome, "error", 0.0, reason, findings)


REST = [told("failed-migration"), told("expired-waiver")]


@pytest.mark.parametrize(
    ("checks", "unused"),
    [
        pytest.param([told("orphaned-migration"), *REST], True, id="nothing found"),
        pytest.param([told("orphaned-migration", "waived", None, "m1"), *REST], False, id="used"),
        pytest.param([told("orphaned-migration", "failed", None, "m2"), *REST], True, id="found otherwise"),
        pytest.param([told("orphaned-migration"), *REST[:1]], False, id="partial"),
        pytest.param(REST, False, id="its own check did not run"),
        pytest.param([told("orphaned-migration", "skipped", "no script"), *REST], False, id="skipped"),
        pytest.param([told("orphaned-migration", "failed", "AssertionError"), *REST], False, id="failed plainly"),
        pytest.param([told("orphaned-migration", "unknown", "AWS"), *REST], False, id="unknown"),
        pytest.param(
            [told("orphaned-migration"), told("failed-migration", "unknown", "AWS"), *REST[1:]],
            False,
            id="another is unknown",
        ),
        pytest.param(
            [told("orphaned-migration"), told("failed-migration", "skipped", "no script"), *REST[1:]],
            True,
            id="another was skipped",
        ),
    ],
)
def test_unused_is_said_only_where_everything_was_looked_at(checks: list[CheckResult], unused: bool) -> None:
    found = list(unused_waivers(load(table()), checks, EVERY))
    assert [(f.code, f.subject) for f in found] == [("unused-waiver", "waivers.toml:1")] * unused


def test_an_expired_waiver_is_not_unused_too() -> None:
    waivers = replace(load(table(expires="2000-01-01")), malformed=load(table(owner="''")).malformed)
    assert not list(unused_waivers(waivers, [told("orphaned-migration"), *REST], EVERY))


def test_an_unused_waiver_hints_at_what_was_found_instead() -> None:
    checks = [told("orphaned-migration", "failed", None, "20260101_init"), *REST]
    (found,) = unused_waivers(load(table(subject="'20260101_initt'")), checks, EVERY)
    assert "did you mean 20260101_init?" in found.message


def test_the_suite_knows_its_own_codes() -> None:
    finds: Mapping[str, SeverityByPhase] = all_checks()["waivers-hold"].finds
    assert set(finds) == OWN_CODES
    # It is known after the check's outcome, so it must not change it.
    assert finds["unused-waiver"] == SeverityByPhase("info", "info", "info")
    assert {code for check in all_checks().values() for code in check.finds} == set(fixes.FIXES)
