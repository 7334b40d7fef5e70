"""The history's rules, held against a directory and rows."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from health.history import History, Migration, MigrationDirectory, Recorded, Row, checksum, directory_order
from health.statements import adding_column

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def row(name: str, state: str = "applied", age_s: float = 7200, steps: int = 1) -> Row:
    started = NOW - timedelta(seconds=age_s)
    return Row(
        id=f"{name}-{state}",
        checksum="0" * 64,
        finished_at=started if state in ("applied", "both") else None,
        migration_name=name,
        logs=None,
        rolled_back_at=started if state in ("rolled back", "both") else None,
        started_at=started,
        applied_steps_count=steps,
    )


def history(names: list[str], *rows: Row, lock: str | None = None) -> History:
    directory = MigrationDirectory("m", "test", tuple(Migration(name, "", checksum(b"")) for name in names))
    return History(directory, Recorded("public", True, rows, NOW, lock_holder=lock))


@pytest.mark.parametrize(
    ("rows", "failed", "orphaned", "pending"),
    [
        pytest.param([row("a"), row("b")], [], [], [], id="healthy"),
        pytest.param([row("a")], [], [], ["b"], id="pending"),
        pytest.param([row("a"), row("b", "failed", steps=0)], ["b"], [], [], id="failed"),
        pytest.param([row("a"), row("b", "failed", steps=5)], ["b"], [], [], id="steps decide nothing"),
        pytest.param([row("a"), row("b", "rolled back", steps=0)], [], [], ["b"], id="rolled back is pending"),
        pytest.param([row("a"), row("b", "both")], [], [], ["b"], id="ended and rolled back is pending"),
        pytest.param([row("a"), row("b"), row("c")], [], ["c"], [], id="orphan"),
        pytest.param([row("a"), row("b"), row("c", "rolled back")], [], [], [], id="settled orphan"),
        pytest.param([row("a"), row("b"), row("c", "failed")], ["c"], [], [], id="failed orphan is failed"),
        pytest.param([row("a"), row("b"), row("b", "failed")], ["b"], [], [], id="failed beside applied"),
        pytest.param([row("a"), row("b", "rolled back"), row("b")], [], [], [], id="applied again"),
    ],
)
def test_states(rows: list[Row], failed: list[str], orphaned: list[str], pending: list[str]) -> None:
    judged = history(["a", "b"], *rows)
    assert [each.migration_name for each in judged.failed] == failed
    assert [each.migration_name for each in judged.orphaned] == orphaned
    assert [each.name for each in judged.pending] == pending


@pytest.mark.parametrize(
    ("age_s", "lock", "may_run"), [(10, None, True), (899, None, True), (901, None, False), (9999, "pid 1", True)]
)
def test_a_failed_row_may_be_running(age_s: float, lock: str | None, may_run: bool) -> None:
    failed = row("a", "failed", age_s)
    assert history(["a"], failed, lock=lock).may_be_running(failed) is may_run


@pytest.mark.parametrize(
    "ordered",
    [
        ["2_init", "20240101_x", "9_init"],
        ["_x", "-x", ".x", "1x", "ax", "bx"],
        ["a_x", "A_x", "b", "B"],
        ["ab", "AB", "abc"],
    ],
)
def test_the_order_of_a_directory_is_the_clis(ordered: list[str]) -> None:
    assert sorted(set(ordered), key=directory_order) == ordered


@pytest.mark.parametrize("data", [b"SELECT 1;\n", b"SELECT 1;\r\n", b"", "é".encode()])
def test_checksum_is_sha256_of_the_bytes_where_they_are_utf8(data: bytes) -> None:
    assert checksum(data) == hashlib.sha256(data).hexdigest()


def test_checksum_of_other_encodings_is_of_the_decoded_text() -> None:
    assert checksum(b"caf\xe9") == hashlib.sha256("caf\ufffd".encode()).hexdigest()


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ('ALTER TABLE "Entity" ADD COLUMN "data" JSONB;', True),
        ('-- adds it\nALTER TABLE "Entity" ADD COLUMN IF NOT EXISTS "data" JSONB NOT NULL DEFAULT \'{}\';', True),
        ('ALTER TABLE "public"."Entity" DROP COLUMN "x", ADD COLUMN "data" JSONB;', True),
        ('-- ALTER TABLE "Entity" ADD COLUMN "data" JSONB;\nSELECT 1;', False),
        ('ALTER TABLE "Credential" ADD COLUMN "data" JSONB;', False),
        ('ALTER TABLE "Entity" ADD COLUMN "dataset" JSONB;', False),
        ('ALTER TABLE "Entity" DROP COLUMN "data";', False),
    ],
)
def test_the_statement_that_adds_a_column(sql: str, found: bool) -> None:
    told = adding_column([Migration("m", f"SELECT 0;\n{sql}\nSELECT 2;", "")], "Entity", "data")
    assert (told is not None) is found
    if told is not None:
        assert told[1].startswith("ALTER TABLE")
        assert told[1].endswith(";")
        assert "SELECT" not in told[1]
