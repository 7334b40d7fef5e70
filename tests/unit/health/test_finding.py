"""Findings with hostile texts: as they are shown, they steer neither a terminal nor a CI runner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.check import Check
from health.finding import CouldNotCheck, Finding
from health.report.root_causes import explain
from health.sanitize import one_line, safe_line, short
from health.waivers.waivers import Waiver, Waivers
from plugins.run.check_catalog import all_checks
from plugins.run.check_runner import finding_result
from tests.support.hostile import HOSTILE, texts

ATTACKS = [
    *HOSTILE,
    "::error file=x::owned",
    "\n::set-output name=x::y",
    "\u200b\t::add-mask::z",
    "##[error]owned",
    "##vso[task.complete]",
    "\x1b]8;;http://x\x07",
    "\u202e\u2066",
]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


@given(texts | st.text() | st.sampled_from(ATTACKS))
def test_a_text_that_is_shown_is_one_harmless_line(text: str) -> None:
    shown = safe_line(text)
    assert shown.isprintable()
    assert "##[" not in shown
    assert "##vso[" not in shown.lower()
    assert not (shown.startswith("::") and "::" in shown[2:])
    assert safe_line(shown) == shown
    assert shown.removeprefix("|") == one_line(text, 20_000).removeprefix("|")


@given(texts, texts, texts)
def test_a_finding_is_the_same_one_where_it_is_shown(subject: str, message: str, value: str) -> None:
    finding = Finding("x", subject, message, {"migration": value, "keys": (value, subject), "rows": 3})
    assert finding.shown.shown == finding.shown
    assert finding.shown.key == finding.key
    assert all(text == safe_line(text) for text in _texts(vars(finding.shown)))


@pytest.mark.parametrize("check", all_checks().values(), ids=lambda check: check.id)
def test_no_check_lets_an_attack_into_the_record(check: Check) -> None:
    for code in check.finds:
        for attack in ATTACKS:
            found = Finding(code, attack, attack, {"a": attack, "b": (attack,)})
            result = finding_result(found, "error", {})
            shown = [result.subject, result.message, result.evidence]
            assert all(text == safe_line(text) for text in _texts(shown))


@pytest.mark.parametrize("name", ATTACKS)
def test_a_cause_is_found_by_the_text_that_is_shown_and_a_waiver_by_the_subject_itself(name: str) -> None:
    failed = Finding("failed-migration", name, "")
    logged = Finding("worker-log-migration-failed", name, "", {"migration": name})
    assert explain([failed, logged]) == explain([failed.shown, logged.shown]) == {logged.key: failed.key}
    waiver = Waiver("waivers.toml:1", "failed-migration", "dev", name, "", "", date(2030, 1, 1))
    assert Waivers(in_force=(waiver,)).match("dev", failed) is waiver
    if failed.shown.subject != name:
        assert Waivers(in_force=(waiver,)).match("dev", failed.shown) is None


@given(texts, texts, texts)
def test_an_open_question_is_harmless_too(what: str, where: str, remedy: str) -> None:
    assert str(CouldNotCheck(what, where, remedy)).isprintable()


def test_a_text_is_cut_and_nothing_else_of_it_changed() -> None:
    assert short(" a\n b\x1b ", 9) == "a b\x1b"
    assert short("x" * 10, 9) == "x" * 8 + "…"
    assert safe_line("::1:22") == "::1:22"  # an address, no command
    assert safe_line("x" * 100_000) == "x" * 19_999 + "…"
