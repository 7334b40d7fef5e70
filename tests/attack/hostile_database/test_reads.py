"""What else reads rows: invariants, rows without a parent, what a fix would take away, the proof, a session's end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from fixtures.clone.pg_dump import dump
from fixtures.clone.servers import local
from fixtures.data.invariants import invariant_answers
from fixtures.data.lost_rows import lost_rows
from fixtures.database.data_session import DataSession
from fixtures.database.login import DatabaseLogin, guard, prologue
from fixtures.database.session import ReadOnlySession, end
from fixtures.history.history import recorded
from fixtures.history.history_rows import MOST_LOGS, MOST_ROWS
from health.data.invariants import Invariant, InvariantResult, parse
from health.finding import CouldNotCheck
from health.prisma.engine import MIGRATE_LOCK, TABLE
from health.schema.losses import Loss
from plugins.run.check_catalog import all_checks
from tests.attack.hostile_database.conftest import DATABASE, LOGINS, Hostile, Login
from tests.support.lineage import environment
from tests.support.load import patience

ENVIRONMENT = environment()
HEAD = "-- title: t\n-- severity: error\n-- reads: T\n{more}-- why: w\n-- fix: f\n"
TABLE_T = "CREATE TABLE {schema}.{name} (id text); INSERT INTO {schema}.{name} VALUES ('a'); "
CAST = (
    "CREATE TYPE {schema}.e AS ENUM ('a'); CREATE FUNCTION {schema}.as_json({schema}.e) RETURNS json LANGUAGE plpgsql"
    " AS $$ BEGIN PERFORM {schema}.strike(1); RETURN '1'; END $$;"
    "CREATE CAST ({schema}.e AS json) WITH FUNCTION {schema}.as_json;"
)
VIEW = TABLE_T.replace("{name}", "held") + (
    'CREATE VIEW {schema}."T" AS SELECT id FROM {schema}.held WHERE {schema}.strike(1) = 1'
)
OTHERS = {
    "a view": (VIEW, '"T" is a view'),
    "an index": (TABLE_T + 'CREATE INDEX i ON {schema}."T" (({schema}.strike(1)))', "index i calls strike()"),
    "a cast to JSON": (
        CAST + 'CREATE TABLE {schema}."T" (id {schema}.e); INSERT INTO {schema}."T" VALUES (\'a\')',
        "a cast of type e calls as_json()",
    ),
    "a cast to JSON of a part": (
        CAST + "CREATE TYPE {schema}.c AS (e {schema}.e); CREATE DOMAIN {schema}.d AS {schema}.c[];"
        'CREATE TABLE {schema}."T" (id {schema}.d); '
        "INSERT INTO {schema}.\"T\" VALUES (ARRAY[ROW('a')::{schema}.c])",
        "a cast of type e calls as_json()",
    ),
}


def invariant(query: str = 'SELECT id FROM "T"', more: str = "") -> Invariant:
    return parse(HEAD.format(more=more) + query, "own.sql", "own")


@contextmanager
def data(session: ReadOnlySession) -> Iterator[DataSession]:
    opened = DataSession(session, 5)
    try:
        yield opened
    finally:
        if opened.opened is not None:
            end(opened.opened)


def made(hostile: Hostile, script: str) -> str:
    return hostile.made(script.replace("{name}", '"T"'))


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("name", OTHERS)
def test_no_code_runs_where_rows_are_asked_for(hostile: Hostile, name: str, login: Login) -> None:
    script, said = OTHERS[name]
    schema = made(hostile, script)
    with data(hostile.session(login)) as session:
        answer = invariant_answers(replace(ENVIRONMENT, schema=schema), session, (invariant(),))["own"]
        assert said in answer.problem
        (clause,) = lost_rows(session, [Loss(schema, "T", None, 'drops table "T"')])
        assert said in clause
        assert hostile.strikes() == 0


def test_a_view_that_a_team_names_is_read_and_no_other_beside_it(hostile: Hostile) -> None:
    schema = hostile.made(VIEW.replace("WHERE {schema}.strike(1) = 1", ""))
    named, other = invariant(more="-- views: T\n"), replace(invariant(), id="other")
    failing = replace(invariant('SELECT gone FROM "T"', more="-- views: T\n"), id="failing")
    asked = (other, named, failing, replace(named, id="again"))
    with data(hostile.session("reader")) as session:
        answers = invariant_answers(replace(ENVIRONMENT, schema=schema), session, asked)
        assert answers["own"] == answers["again"] == InvariantResult(1, ("id a",))
        assert "`views`" in answers["other"].remedy
        assert "gone" in answers["failing"].absent
        if restricts(hostile):
            (told,) = session.read_each([(f'SELECT * FROM {schema}."T"', ())])
            assert isinstance(told, psycopg.Error)
            assert "restricted" in str(told)


def restricts(hostile: Hostile) -> bool:
    with hostile.connect("postgres") as admin:
        rows = admin.execute("SELECT 1 FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'").fetchall()
    return bool(rows)


def test_a_key_that_has_no_end_is_shown_as_it_begins(hostile: Hostile) -> None:
    schema = made(hostile, "CREATE TABLE {schema}.{name} AS SELECT repeat('x', 50000000) AS id")
    with data(hostile.session("reader")) as session:
        (sample,) = invariant_answers(replace(ENVIRONMENT, schema=schema), session, (invariant(),))["own"].samples
        assert len(sample) <= 200


# Sizes

SIZES = {
    "a name": (
        "migration_name = repeat('n', 100000000)",
        "migration_name in a row of _prisma_migrations has more than",
    ),
    "an id": ("id = repeat('n', 1000)", "id in a row of _prisma_migrations has more than"),
    "a checksum": ("checksum = repeat('n', 1000)", "checksum in a row of _prisma_migrations has more than"),
}
WIDE = "ALTER TABLE {schema}.{table} ALTER id TYPE text, ALTER checksum TYPE text, ALTER migration_name TYPE text; "


@pytest.mark.parametrize("name", SIZES)
def test_a_value_larger_than_prismas_is_not_read(hostile: Hostile, name: str) -> None:
    change, said = SIZES[name]
    drop = "ALTER TABLE {schema}.{table} DROP CONSTRAINT _prisma_migrations_pkey; "
    schema = hostile.made(WIDE + drop + "UPDATE {schema}.{table} SET " + change)
    with pytest.raises(CouldNotCheck, match=said):
        recorded(replace(ENVIRONMENT, schema=schema), hostile.session("reader"))


def test_an_error_text_is_read_as_it_begins_and_is_marked(hostile: Hostile) -> None:
    schema = hostile.made("UPDATE {schema}.{table} SET logs = repeat('é', 30000000), finished_at = NULL")
    (row,) = recorded(replace(ENVIRONMENT, schema=schema), hostile.session("reader")).rows
    assert row.logs == "é" * MOST_LOGS
    assert row.cut_from == 60_000_000


def test_more_rows_than_any_history_has_are_not_read(hostile: Hostile) -> None:
    schema = hostile.made(
        "INSERT INTO {schema}.{table} (id, checksum, migration_name) "
        f"SELECT n::text, 'c', 'm' FROM generate_series(2, {MOST_ROWS + 1}) n"
    )
    with pytest.raises(CouldNotCheck, match=f"more than {MOST_ROWS:,} rows"):
        recorded(replace(ENVIRONMENT, schema=schema), hostile.session("reader"))


def test_a_text_that_is_no_utf_8_is_told_in_a_line(hostile: Hostile) -> None:
    hostile.run(
        "postgres", "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'",
        database="postgres",
    )  # fmt: skip
    hostile.run(
        "postgres", f"CREATE TABLE public.{TABLE} (id text, checksum text, finished_at timestamptz,"
        " migration_name text, logs text, rolled_back_at timestamptz, started_at timestamptz, applied_steps_count int)",
        f"INSERT INTO public.{TABLE} VALUES ('1', 'c', NULL, convert_from('\\xff', 'SQL_ASCII'), 'x', NULL, now(), 0)",
        database="ascii",
    )  # fmt: skip
    with (
        hostile.reading("postgres", "public", "ascii") as read,
        pytest.raises(CouldNotCheck, match="invalid byte sequence"),
    ):
        assert read["recorded"]


# Names that our own queries use


def test_no_function_operator_or_table_of_ours_can_be_replaced(hostile: Hostile) -> None:
    """Also where the database puts others before PostgreSQL's own, and a pooler lends a session with temporary ones."""
    names = ("left", "format", "count", "set_config", "current_setting", "version", "json_each_text", "pg_backend_pid")
    impostors = "; ".join(
        f"CREATE FUNCTION public.{name}({types}) RETURNS {gives} LANGUAGE plpgsql AS"
        f" $$ BEGIN PERFORM pg_catalog.pg_advisory_lock(1); RETURN NULL; END $$"
        for name in names
        for types, gives in (("text, int", "text"), ("text, boolean", "text"), ("text, text, boolean", "text"),
                             ("", "text"), ("json", "text"))
    )  # fmt: skip
    operators = "; ".join(
        f"CREATE FUNCTION public.o{number}({left}, {right}) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM"
        f" pg_catalog.pg_advisory_lock(2); RETURN true; END $$; CREATE OPERATOR public.{sign}"
        f" (FUNCTION = public.o{number}, LEFTARG = {left}, RIGHTARG = {right})"
        for number, (sign, left, right) in enumerate(
            (sign, left, right) for sign in ("=", "<>", "~") for left, right in (("text", "text"), ("name", "text"),
                                                                                 ("oid", "oid"), ("name", "name"))
        )
    )  # fmt: skip
    schema = hostile.made()
    hostile.run("postgres", f"ALTER DATABASE {DATABASE} SET search_path = public, pg_catalog", impostors, operators)
    try:
        with hostile.connect("postgres") as connection:
            connection.execute("CREATE TEMP TABLE pg_class AS SELECT * FROM pg_catalog.pg_class")
            connection.execute("CREATE TEMP TABLE pg_namespace AS TABLE pg_catalog.pg_namespace LIMIT 0")
            connection.execute("CREATE TEMP TABLE pg_locks AS TABLE pg_catalog.pg_locks LIMIT 0")
            connection.autocommit = False
            guard(connection)
            session = ReadOnlySession(connection, prologue=prologue(ENVIRONMENT.limits))
            (row,) = recorded(replace(ENVIRONMENT, schema=schema), session).rows
            assert row.migration_name == "20260101000000_one"
        with hostile.reading("reader", schema) as read:
            assert read["recorded"].rows == (row,)
            assert TABLE in read["catalog"].tables
            assert read["read_only_proof"].sessions[0].guarded
            assert hostile.strikes() == 0
    finally:
        hostile.run("postgres", f"ALTER DATABASE {DATABASE} RESET search_path")


