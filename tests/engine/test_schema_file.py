"""The schema file against the migrations, by Prisma's own CLI 6.19.3 and 7.10.1 with their real engines."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from checks.test_schema_file import test_schema_file_has_no_unwritten_change as judge
from fixtures.clients.private_directory import private_directory
from fixtures.clone.replays import Replays
from fixtures.clone.server import clone
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.config.environment import Environment
from health.finding import CouldNotCheck, Finding, Fix, NothingToCheck
from health.schema_file.difference import SchemaFileDiff
from health.secrets.secret import Secret
from plugins import fixes
from tests.engine import prisma
from tests.support.clone_servers import ON_LOOPBACK
from tests.support.prisma_application import Engine, PrismaApplication

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

PASSWORD = "p@ss:w/rd"
ENGINES: tuple[Engine, ...] = ("6 native", "6 js", "7 native")

MIGRATION = """
CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN');
CREATE TABLE "User" ("id" SERIAL PRIMARY KEY, "email" TEXT NOT NULL, "role" "Role" NOT NULL DEFAULT 'USER');
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
CREATE TABLE "Post" ("id" SERIAL PRIMARY KEY, "title" TEXT NOT NULL, "at" TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP);
"""
USER = """
model User {
  id    Int    @id @default(autoincrement())
  email String @unique
  role  Role   @default(USER)
}
"""
ROLE = "enum Role {\n  USER\n  ADMIN\n}\n"
POST = """
model Post {
  id    Int       @id @default(autoincrement())
  title String
  at    DateTime? @default(now())
}
"""
# What was added to the schema file and to no migration, and what is to be found of it.
UNWRITTEN_MODELS = """
enum Role {
  USER
  ADMIN
  GUEST
}
model User {
  id    Int     @id @default(autoincrement())
  email String  @unique
  name  String?
  role  Role    @default(USER)
  posts Post[]
}
model Post {
  id       Int       @id @default(autoincrement())
  title    String    @unique
  at       DateTime? @default(now())
  authorId Int?
  author   User?     @relation(fields: [authorId], references: [id])
  @@index([at])
}
model Tag {
  id Int @id
}
"""
UNWRITTEN = {
    'enum "Role"': "error",
    'column "User"."name"': "error",
    'column "Post"."authorId"': "error",
    'table "Tag"': "error",
    'index "Post_title_key"': "error",
    'index "Post_at_idx"': "warning",
    'constraint "Post"."Post_authorId_fkey"': "error",
}
# Objects that no schema file of Prisma's can describe, or that somebody wrote by hand.
BY_HAND = """
CREATE UNIQUE INDEX "of_expression" ON "User"(lower("email"));
CREATE INDEX "partial" ON "User"("email") WHERE "id" > 3;
ALTER TABLE "User" ADD CONSTRAINT "check_id" CHECK ("id" >= 0);
ALTER TABLE "Post" ADD CONSTRAINT "exclude" EXCLUDE USING btree ("title" WITH =);
CREATE VIEW "V" AS SELECT "id" FROM "User";
CREATE MATERIALIZED VIEW "MV" AS SELECT "id" FROM "User";
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER t BEFORE INSERT ON "User" FOR EACH ROW EXECUTE FUNCTION f();
CREATE SEQUENCE "sequence";
CREATE DOMAIN "domain" AS text;
ALTER TABLE "User" ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON "User" USING (true);
CREATE SCHEMA other;
CREATE TABLE other.t (id int);
CREATE INDEX "including" ON "User"("role") INCLUDE ("email");
CREATE INDEX "hash" ON "User" USING hash ("email");
CREATE TYPE "Unused" AS ENUM ('A');
CREATE TABLE "Parted" ("at" date) PARTITION BY RANGE ("at");
ALTER TABLE "Post" ADD COLUMN "note" TEXT;
ALTER TABLE "Post" ADD COLUMN "needed" TEXT NOT NULL;
"""
NOT_IN_FILE = {
    'index "including"': "warning",
    'index "hash"': "warning",
    'enum "Unused"': "warning",
    'table "Parted"': "warning",
    'column "Post"."note"': "warning",
    'column "Post"."needed"': "error",
}


@pytest.fixture(scope="module")
def replays() -> Iterator[Replays]:
    with clone("public") as server:
        made = Replays(server, "public", one_query=True)
        yield made
        made.close()


@pytest.fixture(autouse=True)
def cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test asks Prisma itself."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(params=ENGINES)
def application(request: pytest.FixtureRequest, tmp_path: Path) -> PrismaApplication:
    made = PrismaApplication(tmp_path / "app", request.param)
    made.migration("20240101000000_init", MIGRATION)
    made.schema(ROLE + USER + POST)
    return made


def of(engine: Engine, directory: Path) -> PrismaApplication:
    made = PrismaApplication(directory / "app", engine)
    made.migration("20240101000000_init", MIGRATION)
    made.schema(ROLE + USER + POST)
    return made


def severities(diff: SchemaFileDiff) -> dict[str, str]:
    return {finding.subject: finding.severity or declared(finding) for finding in judge(schema_file_diff=diff)}


def declared(finding: Finding) -> str:
    return judge.check.finds[finding.code].at("before")  # type: ignore[attr-defined,no-any-return]


def test_a_schema_file_that_the_migrations_make_is_healthy(application: PrismaApplication, replays: Replays) -> None:
    diff = application.compare(replays)
    assert judge(schema_file_diff=diff) == []
    version = "6.19.3" if application.engine.startswith("6") else "7.10.1"
    engine = "its WebAssembly engine (engine: 'js')" if application.engine == "6 js" else "its native engine"
    assert (diff.how, diff.schema) == (f"Prisma {version}, {engine}", "prisma/schema.prisma")


def test_an_unwritten_change_is_found_and_its_migration_ends_it(
    application: PrismaApplication, replays: Replays
) -> None:
    application.schema(UNWRITTEN_MODELS)
    before = application.listing()
    diff = application.compare(replays)
    assert application.listing() == before
    assert severities(diff) == UNWRITTEN
    finding = judge(schema_file_diff=diff)[0]
    suggested, _ = fixes.suggest(finding, {"schema_file_diff": diff, "environment": Environment("local", "local")})
    write(suggested[0])
    assert len(list(application.migrations.glob("*_schema_file/migration.sql"))) == 1
    assert judge(schema_file_diff=application.compare(replays)) == []


def write(fix: Fix) -> None:
    """Do what a fix says."""
    subprocess.run(["bash", "-c", fix.body], check=True, timeout=60)


def test_what_was_written_by_hand_is_no_unwritten_change(application: PrismaApplication, replays: Replays) -> None:
    application.migration("20240102000000_by_hand", BY_HAND)
    diff = application.compare(replays)
    assert severities(diff) == NOT_IN_FILE
    assert {finding.code for finding in judge(schema_file_diff=diff)} == {"not-in-schema-file"}
    known = tuple(f"schema file: {subject}" for subject in NOT_IN_FILE)
    assert judge(schema_file_diff=application.compare(replays, known)) == []


@pytest.mark.parametrize("engine", ["6 native"])
def test_an_answer_is_asked_for_once(engine: Engine, tmp_path: Path, replays: Replays) -> None:
    application = of(engine, tmp_path)
    application.migration("20240102000000_by_hand", BY_HAND)
    first = application.compare(replays)
    prisma_itself = application.modules / "prisma/build/index.js"
    prisma_itself.unlink()
    prisma_itself.write_text("process.exit(1)")
    assert application.compare(replays) == first
    application.migration("20240103000000_more", 'ALTER TABLE "User" ADD COLUMN "more" INT;')
    with pytest.raises(CouldNotCheck, match="prisma migrate diff ends with status 1"):
        application.compare(replays)


def test_what_is_declared_and_does_not_differ_is_named(application: PrismaApplication, replays: Replays) -> None:
    diff = application.compare(replays, ('schema file: index "gone"', 'index "of the database"'))
    (finding,) = judge(schema_file_diff=diff)
    assert (finding.code, finding.subject) == ("schema-file-difference-unused", 'index "gone"')


def test_a_broken_schema_file_is_told_in_prismas_words(application: PrismaApplication, replays: Replays) -> None:
    application.schema(ROLE + USER + "model Post {\n  id Int @id\n  owner Nobody\n}\n")
    (finding,) = judge(schema_file_diff=application.compare(replays))
    assert finding.code == "schema-file-refused"
    assert 'Type "Nobody" is neither a built-in type' in finding.message
    assert "schema.prisma:" in finding.message
    assert "\n" not in finding.message
    assert "/dev/shm" not in finding.message


def test_a_schema_of_several_files_is_one(application: PrismaApplication, replays: Replays) -> None:
    (application.prisma / "schema.prisma").unlink()
    application.schema(USER, "schema/main.prisma")
    (application.prisma / "schema/models").mkdir()
    (application.prisma / "schema/models/post.prisma").write_text(POST)
    (application.prisma / "schema/role.prisma").write_text(ROLE)
    directory = application.prisma / "schema"
    assert judge(schema_file_diff=application.compare(replays, schema_file=directory)) == []
    (application.prisma / "schema/models/post.prisma").write_text(POST.replace("title String", "title String\n  n Int"))
    assert severities(application.compare(replays, schema_file=directory)) == {'column "Post"."n"': "error"}


def test_no_answer_where_a_migration_does_not_run(application: PrismaApplication, replays: Replays) -> None:
    application.migration("20240102000000_broken", "ALTER TABLE nothing ADD COLUMN a int;")
    with pytest.raises(CouldNotCheck, match=r'20240102000000_broken does not run from empty.*"nothing" does not exist'):
        application.compare(replays)


@pytest.mark.parametrize("engine", ["6 native"])
def test_no_answer_where_a_migration_has_no_file(engine: Engine, tmp_path: Path, replays: Replays) -> None:
    application = of(engine, tmp_path)
    (application.migrations / "20240102000000_empty").mkdir()
    with pytest.raises(CouldNotCheck, match="20240102000000_empty does not run from empty: it has no"):
        application.compare(replays)


@pytest.mark.parametrize("engine", ["6 stock", "7 stock"])
def test_nothing_is_fetched_where_there_is_no_engine(engine: Engine, tmp_path: Path, replays: Replays) -> None:
    application = of(engine, tmp_path)
    before = application.listing()
    with pytest.raises(NothingToCheck, match="is installed without a native engine that runs here"):
        application.compare(replays)
    assert application.listing() == before


COUNTED = """
SELECT sessions, xact_commit, xact_rollback, tup_inserted, tup_deleted FROM pg_stat_database WHERE datname = %s
"""


def test_the_users_databases_are_never_met(
    application: PrismaApplication, replays: Replays, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        private_directory("users") as directory,
        PrivatePostgres(directory, Secret(PASSWORD), settings=ON_LOOPBACK) as server,
    ):
        login = f"postgresql://postgres:p%40ss%3Aw%2Frd@127.0.0.1:{server.port}"
        with psycopg.connect(f"{login}/postgres", autocommit=True) as admin:
            for name in ("users", "shadow"):
                admin.execute(f"CREATE DATABASE {name}".encode())
                with psycopg.connect(f"{login}/{name}") as made:
                    made.execute("CREATE TABLE kept AS SELECT 1 AS a")
            lead_to(application, f"{login}/users", f"{login}/shadow", monkeypatch)
            before = [counted(admin, name) for name in ("users", "shadow")]
            application.schema(UNWRITTEN_MODELS, datasource=datasource(application, login))
            assert severities(application.compare(replays)) == UNWRITTEN
            assert [counted(admin, name) for name in ("users", "shadow")] == before
            for name in ("users", "shadow"):
                with psycopg.connect(f"{login}/{name}") as made:
                    assert made.execute("SELECT a FROM kept").fetchall() == [(1,)]
                assert counted(admin, name) != before[0]  # so a connection would have shown
    assert not (application.directory / "config-was-run").exists()


def counted(admin: psycopg.Connection, name: str) -> tuple[object, ...] | None:
    """The database's own count of what was done there, once the last session has given its own up."""
    while admin.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", (name,)).fetchone():
        pass
    admin.execute("SELECT pg_stat_clear_snapshot()")
    return admin.execute(COUNTED, (name,)).fetchone()


def lead_to(application: PrismaApplication, url: str, shadow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything that Prisma reads by itself lead to these."""
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DIRECT_URL", url)
    monkeypatch.setenv("SHADOW_DATABASE_URL", shadow)
    text = f"DATABASE_URL={url}\nDIRECT_URL={url}\nSHADOW_DATABASE_URL={shadow}\n"
    for directory in (application.directory, application.prisma):
        (directory / ".env").write_text(text)
    (application.directory / "prisma.config.ts").write_text(
        "import { writeFileSync } from 'node:fs'\n"
        f"writeFileSync({str(application.directory / 'config-was-run')!r}, '')\n"
        "export default { schema: 'prisma/schema.prisma', migrations: { path: 'prisma/migrations' }, "
        f"datasource: {{ url: {url!r}, shadowDatabaseUrl: {shadow!r} }} }}\n"
    )


def datasource(application: PrismaApplication, login: str) -> str:
    if application.engine.startswith("7"):
        return ""
    return f'url = "{login}/users"\n  shadowDatabaseUrl = "{login}/shadow"'
