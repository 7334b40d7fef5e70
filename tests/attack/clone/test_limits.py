"""Foreign SQL that takes what there is: the disk in every way, memory here and there, time in our own statements."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator

import pytest

import fixtures.clone.database
import fixtures.clone.disk_use
import fixtures.clone.script_limits
from fixtures.clone.deploy import deploy
from fixtures.clone.server import CloneDatabase, CloneError, CloneServer
from health.migrations.directory import Migration
from health.sql.failure import SqlFailure
from tests.support.load import patience

ROOM = 40_000_000  # bytes that a script has in these tests
BESIDE, DATABASE = "it made the server keep more than", "it made the database larger than"
TIME = "it ran for longer than"  # the server keeps that small by itself
FOREVER = "SET statement_timeout = 0; SET lock_timeout = 0; SET work_mem = '64kB'; LISTEN a; "


def loop(statement: str, declared: str = "") -> str:
    return f"DO $$ {declared} BEGIN LOOP {statement}; END LOOP; END $$"


FILLS = {
    "WAL": (loop("PERFORM pg_logical_emit_message(false, 'a', repeat(repeat('x', 1000000), 50))"), TIME),
    "WAL of what is rolled back": (
        loop("BEGIN CREATE TABLE a AS SELECT repeat('x', 100) FROM generate_series(1, 50000); RAISE 'no'; "
             "EXCEPTION WHEN raise_exception THEN NULL; END"),
        TIME,
    ),
    "snapshots": (f"BEGIN ISOLATION LEVEL REPEATABLE READ; {loop('PERFORM pg_export_snapshot()')}", BESIDE),
    "temporary files": (
        "SELECT count(*) FROM (SELECT md5(i::text) FROM "
        "generate_series(1, 100000000) i ORDER BY 1) s",
        BESIDE,
    ),
    "large objects": (
        loop("PERFORM lo_from_bytea(0, convert_to(repeat(md5(random()::text), 30000), 'UTF8'))"), DATABASE
    ),
    "temporary tables": (
        loop("EXECUTE format('CREATE TEMP TABLE t%s AS SELECT repeat(''x'', 1000) FROM generate_series(1, 5000)', n); "
             "n := n + 1; COMMIT", "DECLARE n int := 0;"), DATABASE,
    ),
    "notifications": (loop("PERFORM pg_notify('a', repeat('x', 7900)); COMMIT"), BESIDE),
}  # fmt: skip


@pytest.fixture
def tight(older: CloneServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloneDatabase]:
    """A database of the older server, with little room."""
    monkeypatch.setattr(fixtures.clone.database, "_SCRIPT_S", patience(60))
    monkeypatch.setattr(fixtures.clone.database, "_MOST_BYTES", ROOM)
    with older.database("fills") as copy:
        now = fixtures.clone.disk_use._value(older._sessions.guard(), fixtures.clone.disk_use._BESIDE)
        most = max(now, 128_000_000) + ROOM  # WAL may be as large as it is kept
        monkeypatch.setattr(fixtures.clone.disk_use, "_MOST_BESIDE", most)
        yield copy


@pytest.mark.parametrize("name", FILLS)
def test_whatever_fills_the_disk_is_ended(tight: CloneDatabase, name: str) -> None:
    script, said = FILLS[name]
    assert tight.run(FOREVER) is None
    failure = tight.run(script, 2 if said is TIME else None)
    assert failure is not None
    assert failure.limit, failure
    assert said in failure.message


def test_notifications_that_nobody_takes_are_few_since_17(server: CloneServer, copy: CloneDatabase) -> None:
    assert copy.run("SET statement_timeout = 0") is None
    with server._connect("postgres", copy.name) as idle:
        idle.execute("LISTEN a")
        idle.execute("BEGIN")
        failure = copy.run(FILLS["notifications"][0])
    assert failure is not None
    assert (failure.message, failure.limit) == ("too many notifications in the NOTIFY queue", True)
    assert copy.run("SELECT 1") is None


def test_of_a_users_server_the_notifications_are_watched(users: CloneServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixtures.clone.disk_use, "_MOST_BESIDE", ROOM)
    with users.database("notifies") as copy:
        assert copy.run(FOREVER) is None
        failure = copy.run(FILLS["notifications"][0])
    assert failure is not None
    assert failure.limit
    assert BESIDE in failure.message


RETURNS = {
    "a row": "SELECT repeat(repeat('x', 1000000), 400)",
    "a row of many columns": f"SELECT {', '.join(['repeat(repeat($$x$$, 1000000), 45)'] * 9)}",
    "a notice": "DO $$ BEGIN RAISE NOTICE '%', repeat(repeat('x', 1000000), 400); END $$",
    "an error": "DO $$ BEGIN RAISE '%', repeat(repeat('x', 1000000), 400); END $$",
    "endless notices": loop("RAISE NOTICE '%', repeat(repeat('x', 1000), 1000)"),
}


@pytest.mark.parametrize("name", RETURNS)
def test_what_a_script_returns_does_not_fill_our_memory(
    server: CloneServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fixtures.clone.script_limits, "_MOST_RECEIVED", 4_000_000)
    monkeypatch.setattr(fixtures.clone.database, "_SCRIPT_S", patience(60))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with server.database("returns") as copy:
        assert copy.run("SET statement_timeout = 0") is None
        failure = copy.run(RETURNS[name])
        assert failure is not None
        assert failure.limit
        assert "more than 4 MB" in failure.message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


FITS = {
    "rows": "SELECT repeat('x', 1000000) FROM generate_series(1, 200)",
    "small rows": "SELECT repeat('x', 1000) FROM generate_series(1, 100000)",
    "notices": "DO $$ BEGIN FOR i IN 1..3000 LOOP RAISE NOTICE '%', repeat('x', 1000); END LOOP; END $$",
    "large notices": "DO $$ BEGIN FOR i IN 1..3 LOOP RAISE NOTICE '%', repeat('x', 1000000); END LOOP; END $$",
}


@pytest.mark.parametrize("name", FITS)
def test_what_fits_is_not_refused(server: CloneServer, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixtures.clone.script_limits, "_MOST_RECEIVED", 4_000_000)
    with server.database("returns") as copy:
        assert copy.run(FITS[name]) is None


TAKES = {
    "a text": "SELECT length(string_agg(repeat(repeat('x', 1000000), 100), '')) FROM generate_series(1, 30)",
    "an array": "DO $$ DECLARE a text[]; BEGIN LOOP a := a || repeat(repeat('x', 1000000), 50); END LOOP; END $$",
    "a sort in memory": "SET work_mem = '2000000kB'; SELECT count(*) FROM (SELECT md5(i::text) FROM "
    "generate_series(1, 60000000) i ORDER BY 1) s",
}


@pytest.mark.parametrize("name", TAKES)
def test_the_servers_memory_is_limited(copy: CloneDatabase, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixtures.clone.database, "_SCRIPT_S", 2.0)
    failure = copy.run(TAKES[name])
    assert failure is not None
    assert failure.limit or failure.sqlstate == "54000"  # out of memory, of time, or of what PostgreSQL itself has
    assert copy.read(("SELECT 1", ())) == [[(1,)]]


def test_a_recursion_ends(copy: CloneDatabase) -> None:
    assert copy.run("CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN f($1 + 1); END'") is None
    failure = copy.run("SELECT f(1)")
    assert failure is not None
    assert failure.sqlstate == "54001"


CATCHES = (
    "CREATE FUNCTION stay() RETURNS {} LANGUAGE plpgsql AS $$ BEGIN LOOP BEGIN PERFORM pg_sleep(9); "
    "EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;"
)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixtures.clone.database, "_SCRIPT_S", 1.0)
    monkeypatch.setattr(fixtures.clone.script_limits, "_CANCELLED_S", 0.3)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("when", ["INSERT", "UPDATE"])
def test_a_trigger_that_stays_in_our_own_statement_is_ended(copy: CloneDatabase, when: str) -> None:
    trap = (
        f"{CATCHES.format('trigger')} SET statement_timeout = 0; CREATE TRIGGER stays BEFORE {when} ON "
        "_prisma_migrations FOR EACH ROW EXECUTE FUNCTION stay();"
    )
    coming = [Migration(name, sql, "a") for name, sql in (("1", trap), ("2", "SELECT 1"))]
    stop = deploy(copy, coming, lambda migration: [migration.sql or ""], time.monotonic() + 30)
    assert stop is not None
    assert stop.failure is not None
    assert stop.failure.limit


@pytest.mark.usefixtures("hasty")
def test_a_view_that_stays_is_read_no_longer_than_any(server: CloneServer) -> None:
    with server.database("stays") as copy:
        made = f"{CATCHES.format('int')} CREATE VIEW v AS SELECT stay() AS a;"
        assert copy.run(made) is None
        copy.session.limit_s = 1
        with pytest.raises(CloneError):
            copy.read(("SELECT a FROM public.v", ()))
    left = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    assert server._keeper.execute(left, (copy.name,)).fetchone() == (0,)


@pytest.mark.usefixtures("hasty")
def test_a_role_that_a_script_holds_is_no_escape_from_its_limits(server: CloneServer) -> None:
    """Whoever makes another database waits for the role's row, and the watch must not wait with it."""
    failures: list[SqlFailure | None] = []
    with server.database("holds") as copy:
        script = f"BEGIN; {FOREVER} ALTER ROLE migrator PASSWORD 'mine'; {loop('PERFORM pg_sleep(0.01)')}"
        holding = threading.Thread(target=lambda: failures.append(copy.run(script)), daemon=True)
        holding.start()
        time.sleep(0.3)
        with server.database("waits") as other:
            assert other.run("SELECT 1") is None
        holding.join(patience(30))
        assert not holding.is_alive()
    (failure,) = failures
    assert failure is not None
    assert failure.limit
