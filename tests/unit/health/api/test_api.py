"""What API Gateway's routes and S3's records mean, and the API's word against the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from health.api.agreement import agrees, layer_is_behind, meant
from health.api.routes import Routes, api_id, routes_of
from health.api.status import ApiStatus, State, classify
from health.history.history import History
from health.history.rows import HistoryTable, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.runs.recorded import FriggRun, FriggRuns, run_of

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CATCH_ALL = Routes(unknown="a route for every path leads somewhere, and does not tell what is served there")
PLAIN = ["POST /db-migrate", "GET /db-migrate/status", "GET /db-migrate/{processId}"]


@pytest.mark.parametrize(
    ("keys", "routes"),
    [
        (PLAIN, Routes()),
        ([], Routes()),
        ([*PLAIN, "POST /db-migrate/resolve"], Routes("/db-migrate/resolve")),
        (["POST /admin/db-migrate/resolve"], Routes("/admin/db-migrate/resolve")),
        (["ANY /admin/db-migrate/{proxy+}"], Routes("/admin/db-migrate/resolve")),
        (["POST /db-migrate/{processId}"], Routes("/db-migrate/resolve")),
        (["GET /db-migrate/resolve", "POST /db-migrate/resolve/{id}", "POST /other/{proxy+}"], Routes()),
        (["POST /db-migrateXresolve", "POST /db-migrate/(.*)", "", "nonsense"], Routes()),
        (["$default"], CATCH_ALL),
        ([*PLAIN, "ANY /{proxy+}"], CATCH_ALL),
        (["ANY /{proxy+}", "POST /db-migrate/resolve"], Routes("/db-migrate/resolve")),
    ],
)
def test_routes(keys: list[str], routes: Routes) -> None:
    assert routes_of(keys) == routes


@pytest.mark.parametrize(
    ("url", "given", "expected"),
    [
        ("https://qj27h2.execute-api.us-east-1.amazonaws.com", None, "qj27h2"),
        ("https://qj27h2.execute-api.us-east-1.amazonaws.com", "other", "qj27h2"),
        ("https://api.example.com", None, None),
        ("https://api.example.com", "own", "own"),
        ("https://evil.example/x.execute-api.us-east-1.amazonaws.com", None, None),
    ],
)
def test_the_id_of_an_api(url: str, given: str | None, expected: str | None) -> None:
    assert api_id(url, given) == expected


# Runs


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        '"x"',
        "{}",
        '{"migrationId": 1, "state": "RUNNING"}',
        '{"migrationId": "", "state": "RUNNING"}',
        '{"migrationId": "a", "state": ["RUNNING"]}',
        '{"migrationId": "a"}',
        "[" * 100_000,
        "\ufffd",
        '{"state": "RUNNING", "migrationId": {"a": "b"}}',
    ],
)
def test_what_is_no_record_is_no_run(text: str) -> None:
    assert run_of(text, NOW) is None


@pytest.mark.parametrize("time", ["null", "17", '"soon"', '"9999-99-99"', "[]", '"0001-01-01T00:00:00+23:59"'])
def test_a_time_that_cannot_be_read_is_that_of_the_object(time: str) -> None:
    run = run_of(f'{{"migrationId": "a", "state": "RUNNING", "updatedAt": {time}}}', NOW)
    assert run is not None
    assert run.updated_at == NOW


def test_a_record_is_shown_harmlessly() -> None:
    run = run_of('{"migrationId": "a\\u001b[31m\\n::error::", "state": "RUN\\u202eNING", "stage": {"x": 1}}', NOW)
    assert run is not None
    shown = run.id + run.state + run.stage
    assert shown.isascii()
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("state", "age", "stuck"),
    [
        ("RUNNING", timedelta(seconds=899), False),
        ("RUNNING", timedelta(seconds=901), True),
        ("INITIALIZING", timedelta(hours=1), True),
        ("INITIALIZING", timedelta(days=15), False),  # SQS has dropped the job
        ("RUNNING", timedelta(days=-1), False),
        ("COMPLETED", timedelta(hours=1), False),
        ("FAILED", timedelta(hours=1), False),
        ("SOMETHING", timedelta(hours=1), False),
    ],
)
def test_stuck_is_without_an_end_for_longer_than_a_worker_lives(state: str, age: timedelta, stuck: bool) -> None:
    run = FriggRun("a", "dev", state, NOW - age)
    assert list(FriggRuns("bucket", (run,), NOW).stuck) == [run] * stuck


# The API's word


def history(*names: str, applied: str = "", failed: str = "", table: bool = True) -> History:
    """A directory of these migrations; ``applied`` and ``failed`` name rows by their first letter."""
    directory = MigrationDirectory("m", "test", tuple(Migration(f"20260101_{n}", "SELECT 1", "c" * 64) for n in names))
    rows = [
        Row(n, "c" * 64, None if n in failed else NOW, f"20260101_{n}", None, None, NOW, 1) for n in applied + failed
    ]
    return History(directory, HistoryTable("public", table, tuple(rows), NOW))


@pytest.mark.parametrize(
    ("state", "names", "database", "expected"),
    [
        ("up-to-date", (), history("a", applied="a"), "agree"),
        ("pending", (), history("a", "b", applied="a"), "agree"),
        ("pending", (), history("a", "b", failed="a"), "agree"),  # by Prisma's order; blind, not wrong
        ("failed", ("20260101_a",), history("a", failed="a"), "agree"),
        ("failed", ("20260101_z",), history("a", failed="a"), "disagree"),
        ("diverged", ("20260101_b", "20260101_z"), history("a", "b", applied="az"), "agree"),
        ("diverged", ("20260101_b", "20260101_y"), history("a", "b", applied="az"), "disagree"),
        ("pending", (), history("a", table=False), "agree"),
        ("no-history", (), history(table=False), "agree"),
        ("no-history", (), history("a", applied="a"), "disagree"),
        ("up-to-date", (), history("a", "b", applied="a"), "behind"),
        ("up-to-date", (), history("a", table=False), "disagree"),
        ("up-to-date", (), history("a", failed="a"), "disagree"),
        ("pending", (), history("a", applied="a"), "disagree"),
        ("failed", ("20260101_a",), history("a", applied="a"), "disagree"),
        ("refused", (), history("a", applied="a"), "agree"),  # nothing is said of the database
        ("unreachable", (), history("a", applied="a"), "agree"),
        ("unclear", (), history("a", applied="a"), "agree"),
    ],
)
def test_both_sides_agree_or_do_not(state: State, names: tuple[str, ...], database: History, expected: str) -> None:
    status = ApiStatus("url", state, names)
    told = "agree" if agrees(status, database) else "behind" if layer_is_behind(status, database) else "disagree"
    assert told == expected


def test_a_problem_is_no_disagreement() -> None:
    assert agrees(ApiStatus("url"), history("a", failed="a"))
    assert meant(history("a", failed="a"))[0] == "failed"


def test_a_package_that_is_not_complete_is_no_pending_migration() -> None:
    assert classify(False, "Command failed: prisma migrate status\nPrisma schema not found at: /opt/x")[0] == "broken"
