"""Rows that record a migration of the directory under another name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from health.history.history import History
from health.history.renamed import Renamed, renamed
from health.history.rows import HistoryTable, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.prisma.engine import checksum

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def history(on_disk: dict[str, str], recorded: dict[str, str]) -> History:
    migrations = tuple(Migration(name, sql, checksum(sql)) for name, sql in on_disk.items())
    rows = tuple(Row(name, checksum(sql), NOW, name, None, None, NOW, 1) for name, sql in recorded.items())
    return History(MigrationDirectory("m", "test", migrations), HistoryTable("public", True, rows, NOW))


@pytest.mark.parametrize(
    ("on_disk", "recorded", "told"),
    [
        ({"2_b": "b"}, {"1_b": "b"}, {"1_b": Renamed("2_b")}),
        ({"2_b": "b"}, {"1_b": "another"}, {}),
        ({"2_b": "b", "3_b": "b"}, {"1_b": "b"}, {}),
        ({"2_b": "b"}, {"1_b": "b", "0_b": "b"}, {}),
        ({"2_b": "b"}, {"2_b ": "edited"}, {"2_b ": Renamed("2_b", "in blanks at its end alone")}),
        ({"2_B": "b"}, {"2_b": "b"}, {"2_b": Renamed("2_B", "in upper and lower case alone")}),
        ({"a\u0308": "b"}, {"\u00e4": "b"}, {"\u00e4": Renamed("a\u0308", "in the normal form of Unicode alone")}),
        ({"2_b": "b"}, {"2_b": "b"}, {}),
        ({"2_b": "b"}, {"1_b": "b", "2_b": "b"}, {}),
    ],
)
def test_renamed(on_disk: dict[str, str], recorded: dict[str, str], told: dict[str, Renamed]) -> None:
    assert renamed(history(on_disk, recorded)) == told