def test_pg_dump_runs_no_code_of_the_database(hostile: Hostile) -> None:
    schema = hostile.made(
        "CREATE VIEW {schema}.v AS SELECT {schema}.strike(1)",
        "CREATE INDEX i ON {schema}.{table} (({schema}.strike(1)))",
        "CREATE TABLE {schema}.p (x int) PARTITION BY RANGE ((x + {schema}.strike(1)))",
        "CREATE TABLE {schema}.q PARTITION OF {schema}.p DEFAULT",
        "CREATE MATERIALIZED VIEW {schema}.m AS SELECT {schema}.strike(1) WITH NO DATA",
        "ALTER TABLE {schema}.{table} ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON {schema}.{table} USING"
        " ({schema}.strike(1) = 1)",
    )  # fmt: skip
    programs = next(each for each in local.dumpers() if each.major >= hostile.major)
    login = DatabaseLogin("127.0.0.1", hostile.port, "postgres", hostile.password, DATABASE)
    with hostile.connect("postgres") as admin:
        admin.execute("SELECT pg_advisory_lock(%s::bigint)", (MIGRATE_LOCK,))  # who strikes now waits, and does not end
        assert "strike(1)" in dump(Path(programs.place), login, schema)


# What happens all the same is told


def test_a_lock_that_a_session_of_ours_holds_is_told_and_is_no_migration(hostile: Hostile) -> None:
    if hostile.major < 17:
        pytest.skip("there are event triggers at the login from PostgreSQL 17 on")
    schema = hostile.made()
    hostile.run(
        "postgres", "CREATE FUNCTION public.at_login() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF current_setting('application_name') = 'migration-health' THEN PERFORM pg_advisory_lock(72707369);"
        " PERFORM set_config('search_path', 'public', false); PERFORM set_config('row_security', 'on', false);"
        " PERFORM set_config('default_transaction_read_only', 'off', false); END IF; END $$",
        "CREATE EVENT TRIGGER e ON login EXECUTE FUNCTION public.at_login()",
    )  # fmt: skip
    try:
        with hostile.reading("reader", schema) as read:
            assert read["recorded"].lock_holder is None
            (((search, rows),),) = read["database"].read(
                ("SELECT current_setting('search_path'), current_setting('row_security')", ())
            )
            assert (search, rows) == ("pg_catalog,pg_temp", "off")
            proof = read["read_only_proof"]
            assert proof.sessions[0].guarded
            assert "held the advisory lock 72707369" in proof.sentence
            (found,) = all_checks()["nothing-written"].judge(read)
            assert found.code == "session-held-lock"
    finally:
        hostile.run("postgres", "DROP EVENT TRIGGER e")


