"""The role of read-only-role.sql: a whole gate passes with it, and it can write nothing, however it is tried."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from botocore.config import Config

from fixtures.database.session import ReadOnlySession
from fixtures.facts import Facts
from health.config.environment import Environment
from health.finding import CouldNotCheck
from health.prisma.engine import MIGRATE_LOCK
from health.read_only.proof import NO_RIGHT, READ_ONLY
from plugins.paths import ROOT
from tests.support import sandbox as harness
from tests.support.faults import BINARIES
from tests.support.gate_runs import Result, run

ROLE, SECRET = "migration_health", "quo-integrations-local-migration-health"
PASSWORD = "a password: 'of' \"the\" role"
FILE = ROOT / "docs" / "reference" / "read-only-role.sql"
ROWS = "SELECT t.*::text FROM public._prisma_migrations t ORDER BY 1"


@dataclass
class World:
    """A sandbox whose database has the role, and whose AWS holds its secret."""

    entry: dict[str, Any]
    env: Environment
    master: psycopg.Connection
    superuser: psycopg.Connection
    read: Facts

    @property
    def session(self) -> ReadOnlySession:
        """The suite's own session as that role."""
        session: ReadOnlySession = self.read["database"]
        return session

    @contextmanager
    def changed(self, *changes: str, back: str, by: psycopg.Connection | None = None) -> Iterator[None]:
        """What somebody does to the database for a while; unless another is named, its master user."""
        session = by or self.master
        try:
            for change in changes:
                session.execute(change.encode())
            yield
        finally:
            session.execute("ROLLBACK")
            session.execute(back.encode())

    @contextmanager
    def anew(self) -> Iterator[Facts]:
        with harness.facts(self.env) as read:
            yield read

    @contextmanager
    def unguarded(self) -> Iterator[psycopg.Connection]:
        """A session of the role that somebody opened without the suite's guard, and without the role's own."""
        tunnel = self.read["tunnel"]
        with psycopg.connect(
            host=tunnel.host, port=tunnel.port, user=ROLE, password=PASSWORD, dbname="postgres", autocommit=True,
            connect_timeout=5, options="-c default_transaction_read_only=off",
        ) as connection:  # fmt: skip
            yield connection


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with (
        harness.sandbox() as entry,
        harness.facts(harness.environment(entry)) as first,
        harness.writing(first) as master,
        harness.superuser(entry) as superuser,
    ):
        master.execute("SET lock_timeout = '5s'")
        psql(first, "-f", str(FILE))
        # Without a terminal psql takes both from its standard input.
        psql(first, "-c", f"\\password {ROLE}", said=f"{PASSWORD}\n{PASSWORD}\n")
        boto3.client(
                "secretsmanager", endpoint_url=entry["aws_endpoint_url"], region_name=entry["region"],
                aws_access_key_id=entry["aws_access_key_id"], aws_secret_access_key=entry["aws_secret_access_key"],
                aws_session_token=entry["aws_session_token"],
                config=Config(proxies={}),
            ).create_secret(Name=SECRET, SecretString=json.dumps({"username": ROLE, "password": PASSWORD}))  # fmt: skip
        entry["secret"] = SECRET
        env = harness.environment(entry)
        with harness.facts(env) as read:
            yield World(entry, env, master, superuser, read)


def psql(read: Facts, *words: str, said: str = "") -> None:
    login, tunnel = read["secret_read"], read["tunnel"]
    variables = {
        "PGHOST": tunnel.host, "PGPORT": str(tunnel.port), "PGUSER": login.username, "PGDATABASE": "postgres",
        "PGPASSWORD": login.password.reveal(),
    }  # fmt: skip
    done = subprocess.run(
        [BINARIES / "psql", "-X", "-v", "ON_ERROR_STOP=1", *words], env=variables, input=said, capture_output=True,
        text=True, timeout=20, check=False, start_new_session=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr.replace("Enter new password for user \"migration_health\": ", "")
            .replace("Enter it again: ", "").strip()) == (0, "")  # fmt: skip


