"""Applied migrations with another file, and what is known of the difference."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from health.history.edited import edits
from health.history.history import History
from health.history.provenance import Provenance, Version
from health.history.rows import HistoryTable, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.prisma.engine import checksum

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NAME = "20260101000000_one"
FILE = "-- A note.\n\nSELECT 1;\n-- The end.\n"


def row(recorded: str, state: str = "applied", age: int = 9) -> Row:
    started = NOW - timedelta(hours=age)
    ended = None if state == "failed" else started
    return Row(f"{state}-{age}", recorded, ended, NAME, None, started if state == "rolled back" else None, started, 1)


def version(sql: str) -> Version:
    return Version("c0ffee" * 6, NOW, "prisma/migration.sql", checksum(sql), sql)


@dataclass(frozen=True)
class Case:
    rows: tuple[Row, ...]
    kind: str | None
    stored: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    told_of: int = 0  # which of the rows


OTHER = checksum("SELECT 2;\n")
CASES = {
    "the same": Case((row(checksum(FILE)),), None),
    "other line ends": Case((row(checksum(FILE.replace("\n", "\r\n"))),), None),
    "other SQL": Case((row(OTHER),), "edited"),
    "other SQL, which git has": Case((row(OTHER),), "edited", ("SELECT 2;\n",)),
    "other SQL, and git has something else": Case((row(OTHER),), "edited", ("SELECT 3;\n",)),
    "accepted": Case((row(OTHER),), None, accepted=(OTHER,)),
    "another one accepted": Case((row(OTHER),), "edited", accepted=("0" * 64,)),
    "other comments, which git has": Case(
        (row(checksum("SELECT /* it */ 1;")),), "comments edited", ("SELECT /* it */ 1;",)
    ),
    "a comment added in front": Case((row(checksum("SELECT 1;\n-- The end.\n")),), "comments edited"),
    "a comment added behind": Case((row(checksum("-- A note.\n\nSELECT 1;\n")),), "comments edited"),
    "a blank line added": Case((row(checksum("-- A note.\nSELECT 1;\n-- The end.\n")),), "comments edited"),
    "written by hand": Case((row("manual"),), None),
    "failed": Case((row(OTHER, "failed"),), None),
    "after a failed attempt": Case((row(OTHER, "rolled back"), row(checksum(FILE), age=8)), "edited after failure"),
    "and then in another way": Case((row(OTHER, "rolled back"), row("0" * 64, age=8)), "edited", told_of=1),
    "not applied since": Case((row(OTHER, "rolled back"),), "edited after failure"),
    "applied twice, the first another": Case((row(OTHER), row(checksum(FILE), age=8)), "edited after failure"),
    "applied twice, the second another": Case((row(checksum(FILE)), row(OTHER, age=8)), None),
}


@pytest.mark.parametrize("name", CASES)
def test_edits(name: str) -> None:
    case = CASES[name]
    directory = MigrationDirectory("m", "test", (Migration(NAME, FILE, checksum(FILE)),))
    history = History(directory, HistoryTable("public", True, case.rows, NOW))
    provenance = Provenance({NAME: tuple(map(version, case.stored))} if case.stored else {})
    found = list(edits(history, provenance, {NAME: case.accepted} if case.accepted else {}))
    assert [edit.kind for edit in found] == ([case.kind] if case.kind else [])
    for edit in found:
        assert edit.row == case.rows[case.told_of]
        assert (edit.version is not None) == (edit.row.checksum in map(checksum, case.stored))


def test_a_file_of_many_comments_takes_no_time() -> None:
    sql = "-- one of many\n" * 20_000 + "SELECT 1;\n"
    directory = MigrationDirectory("m", "test", (Migration(NAME, sql, checksum(sql)),))
    history = History(directory, HistoryTable("public", True, (row(OTHER),), NOW))
    begun = time.process_time()
    assert [edit.kind for edit in edits(history, Provenance(), {})] == ["edited"]
    assert time.process_time() - begun < 3
