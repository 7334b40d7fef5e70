"""The history's rules, held against a directory and rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from health.history.history import Deployment, History
from health.history.rows import HistoryTable, LockHolder, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.prisma.engine import checksum, decode, directory_order
from health.prisma.version import Generation

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def row(name: str, state: str = "applied", age_s: float = 7200, steps: int = 1, logs: str | None = None) -> Row:
    started = NOW - timedelta(seconds=age_s)
    return Row(
        id=f"{name}-{state}",
        checksum=checksum(""),
        finished_at=started if state in ("applied", "both") else None,
        migration_name=name,
        logs=logs,
        rolled_back_at=started if state in ("rolled back", "both") else None,
        started_at=started,
        applied_steps_count=steps,
    )


def history(
    names: Iterable[str], *rows: Row, lock: bool = False, generation: Generation = Generation.UP_TO_7_8, **more: Any
) -> History:
    """Of migrations with these names, all with an empty script; ``more`` for what is recorded."""
    directory = MigrationDirectory("m", "test", tuple(Migration(name, "", checksum("")) for name in names))
    holder = LockHolder(1, None, None, 3) if lock else None
    recorded = replace(HistoryTable("public", True, rows, NOW, lock_holder=holder), **more)
    return History(directory, recorded, generation)


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
    ("state", "word", "in_force"),
    [
        ("applied", "applied", True),
        ("failed", "failed", True),
        ("rolled back", "rolled back", False),
        ("both", "rolled back", False),
    ],
)
def test_what_a_row_records(state: str, word: str, in_force: bool) -> None:
    judged = row("a", state)
    assert (judged.state, judged.in_force) == (word, in_force)
    assert judged.failed is (word == "failed")
    assert judged.applied is (word == "applied")


FUTURE = -3600.0


@pytest.mark.parametrize(
    ("age_s", "lock", "logs", "may_run", "running"),
    [
        pytest.param(10, False, None, True, False, id="young"),
        pytest.param(899, False, None, True, False, id="just within the worker's time"),
        pytest.param(901, False, None, False, False, id="past the worker's time"),
        pytest.param(9999, True, None, True, True, id="old, and the lock is held"),
        pytest.param(10, False, "ERROR", False, False, id="an error ended it"),
        pytest.param(10, True, "ERROR", False, False, id="an error ended it, and another holds the lock"),
        pytest.param(10, False, "", False, False, id="an empty text is a text"),
        pytest.param(-10, False, None, True, False, id="the migrator's clock is ahead"),
        pytest.param(FUTURE, False, None, False, False, id="of the future"),
        pytest.param(FUTURE, True, None, True, True, id="of the future, and the lock is held"),
    ],
)
def test_running_or_crashed(age_s: float, lock: bool, logs: str | None, may_run: bool, running: bool) -> None:
    failed = row("a", "failed", age_s, logs=logs)
    judged = history(["a"], failed, lock=lock)
    assert judged.may_be_running(failed) is may_run
    assert judged.running_by_name == ({"a": [failed]} if running else {})
    assert judged.failed_by_name == ({} if running else {"a": [failed]})
    assert judged.failed == (failed,)  # a deploy stops either way


def test_rows_of_a_name_stay_together_in_their_order() -> None:
    rows = [row("a", "failed", 90, logs="ERROR"), row("b"), row("a", age_s=50), row("a", "failed", 20)]
    judged = history(["a", "b"], *rows, lock=True)
    assert judged.by_name["a"] == [rows[0], rows[2], rows[3]]
    assert judged.failed_by_name == {"a": [rows[0]]}
    assert judged.running_by_name == {"a": [rows[3]]}
    assert judged.applied == {"a": [rows[2]], "b": [rows[1]]}


def test_a_migration_is_settled_when_it_ended_or_was_rolled_back_last() -> None:
    rows = [
        row("a", "rolled back", 90),
        row("a", age_s=50),
        row("a", "failed", 20),
        row("b", "failed"),
        row("c", "both"),
    ]
    assert history(["a", "b"], *rows).settled == {"a": rows[1].finished_at, "c": rows[4].finished_at}


def test_a_migration_runs_as_long_as_its_row_or_its_session() -> None:
    assert history(["a"]).running_s == 0
    assert history(["a"], lock=True).running_s == 3
    assert history(["a"], row("a", "failed", 120), lock=True).running_s == 120
    assert history(["a"], row("a", "failed", FUTURE), lock=True).running_s == 3


@pytest.mark.parametrize(
    ("applied", "name", "behind"),
    [
        ([], "a", None),
        (["a"], "b", None),
        (["b"], "a", "b"),
        (["b", "c"], "a", "c"),
        (["c", "b"], "d", None),
        (["z"], "a", None),  # an orphan has no place
    ],
)
def test_the_last_applied_migration_behind_one(applied: list[str], name: str, behind: str | None) -> None:
    assert history("abcd", *map(row, applied)).applied_after(name) == behind
    assert history("abcd", *map(row, applied), row("d", "rolled back")).applied_after(name) == behind


@pytest.mark.parametrize(
    ("started_s", "ended_s", "said"),
    [
        (60, 30, None),
        (60, 60, None),
        (60, 61, "before its start"),
        (-600, None, None),  # the migrator's clock may be ahead
        (-901, None, "has yet to reach"),
        (60, -3600, None),
    ],
)
def test_times_that_no_engine_writes(started_s: float, ended_s: float | None, said: str | None) -> None:
    ended = None if ended_s is None else NOW - timedelta(seconds=ended_s)
    told = history(["a"]).impossible_times(replace(row("a", "failed", started_s), finished_at=ended))
    assert (told is None) if said is None else (told is not None and said in told)


EDITED = replace(row("a", "rolled back", 90), checksum="0" * 64)


@pytest.mark.parametrize(
    ("generation", "edited", "unapplied", "unpersisted", "exit_status"),
    [
        (Generation.UP_TO_7_8, ("a",), (), ("gone",), 0),  # it hides that b is not applied
        (Generation.FROM_7_9, (), ("b",), (), 1),
    ],
)
def test_rolled_back_rows_count_up_to_7_8(
    generation: Generation, edited: tuple[str], unapplied: tuple[str], unpersisted: tuple[str], exit_status: int
) -> None:
    rows = [EDITED, row("a"), row("b", "rolled back"), row("gone", "rolled back")]
    judged = history("ab", *rows, generation=generation)
    told = judged.diagnosis
    assert (told.edited, told.unapplied, told.unpersisted) == (edited, unapplied, unpersisted)
    assert judged.edited_names == set(edited)
    assert judged.status_exit == exit_status
    assert judged.deployment == Deployment(("b",))  # for both


def test_histories_that_part_name_the_last_common_migration() -> None:
    assert history("abc", row("a"), row("gone")).diagnosis.last_common == "a"
    assert history("abc", row("b"), row("gone")).diagnosis.last_common is None
    assert history("abc", row("a")).diagnosis.last_common is None
    assert history("abc", row("a"), row("gone")).diagnosis.diverged


# What a deploy looks at, in its order: each stops it before the next one is looked at.
STOPS: dict[str, dict[str, Any]] = {
    "P3019": {"lock_file": 'provider = "mysql"\n'},
    "P1002": {"lock": True},
    "P3005": {"table_exists": False, "base_tables": ("User",)},
    "P3009": {"failed": True},
    "P3015": {"missing": True},
    "P3018": {"failing": True},
}


@pytest.mark.parametrize("first", range(len(STOPS)))
def test_a_deploy_stops_at_the_first_obstacle(first: int) -> None:
    code = list(STOPS)[first]
    obstacles = {key: value for stop in list(STOPS)[first:] for key, value in STOPS[stop].items()}
    table = {key: obstacles[key] for key in ("table_exists", "base_tables") if key in obstacles}
    rows = [row("a"), *([row("z", "failed")] if "failed" in obstacles else [])]
    judged = history("abcd", *rows, lock="lock" in obstacles, **table)
    scripts = [
        replace(m, sql=None) if m.name == "c" and "missing" in obstacles else m for m in judged.directory.migrations
    ]
    directory = replace(judged.directory, migrations=tuple(scripts), lock_file=obstacles.get("lock_file"))
    judged = replace(judged, directory=directory, failing={"d": "P3018"} if "failing" in obstacles else {})
    if code == "P3015":
        assert judged.deployment == Deployment(("b",), code, "c")
    elif code == "P3018":
        assert judged.deployment == Deployment(("b", "c"), code, "d")
    else:
        assert judged.deployment == Deployment(error=code)


def test_a_deploy_without_obstacles() -> None:
    assert history("abc", row("b")).deployment == Deployment(("a", "c"))
    assert history("abc", table_exists=False).deployment == Deployment(("a", "b", "c"))  # of an empty schema
    assert history("abc", base_tables=("User",)).deployment == Deployment(("a", "b", "c"))  # with an empty history


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
    assert checksum(decode(data)) == hashlib.sha256(data).hexdigest()


def test_checksum_of_other_encodings_is_of_the_decoded_text() -> None:
    assert checksum(decode(b"caf\xe9")) == hashlib.sha256("caf\ufffd".encode()).hexdigest()
