"""Every way to break the local environment: the findings, and that the suggested fixes repair it.

``tests/data/fault_fixes.json`` lists the SQL fixes of each fault, so that each has tests of its own;
``UPDATE_SNAPSHOTS=1`` writes it anew. An id begins with its fault, by which the tests are scheduled.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from health.check import check_of_code
from health.finding import DEPLOY, Fix
from health.prisma.engine import MIGRATE_LOCK
from plugins import fixes
from plugins.run.check_catalog import all_checks
from tests.support import fault_promises as promises
from tests.support import sandbox as harness
from tests.support.fault_fixes import FixCase, read_cases, write_cases
from tests.support.faults import Broken, all_faults, broken_by
from tests.support.load import patience

FAULTS = [fault["name"] for fault in all_faults()]
CASES = read_cases()
SQL = [(fault, case) for fault, cases in CASES.items() for case in cases]


@pytest.fixture(scope="module")
def broken(request: pytest.FixtureRequest) -> Iterator[Broken]:
    with broken_by(request.param) as world:
        yield world


def only(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("broken", names, indirect=True)


def of_each(pairs: list[tuple[str, FixCase]]) -> pytest.MarkDecorator:
    ids = [f"{fault}:{case.title}" for fault, case in pairs]
    return pytest.mark.parametrize(("broken", "case"), pairs, indirect=["broken"], ids=ids)


def test_every_fault_is_a_finding_of_a_check() -> None:
    all_checks()
    assert all(check_of_code(fault["raises"]) for fault in all_faults() if fault["raises"])


def test_the_table_of_fixes_names_faults_that_exist() -> None:
    assert set(CASES) <= set(FAULTS)


# What a run finds


@only(*FAULTS)
def test_a_fault_raises_its_finding_and_only_what_that_explains(broken: Broken) -> None:
    promises.raises_its_finding(broken)


@only(*FAULTS)
def test_what_could_not_be_checked_names_the_cause(broken: Broken) -> None:
    causes = {check: error.explained_by for check, error in broken.judged.unanswered.items()}
    reasons = {error.what for error in broken.judged.unanswered.values() if error.explained_by is None}
    assert all(cause in broken.judged.keys for cause in causes.values() if cause is not None), causes
    # What has no finding for a cause has the one reason that the fault tells of.
    assert len(reasons) == len(broken.unanswered)
    assert all(reason.startswith(broken.unanswered) for reason in reasons)


@only(*FAULTS)
def test_a_fault_has_the_fixes_of_the_table(broken: Broken, request: pytest.FixtureRequest) -> None:
    (fault,) = broken.faults
    if os.environ.get("UPDATE_SNAPSHOTS"):
        write_cases(fault, broken.cases)
    assert broken.cases == CASES.get(fault, [])
    with_sql = any(fix.kind == "sql" for suggested, _ in broken.suggested.values() for fix in suggested)
    assert with_sql == bool(broken.cases), "only what another finding explains has SQL"


@only(*FAULTS)
def test_every_finding_has_a_suggestion_or_a_reason(broken: Broken) -> None:
    without = [key for key, (suggested, reason) in broken.suggested.items() if not (suggested or reason)]
    assert without == []
    assert not any("defect" in (reason or "") for _, reason in broken.suggested.values())
    for suggested, _ in broken.suggested.values():
        preferred = [fix.fallback for fix in suggested if fix.rank != DEPLOY]
        assert preferred == sorted(preferred), "a fallback comes before a preferred fix"


# SQL


@of_each(SQL)
def test_sql_fixes_the_finding_and_its_undo_restores(broken: Broken, case: FixCase) -> None:
    promises.fixes_and_restores(broken, case)


@only(*dict.fromkeys(fault for fault, _ in SQL))
def test_what_a_rehearsal_proves_is_what_comes(broken: Broken) -> None:
    promises.ends_as_rehearsed(broken)


@of_each(SQL)
def test_sql_is_applied_once(broken: Broken, case: FixCase) -> None:
    _, fix = broken.fix_of(case)
    with broken.restoring() as before:
        broken.apply(fix.body)
        after = broken.state()
        assert after != before
        with pytest.raises(psycopg.errors.RaiseException, match="Nothing was changed"):
            broken.apply(fix.body)
        assert broken.state() == after
        if fix.undo is not None:
            broken.apply(fix.undo)
            with pytest.raises(psycopg.Error):
                broken.apply(fix.undo)
            assert broken.state() == before


@of_each(SQL)
def test_sql_is_refused_while_a_migration_runs(broken: Broken, case: FixCase) -> None:
    _, fix = broken.fix_of(case)
    with broken.restoring() as before:
        unchanged = before
        for sql in filter(None, (fix.body, fix.undo)):
            with harness.writing(broken.read) as migrating:
                migrating.execute("SELECT pg_advisory_lock(%s::bigint)", (MIGRATE_LOCK,))
                with pytest.raises(psycopg.errors.RaiseException, match="A migration is running"):
                    broken.apply(sql)
                assert broken.state() == unchanged
                # The server notices the end of a session in its own time.
                migrating.execute("SELECT pg_advisory_unlock_all()")
            broken.apply(sql)
            unchanged = broken.state()


@of_each([(fault, case) for fault, case in SQL if case.undo and case.of_rows])
def test_no_undo_beside_a_newer_row_of_the_migration(broken: Broken, case: FixCase) -> None:
    finding, fix = broken.fix_of(case)
    with broken.restoring():
        broken.apply(fix.body)
        broken.apply(
            "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)"
            f" VALUES (gen_random_uuid(), 'c', '{finding.subject}', now())"
        )
        after = broken.state()
        with pytest.raises(psycopg.errors.RaiseException, match="newer row"):
            broken.apply(fix.undo)
        assert broken.state() == after


@only("no-history")
def test_no_undo_of_a_history_that_was_written_to(broken: Broken) -> None:
    ((_, fix),) = broken.fixes("sql")
    with broken.restoring():
        broken.apply(fix.body)
        broken.apply("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('1', 'c', 'another')")
        after = broken.state()
        with pytest.raises(psycopg.errors.RaiseException, match="Something else has been recorded"):
            broken.apply(fix.undo)
        assert broken.state() == after


@only("entity-data-missing")
def test_no_undo_of_a_column_that_was_written_to(broken: Broken) -> None:
    ((_, fix),) = broken.fixes("sql")
    with broken.restoring():
        broken.apply(fix.body)
        broken.apply('INSERT INTO "Entity" ("updatedAt", "data") VALUES (now(), \'{"a": 1}\')')
        with pytest.raises(psycopg.errors.RaiseException, match="Data was written"):
            broken.apply(fix.undo)
        assert broken.ask('SELECT "data"::text FROM "Entity"') == [('{"a": 1}',)]

        broken.apply('UPDATE "Entity" SET "data" = DEFAULT')
        broken.apply(fix.undo)
        assert len(broken.ask('SELECT * FROM "Entity"')) == 1
        broken.apply('DELETE FROM "Entity"')


RECORDING = ("crashed-complete", "pending-objects-exist", "half-applied")


@of_each([(fault, case) for fault, case in SQL if fault in RECORDING])
def test_nothing_is_recorded_as_applied_whose_objects_are_gone_meanwhile(broken: Broken, case: FixCase) -> None:
    _, fix = broken.fix_of(case)
    (table,) = {name for kind, _, name in broken.state().objects if kind == "table" and name in made_by_last(broken)}
    with broken.restoring():
        broken.apply(f'ALTER TABLE "{table}" RENAME TO elsewhere')
        after = broken.state()
        with pytest.raises(psycopg.Error):
            broken.apply(fix.body)
        assert broken.state() == after


def made_by_last(broken: Broken) -> set[str]:
    """The tables of the migration that the finding is about."""
    sql = broken.read["history"].directory.by_name[broken.finding.subject].sql
    return set(re.findall(r'CREATE TABLE "(\w+)"', sql))


# The way in


@only("host-key-changed", "host-key-unknown")
@pytest.mark.skipif(shutil.which("ssh-keyscan") is None, reason="OpenSSH's client is not installed")
def test_a_host_key_that_was_compared_is_put_into_the_file(broken: Broken) -> None:
    known_hosts = broken.env.known_hosts
    before = known_hosts.read_bytes()
    show, _, add = broken.suggested[broken.finding.key][0]
    assert run(show.body).startswith("256 SHA256:")
    assert known_hosts.read_bytes() == before
    assert "keyscan" not in add.body  # who answers a second time may be another
    try:
        run(add.body)
        mended = broken.judge_anew("preflight")
        assert not mended.unanswered
        assert mended.serious == set()
    finally:
        known_hosts.write_bytes(before)


def run(command: str) -> str:
    done = subprocess.run(
        command, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience(20), check=True
    )
    return done.stdout


@only("script-absent")
def test_without_a_script_nothing_is_said_of_it(broken: Broken) -> None:
    assert broken.judged.serious == set()
    assert not broken.judged.unanswered


# The directory


@only("no-migration-sql", "byte-order-mark", "transaction-left-open", "wrong-provider")
def test_a_command_mends_the_directory(broken: Broken, tmp_path: Path) -> None:
    before = contents(broken)
    (fix,) = preferred(broken)
    (tmp_path / "lock.diff").write_text(fix.body)
    done = broken.shell(fix.note if fix.kind == "patch" else fix.body, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    mended = broken.judge_anew("migrations")
    assert not mended.unanswered
    # The layer was built from the file as it was; the deploy to come builds it anew.
    edited = any(path in contents(broken) and contents(broken)[path] != data for path, data in before.items())
    in_layer = edited and broken.finding.code != "wrong-provider"
    assert mended.serious == ({f"layer-mismatch:{broken.finding.subject}"} if in_layer else set())
    assert len(set(before.items()) ^ set(contents(broken).items())) <= 2  # that one place
    if fix.undo is None:
        assert "undo" in fix.note
    else:
        assert broken.shell(fix.undo, cwd=tmp_path).returncode == 0
        assert contents(broken) == before


@only("no-migration-sql")
def test_a_directory_that_is_not_empty_is_not_removed(broken: Broken) -> None:
    (fix,) = preferred(broken)
    place = broken.env.migrations / broken.finding.subject
    place.mkdir(exist_ok=True)
    (place / "notes.txt").touch()
    assert broken.shell(fix.body).returncode != 0
    assert list(place.iterdir()) == [place / "notes.txt"]


@only("byte-order-mark")
def test_nothing_is_taken_off_a_file_without_a_mark(broken: Broken) -> None:
    (fix,) = preferred(broken)
    file = broken.env.migrations / broken.finding.subject / "migration.sql"
    file.write_text("SELECT 1;\n")
    assert broken.shell(fix.body).returncode != 0
    assert file.read_text() == "SELECT 1;\n"
    assert list(file.parent.iterdir()) == [file]


def contents(broken: Broken) -> dict[Path, bytes | None]:
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in broken.env.migrations.rglob("*")
        if path.name != "migration_lock.toml.orig"
    }


def preferred(broken: Broken) -> list[Fix]:
    return [fix for fix in broken.suggested[broken.finding.key][0] if not fix.fallback and fix.rank != DEPLOY]


# A migration at work


@pytest.mark.parametrize(
    ("broken", "known"),
    [("lock-held", True), ("lock-held", False)],
    indirect=["broken"],
    ids=["lock-held:known", "lock-held:unknown"],
)
def test_who_holds_the_lock_is_waited_for(broken: Broken, known: bool) -> None:
    history = broken.read["history"]
    recorded = history.recorded
    holder = replace(recorded.lock_holder, held_s=30) if known else replace(recorded.lock_holder, backend_start=None)
    (old,) = history.failed
    row = replace(old, started_at=recorded.read_at - timedelta(seconds=60)) if known else old
    rows = tuple(row if each is old else each for each in recorded.rows)
    young = replace(history, recorded=replace(recorded, lock_holder=holder, rows=rows))
    suggested, reason = fixes.suggest(broken.finding, {"history": young, "environment": broken.env})
    assert reason is None
    (wait,) = suggested
    assert (wait.kind, wait.fallback) == ("wait", False)
    assert wait.title.startswith("Wait 1")


@only("lock-held")
def test_the_session_that_holds_the_lock_is_ended_and_no_other(broken: Broken) -> None:
    wait, fix = broken.suggested[broken.finding.key][0]
    assert (wait.kind, fix.fallback) == ("wait", True)
    holder = broken.read["history"].recorded.lock_holder
    sessions = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    assert str(holder.pid) in fix.body
    year = str(holder.backend_start.year)
    assert fix.body.count(year) == 1
    with harness.writing(broken.read) as bystander:
        before = set(broken.ask(sessions))
        other = broken.shell(fix.body.replace(year, "1999"))
        assert (other.returncode, other.stdout.count("(0 rows)")) == (0, 1)
        assert set(broken.ask(sessions)) == before
        done = broken.shell(fix.body)
        assert (done.returncode, done.stdout.count("(1 row)")) == (0, 1)
        assert before - set(broken.ask(sessions)) == {(holder.pid,)}
        assert bystander.execute("SELECT 1").fetchall() == [(1,)]
    assert broken.judge_anew().serious - broken.judged.serious == {f"crashed-migration:{broken.finding.subject}"}
