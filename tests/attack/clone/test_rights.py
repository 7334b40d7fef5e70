"""What foreign SQL may not do on a clone: each is refused, whether or not it stands in a transaction."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.clone.server import CloneDatabase, CloneServer

# By what they reach for; {} is a path that must not come to be.
REACHES = {
    "programs": (
        "COPY (SELECT 1) TO PROGRAM 'touch {}'",
        "CREATE TABLE p (a text); COPY p FROM PROGRAM 'touch {}; echo 1'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc.so.6', 'system'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'pg_reload_conf'",
        "LOAD '/usr/lib/libc.so.6'",
        "CREATE LANGUAGE plpython3u",
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION file_fdw",
        "CREATE EXTENSION adminpack",
    ),
    "files": (
        "COPY (SELECT 1) TO '{}'",
        "CREATE TABLE p (a text); COPY p FROM '/etc/passwd'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT pg_read_binary_file('PG_VERSION')",
        "SELECT pg_ls_dir('.')",
        "SELECT pg_stat_file('PG_VERSION')",
        "SELECT pg_ls_waldir()",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(lo_from_bytea(0, 'a'), '{}')",
        "SELECT pg_current_logfile()",
        "CREATE TABLESPACE t LOCATION '{}'",
        "SELECT * FROM pg_hba_file_rules",
        "SELECT pg_export_snapshot(); SELECT pg_import_system_collations('public')",
    ),
    "the network": (
        "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 dbname=postgres' PUBLICATION p",
        "SELECT pg_create_physical_replication_slot('s')",
        "SELECT pg_create_logical_replication_slot('s', 'pgoutput')",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "CREATE FOREIGN DATA WRAPPER w",
    ),
    "the server": (
        "CREATE DATABASE other",
        "ALTER DATABASE postgres SET work_mem = '1GB'",
        "ALTER DATABASE template1 IS_TEMPLATE false",
        "DROP DATABASE postgres",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "SELECT pg_reload_conf()",
        "SELECT pg_switch_wal()",
        "SELECT pg_create_restore_point('a')",
        "SELECT pg_stat_reset_shared('wal')",
        "CHECKPOINT",
        "BEGIN; CREATE TABLE p (a int); PREPARE TRANSACTION 'a'",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    ),
    "roles": (
        "CREATE ROLE other",
        "ALTER ROLE migrator SUPERUSER",
        "ALTER ROLE migrator CREATEDB CREATEROLE",
        "ALTER ROLE migrator LOGIN CONNECTION LIMIT -1",
        "ALTER ROLE migrator RENAME TO other",
        "ALTER ROLE reader PASSWORD 'mine'",
        "ALTER ROLE reader SET search_path = public",
        "ALTER ROLE postgres PASSWORD 'mine'",
        "ALTER ROLE ALL SET search_path = public",
        "SET SESSION AUTHORIZATION postgres",
        "SET SESSION AUTHORIZATION reader",
        "SET ROLE postgres",
        "SET ROLE reader",
        "SET ROLE pg_execute_server_program",
        "RESET SESSION AUTHORIZATION; RESET ROLE; SET ROLE postgres",
        "SELECT set_config('role', 'postgres', false)",
        "SELECT set_config('session_authorization', 'postgres', false)",
        "GRANT postgres TO migrator",
        "GRANT reader TO migrator",
        "GRANT pg_read_server_files TO migrator",
        "SELECT rolpassword FROM pg_authid",
    ),
    "guards": (
        "SET temp_file_limit = -1",
        "SELECT set_config('temp_file_limit', '-1', false)",
        "ALTER ROLE migrator SET temp_file_limit = -1",
        "SET session_replication_role = replica",
        "SET log_min_messages = debug5",
        "SET max_notify_queue_pages = 1000000",
        "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; "
        "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e()",
        "CREATE FUNCTION pg_catalog.now(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE pg_catalog.pg_mine (a int)",
        "CREATE OPERATOR pg_catalog.= (LEFTARG = name, RIGHTARG = text, FUNCTION = nameeqtext)",
        "CREATE CAST (name AS int) WITH INOUT AS IMPLICIT",
        "UPDATE pg_catalog.pg_proc SET prosrc = 'x' WHERE proname = 'now'",
        "DELETE FROM pg_catalog.pg_class",
        "ALTER FUNCTION pg_catalog.now() RENAME TO earlier",
        "ALTER SCHEMA pg_catalog RENAME TO mine",
        "SET allow_system_table_mods = on",
    ),
}
# 42501 right, 0A000 and 58P01 no such thing here, 55000 and 25001 not now, 55P02 at the start only, 42704 no such
# thing, 42P17 and 42939 reserved
REFUSED = {"42501", "0A000", "58P01", "55000", "55P02", "42704", "25001", "42P17", "42939", "0LP01", "42602", "25P01"}


@pytest.mark.parametrize("what", REACHES)
def test_what_reaches_out_is_refused(server: CloneServer, copy: CloneDatabase, tmp_path: Path, what: str) -> None:
    target = tmp_path / "touched"
    tmp_path.chmod(0o777)
    names = {name for (name,) in server._keeper.execute("SELECT datname FROM pg_database")}
    for script in REACHES[what]:
        for form in (script, f"BEGIN; {script}; COMMIT", f"ROLLBACK; DISCARD ALL; {script}"):
            copy.begin()
            said = copy.run(form.replace("{}", str(target)))
            assert said is not None, form
            assert said.sqlstate in REFUSED, (form, said)
    assert not target.exists()
    assert {name for (name,) in server._keeper.execute("SELECT datname FROM pg_database")} == names
    assert copy.run("SELECT 1") is None
    rights = (
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s"
    )
    assert server._keeper.execute(rights, (server.script_roles[0],)).fetchone() == (False,) * 5
