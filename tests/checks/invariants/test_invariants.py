"""Each invariant of the data, asked of a database with Frigg's schema: what offends is found, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from fixtures.clone.server import CloneServer, clone
from fixtures.data.invariants import load
from fixtures.database.sessions import writer_only
from fixtures.facts import Facts
from health.catalog.catalog import Catalog
from health.check import CHECKS
from health.data.invariants import Invariant, InvariantResult
from health.finding import CouldNotCheck, Finding, NothingToCheck
from health.prisma.version import PrismaVersion
from plugins.paths import INVARIANTS as DIRECTORY
from plugins.run.check_catalog import all_checks
from tests.checks.invariants.cases import CASES, USERS
from tests.support.lineage import FRIGG, Live, applied, environment

INVARIANTS = {invariant.id: invariant for invariant in load(DIRECTORY, "checks/invariants")}


@pytest.fixture(scope="module")
def server() -> Iterator[CloneServer]:
    with clone("public") as made:
        yield made


@pytest.fixture(scope="module")
def schema(server: CloneServer) -> Iterator[str]:
    """A database with Frigg's schema and a few users, that serves as a template."""
    with applied(server, FRIGG) as live:
        live.run(USERS)
        live.copy.close()
        yield live.copy.name


@pytest.fixture
def frigg(server: CloneServer, schema: str) -> Iterator[Live]:
    with server.database("frigg", schema) as copy, closing(Live(server, copy, FRIGG)) as live:
        yield live


@pytest.fixture(scope="module")
def shared(server: CloneServer, schema: str) -> Iterator[Live]:
    """One database for all cases; each empties it."""
    with server.database("shared", schema) as copy, closing(Live(server, copy, FRIGG)) as live:
        yield live


@pytest.fixture(scope="module")
def catalog(shared: Live) -> Catalog:
    return shared.copy.catalog()


def reading(live: Live, **given: Any) -> Facts:
    return Facts(
        given.pop("environment", environment()),
        {
            "database": live.copy.session, "clone_server": live.server, "migrations": live.directory,
            "prisma": PrismaVersion("6.19.3", "test"), **writer_only(), **given,
        },
    )  # fmt: skip


def judge(live: Live, check: str, **given: Any) -> list[Finding]:
    read = reading(live, **given)
    try:
        return all_checks()[check].judge(read)
    finally:
        read.close()


def test_every_file_has_a_case() -> None:
    assert CASES.keys() == INVARIANTS.keys()


@pytest.mark.parametrize("name", CASES)
def test_what_offends_is_found_and_nothing_else(shared: Live, catalog: Catalog, name: str) -> None:
    case, invariant = CASES[name], INVARIANTS[name]
    given = {"invariants": (invariant,), "catalog": catalog}
    shared.run('TRUNCATE "User", "AuthorizationSession" CASCADE', USERS, case.sound)
    assert judge(shared, name, **given) == []
    shared.run(case.offending)
    (found,) = judge(shared, name, **given)
    assert (found.code, found.subject) == (name, invariant.reads[0])
    shown = found.evidence["keys"]
    assert isinstance(shown, tuple)
    assert [told.startswith(key) for told, key in zip(shown, case.keys, strict=True)] == [True] * len(case.keys)
    assert found.evidence["rows"] == len(case.keys)


def test_all_are_silent_about_a_fresh_database(frigg: Live) -> None:
    read = reading(frigg)
    try:
        assert {name: all_checks()[name].judge(read) for name in INVARIANTS} == {name: [] for name in INVARIANTS}
    finally:
        read.close()


def test_no_more_than_a_few_rows_are_shown_and_all_are_counted(frigg: Live) -> None:
    frigg.run('INSERT INTO "Entity" ("userId", data, "updatedAt") SELECT 1, \'[]\', now() FROM generate_series(1, 7)')
    (found,) = judge(frigg, "entity-data-object")
    assert found.evidence["rows"] == 7
    assert found.message.startswith("7 rows offend (id 1, type array; ")
    assert found.message.count("id ") == 5


# What is known and accepted


@pytest.mark.parametrize(
    ("baseline", "code"), [(2, "stuck-process"), (3, "stuck-process-known"), (4, "stuck-process-known")]
)
def test_rows_within_the_baseline_are_information(frigg: Live, baseline: int, code: str) -> None:
    frigg.run(
        'INSERT INTO "Process" ("userId", "integrationId", name, type, state, "updatedAt")'
        " SELECT 1, 1, 'n', 't', 'FETCHING_PAGE', now() - interval '1 day' FROM generate_series(1, 3)"
    )
    accepted = replace(environment(), baselines={"stuck-process": baseline})
    (found,) = judge(frigg, "stuck-process", environment=accepted)
    assert found.code == code
    assert f"the baseline of {baseline}" in found.message
    assert CHECKS["stuck-process"].finds["stuck-process-known"].at("before") == "info"