def gate(world: World, directory: Path, *, real: bool = False) -> tuple[Result, dict[str, Any]]:
    """A whole run as the role, and what its report tells of the environment."""
    report = directory / "report"
    result = run(*harness.registry(directory, world.entry, "copy"), f"--report={report}", real=real)
    (told,) = json.loads((report / "report.json").read_text())["environments"]
    return result, told


def test_a_whole_gate_passes_with_it(world: World, tmp_path: Path) -> None:
    result, told = gate(world, tmp_path, real=True)
    assert result.status == 0, result.text
    assert "copy: HEALTHY" in result.out
    others = {check["id"]: check["outcome"] for check in told["checks"] if check["outcome"] != "passed"}
    assert others == {"schema-file-has-no-unwritten-change": "skipped"}  # there is no schema file
    assert told["proof"]["dumped"] is None
    assert told["proof"]["database"] == {
        "writer": {"user": ROLE, "wrote": False, "write_refused": READ_ONLY, "could_have_written": []}
    }
    assert told["facts"]["read only"] == f"nothing was written, and a write was refused ({READ_ONLY})"
    assert "secretsmanager:GetSecretValue" in told["proof"]["aws"]
    verbs = {operation.partition(":")[2] for operation in told["proof"]["aws"]}
    assert all(verb.startswith(("Describe", "Get", "List", "Filter")) for verb in verbs)
    assert told["proof"]["http"]
    assert all(sent.startswith("GET http") and "?" not in sent for sent in told["proof"]["http"])


def test_another_schema_is_dumped_with_it_and_the_proof_says_so(world: World, tmp_path: Path) -> None:
    drop, make = (f'ALTER TABLE public."Entity" {how} NOT NULL' for how in ("ALTER data DROP", "ALTER data SET"))
    make += "; DROP INDEX public.own"
    invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.own'::regclass"
    with world.changed(drop, 'CREATE INDEX own ON public."Entity" (name)', invalid, back=make, by=world.superuser):
        _, told = gate(world, tmp_path)
    assert told["proof"]["dumped"].startswith("pg_dump 18.")
    assert told["facts"]["read only"].endswith(f"; its schema was read by {told['proof']['dumped']}")
    assert "not as in the environment" not in told["facts"]["clone"]  # the invalid index is made so on the copy
    proofs = [fix["proof"] for check in told["checks"] for f in check["findings"] for fix in f["fixes"]]
    assert "proven" in {proof["status"] for proof in proofs}


WRITES = {
    "rows": "INSERT INTO public._prisma_migrations (id, checksum, migration_name) VALUES ('x', 'c', 'x')",
    "changes": "UPDATE public._prisma_migrations SET rolled_back_at = now()",
    "deletions": "DELETE FROM public._prisma_migrations",
    "truncation": 'TRUNCATE public."Entity"',
    "tables": "CREATE TABLE public.mine (x int)",
    "columns": 'ALTER TABLE public."Entity" ADD COLUMN mine int',
    "sequences": "SELECT nextval('public.numbers')",
    "row locks": "SELECT * FROM public._prisma_migrations FOR UPDATE",
    "roles": "CREATE ROLE another",
    "comments": "COMMENT ON TABLE public._prisma_migrations IS 'x'",
}
ONLY_BY_THE_GUARD = {
    "temporary tables": "CREATE TEMP TABLE mine (x int)",
    "large objects": "SELECT lo_create(0)",
    "functions of an owner": "SELECT public.write_as_owner()",
}
OBJECTS = (
    "CREATE SEQUENCE public.numbers",
    "CREATE FUNCTION public.write_as_owner() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
    " PERFORM set_config('default_transaction_read_only', 'off', false);"
    " INSERT INTO public._prisma_migrations (id, checksum, migration_name) VALUES ('o', 'c', 'o'); RETURN 'o'; END $$",
    "CREATE FUNCTION public.lift_guard() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
    " PERFORM set_config('transaction_read_only', 'off', false); RETURN public.write_as_owner(); END $$",
)
DROPPED = "DROP SEQUENCE public.numbers; DROP FUNCTION public.write_as_owner(); DROP FUNCTION public.lift_guard()"


