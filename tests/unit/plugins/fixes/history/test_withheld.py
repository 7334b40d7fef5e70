"""Where no DELETE is offered, as its undo could not be shown or would not restore all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from urllib.parse import quote, quote_plus

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from health.history.rows import Row
from health.secrets.secret import Searcher, Secret
from tests.support.effort import scaled
from tests.support.fix_cases import CASES, CLEAN, NAME, ROW_CODES, Case, fixes_of, found, suggested
from tests.support.history_table import put, snapshot
from tests.support.hostile import texts

DELETING = {
    title: case
    for title, case in CASES.items()
    if any("Delete" in fix.title for fix in fixes_of(case.code, case.facts(), "sql"))
}
SPELLINGS: list[Callable[[str], str]] = [str, partial(quote, safe=""), quote_plus]


def withheld(case: Case, rows: list[Row]) -> tuple[str, str]:
    """All that is said of a case in which nothing may be deleted, and why that is."""
    facts = case.of(NAME, "", rows)
    said, reasons = [], []
    for finding in found(case.code, facts):
        built, reason = suggested(finding, facts)
        assert not [fix for fix in built if "DELETE" in fix.body]
        said += [finding.subject, finding.message, str(finding.evidence), reason]
        said += [text for fix in built for text in (fix.title, fix.body, fix.undo or "", fix.note)]
        reasons.append(reason)
    assert reasons
    return "\n".join(said), " ".join(reasons)


def test_a_delete_is_offered_where_nothing_is_to_be_hidden() -> None:
    assert {case.code for case in DELETING.values()} == {
        "failed-migration",
        "crashed-migration",
        "failed-and-applied",
        "orphaned-migration",
        "phantom-row",
        "duplicated-row",
    }


secrets = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=4, max_size=12).map("s3cr/{}".format)
# Of a crashed migration no row has logs.
LOGGING = sorted(title for title, case in DELETING.items() if case.code != "crashed-migration")


@st.composite
def logs(draw: st.DrawFn) -> tuple[str, str, str]:
    """A secret, one way to spell it, and a text that holds it so."""
    secret = draw(secrets)
    spelt = draw(st.sampled_from(SPELLINGS))(secret)
    return secret, spelt, f"{draw(texts)}postgresql://u:{spelt}@h/{draw(texts)}"


@given(logs(), st.sampled_from(LOGGING), st.integers(0, 3))
@settings(
    max_examples=scaled(150),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_a_secret_in_the_logs_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, told: tuple[str, str, str], title: str, number: int
) -> None:
    secret, spelt, log = told
    case, rows = DELETING[title], list(DELETING[title].rows())
    (delete,) = [fix.body for fix in fixes_of(case.code, case.facts(), "sql") if "Delete" in fix.title]
    deleted = [row for row in rows if f"id = '{row.id}'" in delete]
    hiding = deleted[number % len(deleted)]
    with monkeypatch.context() as patch:
        patch.setattr("health.secrets.secret._KNOWN", Searcher())
        Secret(secret)
        said, reason = withheld(case, [replace(row, logs=log) if row is hiding else row for row in rows])
    assert "No DELETE is offered: its logs hold a secret" in reason
    assert secret not in said
    assert spelt not in said


@pytest.mark.parametrize("case", DELETING.values(), ids=DELETING)
def test_other_columns_would_be_lost(case: Case) -> None:
    case = replace(case, shape=replace(case.shape, extra_columns=("note",)))
    _, reason = withheld(case, list(case.rows()))
    assert "No DELETE is offered: the table has columns that Prisma does not make" in reason


def test_other_columns_are_left_as_they_are(database: psycopg.Connection) -> None:
    database.execute("ALTER TABLE _prisma_migrations ADD COLUMN note text DEFAULT 'of a person'")
    try:
        for case in CASES.values():
            if case.code not in ROW_CODES or not case.shape.atomic:
                continue
            facts = replace(case, shape=replace(case.shape, extra_columns=("note",))).facts()
            for fix in fixes_of(case.code, facts, "sql"):
                put(database, *facts["history"].recorded.rows)
                database.execute("UPDATE _prisma_migrations SET note = id")
                before = snapshot(database)
                database.execute(fix.body.encode())
                assert snapshot(database) != before
                if fix.undo is not None:
                    database.execute(fix.undo.encode())
                    assert snapshot(database) == before
                database.execute(CLEAN.encode())
    finally:
        database.execute("ALTER TABLE _prisma_migrations DROP COLUMN note")
