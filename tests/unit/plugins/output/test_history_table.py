"""The table of a history, in a real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from fixtures.clone.server import CloneServer
from health.report.history_lines import HistoryError
from health.secrets.secret import hide
from plugins.output.history_table import TABLE, HistoryTable, resolve
from tests.support.clone_servers import listening, started
from tests.support.nights import kept, night

PASSWORD = "keeps-the/nights"


@pytest.fixture(scope="module")
def server() -> Iterator[CloneServer]:
    with started(listening) as made:
        yield made


@pytest.fixture
def admin(server: CloneServer) -> Iterator[psycopg.Connection]:
    """The administrator of a server on which a role without further rights owns a schema."""
    with server._connect("postgres", "postgres") as connection:
        connection.execute(f"CREATE ROLE keeper LOGIN PASSWORD '{PASSWORD}'".encode())
        connection.execute("CREATE SCHEMA nights AUTHORIZATION keeper")
        yield connection
        connection.execute("DROP SCHEMA nights CASCADE")
        connection.execute("DROP OWNED BY keeper")
        connection.execute("DROP ROLE keeper")


@pytest.fixture
def history(admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> HistoryTable:
    monkeypatch.setenv("NIGHTS_PASSWORD", "keeps-the%2Fnights")
    place = f"127.0.0.1:{admin.info.port}/postgres?schema=nights"
    return HistoryTable(resolve(f"postgresql://keeper:${{NIGHTS_PASSWORD}}@{place}"))


def test_nights_are_kept_in_a_table_of_ours(history: HistoryTable, admin: psycopg.Connection) -> None:
    assert history.read().runs == ()
    runs = [night(number, [kept("failed:a'); DROP TABLE x; -- \\ud800\x01")]) for number in range(5)]
    for run in [night(0, name="old"), *runs]:
        history.append(run, 2)
    assert history.read().runs == (night(0, name="old"), *runs[-2:])
    rows = admin.execute(f"SELECT environment, night ->> 'tool' FROM nights.{TABLE}".encode()).fetchall()
    assert rows == [("old", "migration-health"), ("prod", "migration-health"), ("prod", "migration-health")]
    assert hide(f"it is {PASSWORD}.") == "it is ***."


def test_two_writers_at_once_make_one_table_and_lose_nothing(history: HistoryTable) -> None:
    failed = []

    def write(name: str) -> None:
        try:
            for number in range(10):
                history.append(night(number, name=name), 400)
        except Exception as error:  # noqa: BLE001 - told by the assertion
            failed.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("prod", "dev")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(run.nights[0].environment for run in history.read().runs) == ["dev"] * 10 + ["prod"] * 10


@pytest.mark.parametrize(
    ("table", "said"),
    [("CREATE TABLE {} (a int)", "not ours"), ("CREATE VIEW {} AS SELECT 1 AS id", "not ours")],
)
def test_a_table_of_another_tool_is_not_touched(
    history: HistoryTable, admin: psycopg.Connection, table: str, said: str
) -> None:
    admin.execute(table.format(f"nights.{TABLE}").encode())
    for use in (history.read, lambda: history.append(night(0), 1)):
        with pytest.raises(HistoryError, match=said):
            use()


def test_without_a_right_nothing_is_kept_and_no_password_is_shown(
    history: HistoryTable, admin: psycopg.Connection
) -> None:
    admin.execute("ALTER SCHEMA nights OWNER TO CURRENT_USER")
    with pytest.raises(HistoryError, match="permission denied for schema nights") as raised:
        history.read()
    assert PASSWORD not in str(raised.value)


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HistoryError, match=r"migration_health_nights at 127.0.0.1:1/x: .*Check the URL"):
        HistoryTable(resolve("postgresql://a:secret-word@127.0.0.1:1/x")).read()
    monkeypatch.delenv("NO_SUCH", raising=False)
    with pytest.raises(HistoryError, match="NO_SUCH is not set"):
        resolve("postgresql://a:${NO_SUCH}@h/x")
