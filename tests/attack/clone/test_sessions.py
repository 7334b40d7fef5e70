"""Who may enter a clone's server, and what a script leaves for the sessions that come after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from fixtures.clone.pg_dump import dump
from fixtures.clone.schema_dump import _programs
from fixtures.clone.server import CloneDatabase, CloneError, CloneServer
from fixtures.clone.servers import local
from tests.support.clone_servers import started
from tests.support.privileges import as_another_user


def test_the_server_of_the_runs_own_listens_to_this_user_alone(server: CloneServer) -> None:
    directory = Path(server._start().host)
    assert directory.is_absolute()
    assert directory.stat().st_mode & 0o777 == 0o700
    assert server._keeper.execute("SHOW listen_addresses").fetchone() == ("",)
    (pid,) = [file.read_text().split("\n", 1)[0] for file in directory.parent.glob("*/postmaster.pid")]
    if sys.platform == "linux":
        sockets = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
        devices = [line.split(":")[0].strip() for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]]
        assert not sockets or devices != ["lo"]
        assert devices == ["lo"], "it has a network; is util-linux' unshare installed?"


def test_another_user_does_not_reach_it(server: CloneServer) -> None:
    running = server._start()
    tried = (
        "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ntry:\n    s.connect(sys.argv[1])\n"
        "except PermissionError:\n    print('refused')\n"
    )
    system = Path("/usr/bin/python3")  # another user may not reach ours
    python = str(system) if system.exists() else sys.executable
    command = as_another_user([python, "-I", "-c", tried, f"{running.host}/.s.PGSQL.{running.port}"])
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd="/")
    assert done.stdout == "refused\n", done.stderr


def test_a_password_of_a_scripts_own_opens_no_session_over_the_network(users: CloneServer) -> None:
    owner, running = users.script_roles[0], users._start()
    with users.database("mine") as copy:
        assert copy.run(f"ALTER ROLE {owner} PASSWORD 'mine'") is None
        for database in (copy.name, "postgres"):
            with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
                psycopg.connect(
                    host=running.host, port=running.port, user=owner, password="mine", dbname=database
                )  # fmt: skip
        refused = copy.run(f"ALTER ROLE {owner} LOGIN")
        assert refused is not None
        assert refused.sqlstate == "42501"
    with users.database("next") as copy:
        assert copy.run("CREATE TABLE a (b int)") is None


def test_a_transaction_that_was_prepared_goes_with_its_database(users: CloneServer) -> None:
    with users.database("prepares") as copy:
        assert copy.run("BEGIN; CREATE TABLE a (b int); PREPARE TRANSACTION 'stays'") is None
        assert copy.run(f'ALTER DATABASE "{copy.name}" CONNECTION LIMIT 0') is None
    for query in (
        "SELECT count(*) FROM pg_prepared_xacts",
        f"SELECT count(*) FROM pg_database WHERE datname = '{copy.name}'",
    ):
        assert users._keeper.execute(query.encode()).fetchone() == (0,)


def test_members_that_a_role_takes_are_members_no_longer() -> None:
    """Before version 16 a role is its own administrator."""
    offers = [each for each in local.installations() if each.major < 16]
    if not offers:
        pytest.skip("there is no PostgreSQL before 16 here")
    with started(lambda owned: (local.start(offers[0], owned), "old")) as old:
        old._keeper.execute("CREATE ROLE other")
        with old.database("grants") as copy:
            copy.run("GRANT migrator TO other")
        with old.database("next"):
            query = "SELECT pg_has_role('other', 'migrator', 'MEMBER')"
            assert old._keeper.execute(query).fetchone() == (False,)


SETS = (
    "default_transaction_read_only = on", "statement_timeout = 1", "lock_timeout = 1", "role = 'migrator'",
    "local_preload_libraries = 'nothing'", "standard_conforming_strings = off", "quote_all_identifiers = on",
    "search_path = public", "client_encoding = 'SQL_ASCII'", "bytea_output = 'escape'", "row_security = off",
)  # fmt: skip


@pytest.mark.parametrize("of", ["DATABASE {}", "ROLE migrator IN DATABASE {}"])
def test_settings_of_a_script_hold_for_none_of_our_sessions(server: CloneServer, of: str) -> None:
    programs = _programs(server.major)
    assert programs is not None
    with server.database("sets") as copy:
        assert copy.run('CREATE TABLE "T" (a int); CREATE INDEX i ON "T" (a)') is None
        before, text = copy.fingerprint(), dump(programs, server.login(copy))
        for each in SETS:
            assert copy.run(f"ALTER {of.format(chr(34) + copy.name + chr(34))} SET {each}") is None
        with server.administering(copy) as admin:
            assert admin is not None
            assert admin.execute("SELECT current_user, current_setting('search_path')").fetchone() == (
                "postgres", "pg_catalog"
            )  # fmt: skip
        assert dump(programs, server.login(copy)) == text
        server.extend(copy, "vector", "public")
        assert server.invalidate(copy, "i")
        assert copy.fingerprint() != before  # the extension, the index
        with server.loading(copy) as loader:
            assert loader.execute("SHOW session_replication_role").fetchone() == ("replica",)


IMPOSTORS = """
CREATE FUNCTION public.stolen() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE 'ours was called'; END $$;
CREATE FUNCTION public.format(text, text, text) RETURNS text LANGUAGE sql AS 'SELECT public.stolen()::text';
CREATE FUNCTION public.pg_get_expr(pg_node_tree, oid) RETURNS text LANGUAGE sql AS 'SELECT public.stolen()::text';
CREATE FUNCTION public.pg_get_indexdef(oid) RETURNS text LANGUAGE sql AS 'SELECT public.stolen()::text';
CREATE FUNCTION public.same(name, name) RETURNS bool LANGUAGE sql AS 'SELECT public.stolen()';
CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = name, FUNCTION = public.same);
CREATE FUNCTION public.same(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT public.stolen()';
CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = public.same);
CREATE TABLE public.pg_class (a int); CREATE VIEW public.pg_namespace AS SELECT public.stolen() AS a;
SET search_path = public, pg_catalog;
"""


def test_impostors_are_not_called_by_our_readings(server: CloneServer, copy: CloneDatabase) -> None:
    assert copy.run('CREATE TABLE "T" (a int DEFAULT 1, CHECK (a > 0)); CREATE INDEX i ON "T" (a)') is None
    before = copy.catalog().objects
    assert copy.run(IMPOSTORS) is None
    assert before.items() <= dict(copy.catalog().objects).items()
    assert copy.fingerprint()
    with server.administering(copy) as admin:
        assert admin is not None
        assert server.invalidate(copy, "i")
    copy.begin()
    assert copy.run("SELECT 1") is None


def test_what_a_view_calls_cannot_write_as_who_reads(server: CloneServer, copy: CloneDatabase) -> None:
    """Who reads has the rights of all owners of the environment, more than a script."""
    server._keeper.execute("DROP ROLE IF EXISTS owns; CREATE ROLE owns; GRANT owns TO reader")
    with server.administering(copy) as admin:
        assert admin is not None
        admin.execute("CREATE TABLE public.kept (a int); ALTER TABLE public.kept OWNER TO owns")
    made = (
        "CREATE FUNCTION f(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE $1; RETURN 1; END $$;"
        "CREATE VIEW v AS SELECT f('SET default_transaction_read_only = off') AS a;"
        "CREATE VIEW w AS SELECT f('DROP TABLE public.kept') AS a;"
        "CREATE VIEW x AS SELECT f('ALTER ROLE reader PASSWORD ''mine''') AS a;"
        "CREATE VIEW y AS SELECT f('SET transaction_read_only = off') AS a;"
    )
    assert copy.run(made) is None
    assert copy.read(("SELECT a FROM public.v", ())) == [[(1,)]]
    for name in "wxy":
        with pytest.raises(CloneError, match=r"25006|25001|read-write"):
            copy.read((f"SELECT a FROM public.{name}", ()))
    assert copy.read(("SELECT to_regclass('public.kept') IS NOT NULL", ())) == [[(True,)]]


def test_another_rehearsals_database_is_never_taken_for_what_it_was(server: CloneServer) -> None:
    """A script owns all databases of its server: it may drop them, and then there is none."""
    with server.database("environment") as kept:
        assert kept.run('CREATE TABLE "T" (a int)') is None
        kept.close()
        with server.database("drops") as copy:
            copy.run_apart(f'DROP DATABASE "{kept.name}"')
            copy.run(f'ALTER DATABASE "{kept.name}" SET search_path = nowhere')
        with pytest.raises(CloneError, match="does not exist"), server.database("next", kept.name):
            pass
