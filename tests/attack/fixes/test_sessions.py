"""A fix that no transaction can hold changes nothing once its guard has refused, or its session has ended."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.prisma.engine import MIGRATE_LOCK
from health.sql.splitter import locate
from health.sql.statements import runs_read_only, stands_alone
from tests.support.fix_cases import KnownEffects, fixes_of, row, suggested
from tests.support.fix_cases import found as findings
from tests.support.fix_worlds import everything, prepare, sql_fixes
from tests.support.history_table import PASSWORD, PSQL, connect
from tests.support.load import patience

STEPS = {name: each for name, each in sql_fixes().items() if each[1].body.startswith("SET ")}
CUT = "SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid());\n"
# Each has to be refused by a session that is read only, or is never offered.
ALONE = [
    'CREATE INDEX CONCURRENTLY since ON "T" (a)',
    'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS since ON "T" (a)',
    "DROP INDEX CONCURRENTLY o",
    "ALTER TABLE parted DETACH PARTITION part CONCURRENTLY",
    "REINDEX INDEX CONCURRENTLY o",
    'REINDEX TABLE "T"',
    'VACUUM "T"',
    'VACUUM (FULL) "T"',
    'CLUSTER "T" USING o',
    "ALTER SYSTEM SET work_mem = '5MB'",
    "CREATE DATABASE since",
    "DROP DATABASE IF EXISTS since",
    "ALTER DATABASE postgres SET TABLESPACE pg_default",
    "DO $$ BEGIN COMMIT; CREATE TABLE since (); END $$",
    "CALL aside.p()",
]


def by_psql(server: PrivatePostgres, text: str, directory: Path, *, pasted: bool) -> int:
    file = directory / "fix.sql"
    file.write_text(text)
    done = subprocess.run(
        [PSQL, "-X", "-q", "-U", "postgres", "-d", "postgres", *([] if pasted else ["-f", str(file)])],
        env={**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGPASSWORD": PASSWORD},
        input=text.encode() if pasted else b"", capture_output=True, check=False, timeout=patience(30),
    )  # fmt: skip
    return done.returncode


@pytest.mark.skipif(not PSQL.exists(), reason="there is no psql")
@pytest.mark.parametrize("pasted", [True, False], ids=["pasted", "file"])
@pytest.mark.parametrize(("name", "place"), [(name, place) for name in STEPS for place in (1, 2)])
def test_nothing_runs_behind_a_session_that_was_cut_off(  # noqa: PLR0917
    server: PrivatePostgres, database: psycopg.Connection, tmp_path: Path, name: str, place: int, pasted: bool
) -> None:
    title, fix = STEPS[name]
    prepare(database, title, fix.before)
    before = everything(database)
    statements = [f"{each.text};\n" for each in locate(fix.body)]
    assert len(statements) == 6
    statements.insert(place, CUT)
    assert by_psql(server, "".join(statements), tmp_path, pasted=pasted) != 0
    assert everything(database) == before


@pytest.mark.skipif(not PSQL.exists(), reason="there is no psql")
@pytest.mark.parametrize("pasted", [True, False], ids=["pasted", "file"])
@pytest.mark.parametrize("statement", ALONE)
def test_a_statement_is_refused_behind_a_guard_that_refuses_or_is_not_offered(
    server: PrivatePostgres, database: psycopg.Connection, tmp_path: Path, statement: str, pasted: bool
) -> None:
    facts = KnownEffects("part", repair=(statement,), atomic=False).facts(row())
    steps = [fix for fix in fixes_of("half-applied-migration", facts, "sql") if "by itself" in fix.title]
    assert stands_alone(statement)
    if runs_read_only(statement):
        (finding,) = findings("half-applied-migration", facts)
        assert "read only" in suggested(finding, facts)[1]
        assert not steps
        return
    prepare(database, "an index is another")
    database.execute(
        "CREATE TABLE parted (a integer) PARTITION BY LIST (a); CREATE TABLE part PARTITION OF parted DEFAULT"
    )
    before = everything(database)
    with connect(server) as engine:
        engine.execute("SELECT pg_advisory_lock(%s)", [MIGRATE_LOCK])
        by_psql(server, steps[0].body, tmp_path, pasted=pasted)
        engine.execute("SELECT pg_advisory_unlock_all()")
    assert everything(database) == before
    assert database.execute("SELECT FROM pg_database WHERE datname = 'since'").fetchall() == []
