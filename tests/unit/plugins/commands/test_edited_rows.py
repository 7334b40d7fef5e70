"""Rows that do not fit a migration, edited or not, are counted: what is called proven deploys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.clone.server import CloneServer
from plugins.commands.edit_answer import in_environments
from tests.support.edit_cases import CASES, FEW, INDEX, NAME, PROVEN, EditCase


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_answer_counts_the_rows(server: CloneServer, case: EditCase) -> None:
    with case.live(server) as live:
        answer = in_environments(NAME, {"dev": live.read()})
    assert case.answer in answer.answer[1]
    assert answer.answer[0] == int(case.answer.split(" ", 1)[0] not in {"it", "the"} or "violate" in case.answer)


def test_copied_rows_are_run_where_they_cannot_be_asked(server: CloneServer) -> None:
    case = EditCase(FEW, PROVEN)
    with case.live(server) as live:
        assert in_environments(NAME, {"dev": live.read(rows="10MB")}).answer[0] == 0
        live.run('INSERT INTO "T" SELECT n, n FROM generate_series(10, 20) n')
        answer = in_environments(NAME, {"dev": live.read(rows="10MB")})
    assert answer.answer[0] == 1
    assert [conflict.failure.sqlstate for conflict in answer.places[0].conflicts] == ["P0001"]


def test_rows_that_were_copied_are_no_conflict_of_the_schema(server: CloneServer) -> None:
    case = CASES["half run, the rest over duplicates"]
    with case.live(server) as live:
        answer = in_environments(NAME, {"dev": live.read(rows="10MB")})
    said = "the edit below applies to the schema, but in dev copied rows violate it (line 2, 23505)"
    assert answer.answer == (1, said)


def test_another_failed_migration_stops_the_deploy_first(server: CloneServer) -> None:
    case = replace(CASES["failed, nothing is left"], behind={"3_other": "SELECT 1;"})
    with case.live(server) as live:
        live.record("3_other", "failed", "ERROR: x")
        answer = in_environments(NAME, {"dev": live.read()})
    assert answer.answer == (1, "unproven: in dev, a deploy stops with P3009 at 3_other")
    assert not answer.steps


def test_migration_that_may_still_run_is_not_called_proven(server: CloneServer) -> None:
    with EditCase(INDEX, "").live(server) as live:
        live.record(NAME, "failed", days=0)
        answer = in_environments(NAME, {"dev": live.read()})
    assert answer.answer[0] == 1
    assert "it may still be running" in answer.answer[1]


def test_statement_that_leaves_no_trace_is_not_run_twice(server: CloneServer) -> None:
    script = 'CREATE TABLE "U" ("id" INT PRIMARY KEY);\nUPDATE "T" SET "x" = "x" + 1;\nCREATE INDEX "i" ON "T"("x");'
    with EditCase(script, "", there='CREATE TABLE "U" ("id" INT PRIMARY KEY);', failed=True).live(server) as live:
        live.prisma = "7.5.0"  # which sends one statement after the other
        answer = in_environments(NAME, {"dev": live.read()})
    assert answer.answer[0] == 1
    assert (
        'whether these ran already leaves no trace, and a deploy would run them again: UPDATE "T"' in answer.answer[1]
    )