@pytest.fixture(scope="module")
def objects(world: World) -> Iterator[World]:
    with world.changed(*OBJECTS, back=DROPPED):
        yield world


@pytest.mark.parametrize("what", [*WRITES, *ONLY_BY_THE_GUARD])
def test_the_session_of_the_suite_refuses(objects: World, what: str) -> None:
    before = objects.master.execute(ROWS).fetchall()
    refused = NO_RIGHT if what == "sequences" else READ_ONLY  # there PostgreSQL looks at the role first
    with pytest.raises(CouldNotCheck, match=refused):
        objects.session.read(({**WRITES, **ONLY_BY_THE_GUARD}[what], ()))
    assert objects.master.execute(ROWS).fetchall() == before


@pytest.mark.parametrize("what", WRITES)
def test_the_role_refuses_by_itself(objects: World, what: str) -> None:
    with objects.unguarded() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege) as error:
        connection.execute(WRITES[what].encode())
    assert error.value.sqlstate == NO_RIGHT


ESCAPES = {
    "several statements": ("ROLLBACK; BEGIN READ WRITE; DELETE FROM public._prisma_migrations; COMMIT", "42601"),
    "a function that lifts the guard": ("SELECT public.lift_guard()", "25001"),
    "a block that writes": ("DO 'BEGIN DELETE FROM public._prisma_migrations; END'", READ_ONLY),
    "a plan that is run": ("EXPLAIN ANALYZE DELETE FROM public._prisma_migrations", READ_ONLY),
    "a file of the server": ("COPY public._prisma_migrations FROM '/etc/passwd'", NO_RIGHT),
    "a program of the server": ("COPY public._prisma_migrations TO PROGRAM 'cat'", NO_RIGHT),
}  # fmt: skip


@pytest.mark.parametrize("how", ESCAPES)
def test_there_is_no_way_around_the_guard(objects: World, how: str) -> None:
    statement, refused = ESCAPES[how]
    before = objects.master.execute(ROWS).fetchall()
    with pytest.raises(CouldNotCheck, match=refused):
        objects.session.read((statement, ()))
    assert objects.master.execute(ROWS).fetchall() == before
    assert len(objects.session.read((ROWS, ()))[0]) == len(before)  # and the session is as it was
    with pytest.raises(CouldNotCheck):  # a refusal gives the locks of that reading back
        objects.session.read((statement, ()))


def test_settings_of_the_role_do_not_reach_the_session(objects: World) -> None:
    """The client's settings stand above those of role and database, also hostile ones."""
    hostile = (
        "CREATE SCHEMA evil",
        "CREATE FUNCTION evil.pg_current_xact_id_if_assigned() RETURNS text LANGUAGE sql AS 'SELECT ''lie'''",
        "CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT timestamptz ''1999-1-1'''",
        "GRANT USAGE ON SCHEMA evil TO PUBLIC",
        f"ALTER ROLE {ROLE} SET default_transaction_read_only = off",
        f"ALTER ROLE {ROLE} SET search_path = evil, pg_catalog, public",
        f"ALTER ROLE {ROLE} SET row_security = on",
        f"ALTER ROLE {ROLE} SET statement_timeout = 0",
        f"ALTER ROLE {ROLE} SET TimeZone = 'Asia/Tokyo'",
        f"ALTER ROLE {ROLE} SET DateStyle = 'German'",
        "ALTER DATABASE postgres SET default_transaction_read_only = off",
    )
    back = f"DROP SCHEMA evil CASCADE; ALTER ROLE {ROLE} RESET ALL; ALTER DATABASE postgres RESET ALL"
    names = ("default_transaction_read_only", "transaction_read_only", "search_path", "row_security",
             "statement_timeout", "TimeZone", "transaction_isolation")  # fmt: skip
    with objects.changed(*hostile, back=back), objects.anew() as read:
        told = read["database"].read(*(("SELECT current_setting(%s)", (name,)) for name in names))
        assert [rows[0][0] for rows in told] == [
            "on",
            "on",
            "pg_catalog,pg_temp",
            "off",
            "5s",
            "UTC",
            "repeatable read",
        ]
        assert read["recorded"].read_at.year > 2000
        (session,) = read["read_only_proof"].sessions
        assert (session.guarded, session.rights) == (True, ())
    objects.master.execute(f"ALTER ROLE {ROLE} SET default_transaction_read_only = on".encode())


