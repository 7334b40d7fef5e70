"""Secrets, texts from outside, checks and causes."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.check import CHECKS, DEPLOY_MENDS, Check, SeverityByPhase, blocks, worst
from health.finding import Finding
from health.outcomes import judged
from health.report.root_causes import explain, explained_by
from health.sanitize import fenced, inert, markdown, one_line, printable
from health.secrets.secret import Secret
from plugins.run.check_catalog import all_checks
from plugins.run.invariant_checks import shipped


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("s3cr'et!")
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret:>20}", "%s" % secret, repr([secret])):  # noqa: UP031
        assert "s3cr" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret == Secret("s3cr'et!")
    assert secret != Secret("other")
    assert secret.reveal() == "s3cr'et!"


SECRET = Secret("q'\"$!%/ \\ <&> x")


@pytest.mark.parametrize(
    "spell", [str, quote, quote_plus, lambda s: json.dumps(s)[1:-1], lambda s: repr(s)[1:-1], escape]
)
def test_a_secret_is_put_out_of_foreign_text(spell: Callable[[str], str]) -> None:
    spelt = spell(SECRET.reveal()) if spell is not quote else quote(SECRET.reveal(), safe="")
    assert SECRET.hidden_in(f"key {spelt}, refused") == "key ***, refused"


@pytest.mark.parametrize("text", ["::error::x", "  ::error::x", "a ##[error]b", "a ##vso[task]", "x\n::set-env::y"])
def test_text_is_no_command_for_a_ci_runner(text: str) -> None:
    assert not any(line.lstrip().startswith("::") for line in inert(text).splitlines())
    assert "##[" not in inert(text)
    assert "##vso[" not in inert(text)


@given(st.text())
def test_printable_text_cannot_steer_a_terminal(text: str) -> None:
    shown = printable(text)
    assert all(char in "\n\t" or char.isprintable() or char.isspace() for char in shown)
    assert not any(char in shown for char in "\x1b\x07\x9b\u202e\u2066\ud800")
    assert "\n" not in one_line(text)


@given(st.text())
def test_a_fence_holds_its_text(text: str) -> None:
    fence, *_, end = fenced(text, "sql").split("\n")
    assert end == fence.removesuffix("sql")
    assert end not in printable(text)


def test_markdown_gets_no_markup() -> None:
    assert "<script>" not in markdown("<script>alert(1)</script>")
    assert "](" not in markdown("[x](http://y)")
    assert "@" not in markdown("@everyone")
    assert "|" not in markdown("a | b")


def test_severities() -> None:
    assert worst(["info", "error", "warning"]) == "error"
    assert worst([]) == "info"
    assert [DEPLOY_MENDS.at(phase) for phase in ("before", "after", "nightly")] == ["info", "error", "warning"]
    assert blocks("error", "error")
    assert blocks("error", "warning")
    assert blocks("warning", "warning")
    assert not blocks("warning", "error")
    assert not blocks("info", "warning")


def test_a_check_returns_only_what_it_declares() -> None:
    def judge(history: str) -> list[Finding]:
        return [Finding("surprise", history, "…")]

    check = Check("x", judge, {"expected": SeverityByPhase("error", "error", "error")}, "")
    with pytest.raises(ValueError, match="does not declare the finding surprise"):
        check.judge({"history": "h"})


def test_codes_and_ids_are_unique_and_documented() -> None:
    checks = all_checks().values()
    codes = [code for check in checks for code in check.finds]
    assert len(codes) == len(set(codes))
    # An invariant of the data finds what its file is named by.
    assert not {check.id for check in checks if check.id not in shipped()} & set(codes)
    for check in checks:
        paragraphs = check.documentation.split("\n\n")
        assert len(paragraphs) >= 3, f"{check.id}: what it means, why it matters, how it is mended"
        assert check.title.endswith(".")


def test_causes_speak_of_codes_that_exist() -> None:
    codes = {code for check in all_checks().values() for code in check.finds}
    assert {cause for causes in explained_by().values() for cause in causes} <= codes
    for check in all_checks().values():
        assert {*check.explained_by, *check.explains} <= set(check.finds), check.id
    assert explained_by().keys() <= codes


def test_a_cause_that_names_its_consequence_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    named = Check("new-check", list, {}, "", explains={"new-cause": ("pending-migration",)})
    before = explained_by()["pending-migration"]
    monkeypatch.setitem(CHECKS, "new-check", named)
    assert explained_by()["pending-migration"] == (*before, "new-cause")


def test_outcomes_are_judged_by_checks_that_exist() -> None:
    assert judged()
    assert judged().keys() <= all_checks().keys()


def test_no_finding_is_its_own_cause() -> None:
    order = list(TopologicalSorter(explained_by()).static_order())  # raises where there is a circle
    assert set(order) >= explained_by().keys()


def _findings() -> Iterator[tuple[list[Finding], dict[str, str]]]:
    failed = Finding("failed-migration", "m1", "")
    pending = Finding("pending-migration", "m2", "")
    api = Finding("api-reports-failed", "url", "")
    column = Finding("entity-data-column-pending", "Entity.data", "", {"migration": "m2"})
    yield [api], {}
    yield [api, failed], {api.key: failed.key}
    yield [column, pending], {column.key: pending.key}
    yield [column, Finding("pending-migration", "other", "")], {}
    logged = Finding("worker-log-migration-failed", "m1", "", {"migration": "m1"})
    yield [logged, failed], {logged.key: failed.key}
    yield [logged, Finding("failed-migration", "other", "")], {}
    stale, other = (Finding("stale-layer", name, "", {"migration": name}) for name in ("m2", "m3"))
    yield [stale, other, pending], {stale.key: pending.key}
    ahead, orphan = Finding("layer-ahead", "m4", ""), Finding("orphaned-migration", "m4", "", {"migration": "m4"})
    yield [orphan, ahead], {orphan.key: ahead.key}
    yield [orphan, Finding("layer-ahead", "m5", "")], {}
    key = Finding("admin-api-key-missing", "auth", "", {"function": "auth"})
    gone = Finding("function-missing", "auth", "")
    yield [key, Finding("function-missing", "worker", "")], {}
    yield [key, gone], {key.key: gone.key}


@pytest.mark.parametrize(("findings", "causes"), list(_findings()))
def test_causes_are_named(findings: list[Finding], causes: dict[str, str]) -> None:
    assert explain(findings) == causes