# What gives no answer


def made(name: str, query: str, reads: tuple[str, ...] = ("Entity",)) -> Invariant:
    return replace(INVARIANTS["entity-data-object"], id=name, query=query, reads=reads)


SLOW = made("slow", 'SELECT id FROM "User" WHERE pg_sleep(60) IS NOT NULL', ("User",))
SOUND = made("sound", 'SELECT id FROM "User" WHERE id = 1', ("User",))
FAILING = {
    "column": made("column", 'SELECT "gone" FROM "User"', ("User",)),
    "undeclared": made("undeclared", 'SELECT id FROM "User" JOIN "Entity" USING (id)', ("User",)),
    "table": made("table", 'SELECT id FROM "Gone"', ("User", "Gone")),
    "syntax": made("syntax", "SELECT id FROM", ("User",)),
    "second": made("second", 'SELECT id FROM "User"); DELETE FROM public."User"; SELECT (1', ("User",)),
    "writes": made("writes", "SELECT nextval('public.\"User_id_seq\"')", ("User",)),
}
SAID = {
    "column": InvariantResult(absent='this schema is another one: column "gone" does not exist'),
    "undeclared": InvariantResult(
        problem='its query failed: relation "Entity" does not exist', remedy="Name every table that it uses in `reads`."
    ),
    "table": InvariantResult(absent="there is no table Gone here"),
    "syntax": InvariantResult(problem='its query failed: 42601: syntax error at or near ")"', remedy="Mend the query."),
    "second": InvariantResult(
        problem="its query failed: 42601: cannot insert multiple commands into a prepared statement",
        remedy="Mend the query.",
    ),
}


def test_one_that_fails_or_is_slow_spoils_no_other(frigg: Live) -> None:
    as_the_environments(frigg)
    between = [replace(SOUND, id=f"sound-{number}") for number in range(len(FAILING) + 1)]
    asked = [each for pair in zip(between, [*FAILING.values(), SLOW], strict=True) for each in pair] + [SOUND]
    quick = replace(environment().limits, data_s=0.3)
    read = reading(frigg, invariants=asked, environment=replace(environment(), limits=quick))
    try:
        answers = read["invariant_answers"]
    finally:
        read.close()
    assert {name: answers[name] for name in SAID} == SAID
    assert "read-only transaction" in answers["writes"].problem
    assert answers["slow"].problem == "its query took longer than 0.3 s"
    assert "limits.data_s" in answers["slow"].remedy
    assert {answers[each.id] for each in [*between, SOUND]} == {InvariantResult(1, ("id 1",))}


def test_what_is_not_there_is_skipped_and_what_is_not_answered_is_told(frigg: Live) -> None:
    for answer, error in ((SAID["table"], NothingToCheck), (SAID["syntax"], CouldNotCheck)):
        with pytest.raises(error) as raised:
            judge(frigg, "stuck-process", invariant_answers={"stuck-process": answer})
        assert (answer.absent or answer.problem) in str(raised.value)


def test_the_tables_of_an_older_schema_are_nothing_to_check(server: CloneServer) -> None:
    with applied(server, FRIGG, before="add_entity_data_column") as live:
        for name, said in (("stuck-process", "no table Process"), ("entity-data-object", "another one: column")):
            with pytest.raises(NothingToCheck, match=said):
                judge(live, name)


def as_the_environments(live: Live) -> None:
    """The session that the facts are given is as guarded as one with an environment."""
    connection = live.copy.session.connection
    assert connection is not None
    connection.autocommit, connection.read_only = False, True


def test_the_session_is_read_only_and_proven_with_the_others(frigg: Live) -> None:
    as_the_environments(frigg)
    read = reading(frigg)
    try:
        (rows,) = read["data_session"].read_each([("SHOW transaction_read_only", ())])
        assert rows == [("on",)]
        assert read["data_session"].opened is not read["database"]
        (proof,) = read["read_only_proof"].sessions
        assert (proof.server, proof.wrote, proof.refused) == ("writer", False, "25006")
    finally:
        read.close()


@pytest.mark.parametrize("invariant", INVARIANTS.values(), ids=INVARIANTS)
def test_a_text_claims_nothing_of_the_past(invariant: Invariant) -> None:
    """The query reads rows: it does not know which migration made or dropped an index, nor whether one is there."""
    assert not re.search(r"\bmigration has\b|\bdropped\b", invariant.why)