def test_a_view_in_the_place_of_the_table_writes_nothing(objects: World) -> None:
    before = objects.master.execute(ROWS).fetchall()
    columns = "id, checksum, finished_at, logs, rolled_back_at, started_at, applied_steps_count"
    changes = (
        "BEGIN",
        "ALTER TABLE public._prisma_migrations RENAME TO away",
        "CREATE OR REPLACE FUNCTION public.lift_guard() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " PERFORM set_config('default_transaction_read_only', 'off', false);"
        " INSERT INTO public.away (id, checksum, migration_name) VALUES ('o', 'c', 'o'); RETURN 'o'; END $$",
        f"CREATE VIEW public._prisma_migrations AS SELECT {columns}, public.lift_guard() AS migration_name FROM away",
        "COMMIT",
    )
    back = "DROP VIEW public._prisma_migrations; ALTER TABLE public.away RENAME TO _prisma_migrations"
    with objects.changed(*changes, back=back), objects.anew() as read:
        with pytest.raises(CouldNotCheck, match="is a view, not a table"):
            read["recorded"]
        assert read["read_only_proof"].sessions[0].guarded
    assert objects.master.execute(ROWS).fetchall() == before


def test_rows_are_not_hidden_from_it_in_silence(world: World) -> None:
    table = "ALTER TABLE public._prisma_migrations"
    with (
        world.changed(f"{table} ENABLE ROW LEVEL SECURITY", back=f"{table} DISABLE ROW LEVEL SECURITY"),
        world.anew() as read,
        pytest.raises(CouldNotCheck, match="row-level security"),
    ):
        read["recorded"]


def test_it_sees_who_holds_the_lock(world: World) -> None:
    rights = "pg_read_all_stats"
    with harness.writing(world.read) as _, world.changed(back="SELECT pg_advisory_unlock_all()"):
        world.master.execute("SELECT pg_advisory_lock(%s::bigint)", (MIGRATE_LOCK,))
        with world.anew() as read:
            holder = read["recorded"].lock_holder
            assert (holder.pid, holder.user) == (world.master.info.backend_pid, "postgres")
            assert holder.backend_start is not None
        with world.changed(f"REVOKE {rights} FROM {ROLE}", back=f"GRANT {rights} TO {ROLE}"), world.anew() as read:
            assert read["recorded"].lock_holder.backend_start is None


RIGHTS = {
    "a right to insert": ("GRANT INSERT ON public._prisma_migrations TO {}",
                          "REVOKE INSERT ON public._prisma_migrations FROM {}",
                          "writes to _prisma_migrations"),
    "a right on another table": ('GRANT DELETE ON public."Entity" TO {}', 'REVOKE DELETE ON public."Entity" FROM {}',
                                 "writes to other tables"),
    "a schema": ("GRANT CREATE ON SCHEMA public TO {}", "REVOKE CREATE ON SCHEMA public FROM {}",
                 "CREATE on schema public"),
    "a role that writes": ("GRANT pg_write_all_data TO {} WITH INHERIT FALSE", "REVOKE pg_write_all_data FROM {}",
                           "member of pg_write_all_data"),
    "a role of a superuser": ("CREATE ROLE strong SUPERUSER; GRANT strong TO {} WITH INHERIT FALSE",
                              "DROP ROLE strong", "superuser"),
    "roles": ("ALTER ROLE {} CREATEROLE", "ALTER ROLE {} NOCREATEROLE", "may make roles"),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHTS)
def test_whoever_could_have_written_is_told_of(world: World, name: str) -> None:
    given, back, told = RIGHTS[name]
    by = world.superuser if told == "superuser" else None  # no master user may give that
    with world.changed(given.format(ROLE), back=back.format(ROLE), by=by), world.anew() as read:
        proof = read["read_only_proof"]
        assert told in proof.sessions[0].rights
        assert f"{ROLE} could have written" in proof.sentence
        assert proof.sessions[0].guarded