@pytest.mark.parametrize("how", ["answers no more", "is ended by the run"])
def test_a_backend_does_not_outlive_its_session(hostile: Hostile, how: str) -> None:
    """Code that catches the server's own limit, and switches off that it looks for its client."""
    schema = hostile.made(
        "CREATE FUNCTION {schema}.stay() RETURNS void LANGUAGE plpgsql AS $$ BEGIN"
        " IF current_setting('client_connection_check_interval', true) IS NOT NULL THEN"
        " PERFORM set_config('client_connection_check_interval', '0', false); END IF;"
        " LOOP BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"
    )
    with hostile.reading("reader", schema, limits={"database_s": 1 if how == "answers no more" else 60}) as read:
        session = read["database"]
        pid = session.connection.info.backend_pid
        if how == "answers no more":
            with pytest.raises(CouldNotCheck, match="did not finish its answer within") as error:
                session.read((f"SELECT {schema}.stay()", ()))
            assert "may still be at it" not in str(error.value)
        else:
            asking = threading.Thread(target=ask, args=(session, schema), daemon=True)
            asking.start()
            wait_for(hostile, pid, 1)
    wait_for(hostile, pid, 0)


def ask(session: ReadOnlySession, schema: str) -> None:
    with suppress(CouldNotCheck):
        session.read((f"SELECT {schema}.stay()", ()))


def wait_for(hostile: Hostile, pid: int, running: int) -> None:
    """Wait until a session is at work, or gone."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND (state = 'active' OR 0 = %s)"
    until = time.monotonic() + patience(20)
    with hostile.connect("postgres") as admin:
        while (seen := admin.execute(count, (pid, running)).fetchone()) != (running,):
            assert time.monotonic() < until, "the server is still at it"
            time.sleep(0.1)
    assert seen == (running,)
