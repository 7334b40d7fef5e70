"""What the lines of a log tell: the lines as Prisma, Frigg and Lambda write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from health.finding import Finding
from health.logs.findings import Log, LogLine, interesting, window
from health.logs.patterns import FILTER, KINDS, OPENS, SINGLE, TERMS, codes
from health.report.root_causes import explain
from health.secrets.secret import Searcher, Secret
from plugins.run.check_catalog import all_checks
from sandbox.aws.logs import COLUMN_MISSING, QUIET, failed

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
GROUP = "/aws/lambda/worker"


def read(
    *events: str | tuple[str, str, float],
    cut: str = "",
    purpose: str = "worker",
    settled: Mapping[str, datetime] = MappingProxyType({}),
) -> list[Finding]:
    """The findings on events: a message alone, or stream, message and seconds after the first."""
    lines = []
    for number, event in enumerate(events):
        stream, message, seconds = ("s", event, number / 1000) if isinstance(event, str) else event
        lines += [LogLine(stream, NOW + timedelta(seconds=seconds), text) for text in interesting(message)]
    log = Log(GROUP, NOW, NOW, tuple(lines), cut)
    return all_checks()[f"{purpose}-log"].judge({f"{purpose}_log": log, "settled": settled})


# One event per line; a text alone is one event.
CASES: dict[str, tuple[str, list[str]]] = {
    "P3009": ("migration-blocked", [
        "Error: P3009", "",
        "migrate found failed migrations in the target database, new migrations will not be applied.",
        "The `20251112195422_update` migration started at 2026-01-01 00:00:00 UTC failed",
    ]),
    "P3005": ("schema-not-empty", ["Error: P3005", "", "The database schema is not empty. Read more about how"]),
    "lock": ("lock-timeout", [
        "Error: P1002", "", "The database server was reached but timed out.",
        "Context: Timed out trying to acquire a postgres advisory lock (SELECT pg_advisory_lock(72707369)). "
        "Elapsed: 10001ms. Timeout: 10000ms.",
    ]),
    "P1002 without a lock": ("database-unreachable", [
        "Error: P1002", "", "The database server was reached but timed out.", "Please try again.",
    ]),
    "P1001": ("database-unreachable", ["Error: P1001", "", "Can't reach database server at `db.example`:`5432`"]),
    "P1001 of a request": ("database-unreachable", ["Can't reach database server at `db.example`:`5432`"]),
    "P1000": ("credentials-refused", [
        "Error: P1000: Authentication failed against database server, the provided database credentials for "
        "`postgres` are not valid.",
    ]),
    "P3017": ("resolve-refused", ["Error: P3017", "", "The migration 2026_x could not be found."]),
    "an error without a meaning here": ("prisma-error", ["Error: P1003", "", "Database `x` does not exist"]),
    "column of a read": ("column-missing", list(COLUMN_MISSING)),
    "column of an insert": ("column-missing", ["The column `data` does not exist in the current database."]),
    "column of an adapter": (
        "column-missing", ["The column `(not available)` does not exist in the current database."],
    ),
    "column in a JSON record": ("column-missing", [json.dumps({
        "level": "ERROR", "error": {"stack": ["a\nThe column `Entity.data` does not exist in the current database."]},
    })]),
    "column with colours": (
        "column-missing",
        ["\x1b[31mThe column `\x1b[1mEntity.data\x1b[22m` does not exist in the current database.\x1b[39m"],
    ),
    "column in one event with other lines": (
        "column-missing", ["Invalid `p()` invocation:\r\rThe column `a.b` does not exist in the current database."],
    ),
    "table": ("table-missing", ["The table `public.Process` does not exist in the current database."]),
    "value newer than the database": (
        "enum-value-unknown", ['invalid input value for enum "IntegrationStatus": "IN_CREATION"'],
    ),
    "value newer, in an error's text": (
        "enum-value-unknown",
        ['PostgresError { message: "invalid input value for enum \\"IntegrationStatus\\": \\"IN_CREATION\\"" }'],
    ),
    "value newer than the code": (
        "enum-value-unknown", ["Value 'IN_CREATION' not found in enum 'IntegrationStatus'"],
    ),
    "no client": ("client-missing", ["Error: Cannot find Prisma client for postgresql. Tried paths:"]),
    "time limit": ("timeout", ["2026-11-22T10:00:00Z 1f0e Task timed out after 900.00 seconds"]),
    "memory": ("out-of-memory", ["RequestId: 1f0e Error: Runtime exited with error: signal: killed"]),
    "state": ("status-not-written", ["Failed to update migration status: AccessDenied"]),
    "key": ("unauthorized", ["Unauthorized access attempt to db-migrate endpoint"]),
    "setting": ("setting-missing", ["❌ Validation failed: DATABASE_URL environment variable is not set"]),
}  # fmt: skip


@pytest.mark.parametrize("password", ["s3cr3t", "postgres"])
@pytest.mark.parametrize(("kind", "events"), CASES.values(), ids=CASES)
def test_what_lines_tell(kind: str, events: list[str], password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("health.secrets.secret._KNOWN", Searcher())
    Secret(password)
    (found,) = read(*events)
    assert found.code == codes("worker")[kind]
    assert found.evidence["count"] == 1
    assert KINDS[kind].means in found.message


@pytest.mark.parametrize("function", QUIET)
def test_quiet_lines_tell_nothing(function: str) -> None:
    assert read(*QUIET[function], "[Frigg] GET /api/x -> 404: The column is not here") == []


def test_every_kind_has_a_case() -> None:
    assert {kind for kind, _ in CASES.values()} | {"migration-failed"} == set(KINDS)
    assert set(OPENS.values()) | {kind for kind, _ in SINGLE} <= set(KINDS)


def test_what_only_a_migration_logs_is_not_the_auth_functions() -> None:
    assert read(*failed("2_b"), purpose="auth") == []
    (found,) = read(*COLUMN_MISSING, purpose="auth")
    assert found.code == "auth-log-column-missing"


def test_the_filter_is_one_that_cloudwatch_takes() -> None:
    assert len(FILTER) <= 1024
    assert all('"' not in term for term in TERMS)


def test_a_failed_migration_is_put_together_from_its_events() -> None:
    (found,) = read(*failed("2_b"))
    assert (found.code, found.subject) == ("worker-log-migration-failed", "2_b")
    assert found.evidence["migration"] == "2_b"
    assert found.evidence["sqlstates"] == ("42P07",)
    assert (
        'PostgreSQL said 42P07, a table or an index that it makes exists already: relation "Process"' in found.message
    )


def test_streams_are_told_apart() -> None:
    one, other = ([line for line in failed(name) if line] for name in ("1_a", "2_b"))
    mixed = [
        event
        for number, pair in enumerate(zip(one, other, strict=True))
        for event in (("s1", pair[0], number / 1000), ("s2", pair[1], number / 1000))
    ]
    assert {found.subject for found in read(*mixed)} == {"1_a", "2_b"}


def test_a_block_ends() -> None:
    (first, second) = read(("s", "Error: P3018", 0), ("s", "Migration name: 1_a", 0), ("s", "ERROR: of a request", 60),
                           ("s", "Error: P3018", 61), ("s", "Migration name: 2_b", 61))  # fmt: skip
    assert (first.subject, second.subject) == ("1_a", "2_b")
    assert "of a request" not in first.message


def test_a_line_of_another_kind_does_not_hide_in_a_block() -> None:
    found = read("Error: P3018", "Migration name: 1_a", "Task timed out after 900.00 seconds")
    assert {each.code for each in found} == {"worker-log-migration-failed", "worker-log-timeout"}


def test_an_error_value_in_a_migration_is_the_migrations() -> None:
    (found,) = read("Error: P3018", "Migration name: 1_a", "Database error code: 22P02",
                    'ERROR: invalid input value for enum "S": "X"')  # fmt: skip
    assert found.code == "worker-log-migration-failed"


def test_times_and_counts() -> None:
    line = "The column `{}` does not exist in the current database."
    found = read(("s1", line.format("b"), 0), ("s1", line.format("b"), 0.5), ("s1", line.format("b"), 90),
                 ("s2", line.format("a"), 30))  # fmt: skip
    assert [each.evidence["count"] for each in found] == [3]  # an echo within a second is no other request
    assert "It names b, a." in found[0].message
    assert "Logged 3 times, 2026-11-22 10:00:00 to 2026-11-22 10:01:30 UTC, in streams s1, s2." in found[0].message


def test_lines_in_the_wrong_order_are_put_right() -> None:
    (found,) = read(("s", "Migration name: 1_a", 0.002), ("s", "Error: P3018", 0.001))
    assert found.subject == "1_a"


@pytest.mark.parametrize(("after_s", "severity"), [(-1, None), (30, None), (90, "info")])
def test_lines_from_before_the_end_of_their_migration_are_context(after_s: int, severity: str | None) -> None:
    again = [("s", line, 60.0) for line in failed("2_b")]
    settled = {"2_b": NOW + timedelta(seconds=after_s)}
    (found,) = read(*failed("2_b"), *again, settled=settled)
    assert found.severity == severity
    assert found.evidence["count"] == (1 if after_s == 30 else 2)
    assert ("every deploy stops" in found.message) is (severity is None)
    assert ("rolled back, 2026-11-22 10:01:30 UTC, after these lines" in found.message) is (severity == "info")
    run = Finding("migration-run-failed", "id", "")
    blocked = replace(found, code="worker-log-migration-blocked")
    assert (run.key in explain([run, blocked])) is (severity is None)
    (other,) = read(*failed("2_b"), settled={"1_a": NOW + timedelta(seconds=90)})
    assert other.severity is None


def test_what_was_not_read_is_said() -> None:
    (found,) = read(cut="it has more than 50 pages")
    assert found.code == "worker-log-incomplete"
    assert "it has more than 50 pages" in found.message


def test_hostile_lines() -> None:
    secret = Secret("s3cr3t'%-" + "x" * 9)
    (found,) = read(
        "Error: P3018",
        "Migration name: 1\x1b]0;title\x07_a\u202e##[error]",
        f"ERROR: \x1b[2Jpassword {secret.reveal()} of postgresql://u:other@host/db " + "y" * 100_000,
    )
    shown = found.shown
    text = shown.subject + shown.message + str(shown.evidence)
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\n"}
    assert "##[" not in text
    assert secret.reveal() not in text
    assert "other@" not in text
    assert len(found.message) < 700


@pytest.mark.parametrize(
    "message",
    ["{" * 200_000, "[" * 200_000, '{"a":' * 50_000, "\n" * 200_000, "The column `" * 20_000, "DbError {" * 30_000,
     "The `" + "a" * 200_000, "\x1b[" + "0;" * 100_000],
)  # fmt: skip
def test_an_event_that_is_made_to_do_harm_is_passed_over(message: str) -> None:
    assert not read(message)


def test_the_window() -> None:
    assert window(NOW, 10) == NOW - timedelta(minutes=10)
    triggered = NOW - timedelta(minutes=14)
    assert window(NOW, 10, triggered) == triggered - timedelta(seconds=5)  # clocks differ
