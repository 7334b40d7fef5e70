"""The history and the columns of Entity in the record and on paper."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from health.catalog.catalog import Catalog, Column
from health.history.history import History
from health.history.rows import HistoryTable, LockHolder, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.prisma.engine import checksum
from health.read_only.proof import ReadOnlyProof, SessionProof
from health.report.json_values import from_json, to_json
from health.report.overview import HistoryOverview, answers, entity_overview, history_overview, proof_overview
from health.report.record import FactsOverview
from health.report.tables import tables

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SQL = "SELECT 1;"


def row(number: int, name: str, **changes: Any) -> Row:
    started = NOW - timedelta(days=30) + timedelta(minutes=number)
    made = Row(f"id-{number}", checksum(SQL), started + timedelta(seconds=0.25), name, None, None, started, 1)
    return replace(made, **changes)


def history(*rows: Row, holder: LockHolder | None = None) -> History:
    migrations = tuple(Migration(f"m{number:02}", SQL, checksum(SQL)) for number in range(1, 14))
    return History(
        MigrationDirectory("/m", "", migrations), HistoryTable("public", True, rows, NOW, lock_holder=holder)
    )


MIXED = history(
    *(row(number, f"m{number:02}") for number in range(1, 10)),
    row(10, "m10", checksum="e" * 64),
    row(11, "gone"),
    row(12, "m11", finished_at=None, rolled_back_at=NOW, logs="ERROR"),
    row(13, "m12", finished_at=None, logs="ERROR"),
)


CATALOG = Catalog("public", (
    Column("Entity", "id", "integer", True, "nextval('x')"),
    Column("Entity", "data", "jsonb", True, "'{}'::jsonb"),
    Column("Entity", "name", "text", False, None),
    Column("Other", "id", "integer", True, None),
))  # fmt: skip


def test_every_row_has_its_state_and_the_last_ten_are_shown() -> None:
    overview = history_overview(MIXED)
    written = json.dumps(to_json(overview))
    assert from_json(HistoryOverview, json.loads(written)) == overview
    assert [row.migration for row in overview.last] == [
        "m04", "m05", "m06", "m07", "m08", "m09", "m10", "gone", "m11", "m12",
    ]  # fmt: skip
    assert written.partition('"last"')[0] == (
        '{"rows": 13, "states": {"applied": 9, "edited": 1, "orphaned": 1, "rolled back": 1, "failed": 1}, '
    )
    assert written.partition(', "newest"')[0].endswith(
        '{"migration": "m12", "state": "failed", "started_at": "2026-10-23T12:13:00+00:00", "seconds": null, '
        '"steps": 1}], "pending": 2, "status_exit": 1, '
        '"deploy": {"applies": [], "error": "P3009", "stops_at": null}'
    )


def test_how_the_newest_migrations_stand() -> None:
    assert [(each.migration, each.state, each.at) for each in history_overview(MIXED).newest[:5]] == [
        ("m13", "pending", None),
        ("m12", "failed", "2026-10-23T12:13:00+00:00"),
        ("m11", "pending", None),
        ("m10", "edited", "2026-10-23T12:10:00+00:00"),
        ("m09", "applied", "2026-10-23T12:09:00+00:00"),
    ]
    assert [(each.migration, each.state) for each in history_overview(MIXED).newest][-1] == ("gone", "orphaned")


def test_a_failed_row_beside_an_applied_one_is_what_counts() -> None:
    twice = history(row(1, "m01"), row(2, "m01", finished_at=None), row(3, "lost", rolled_back_at=NOW))
    states = {each.migration: each.state for each in history_overview(twice).newest}
    assert (states["m01"], states["lost"], states["m02"]) == ("failed", "rolled back", "pending")


def test_a_record_from_before_the_newest_were_told_can_be_read() -> None:
    written = to_json(history_overview(MIXED))
    assert isinstance(written, dict)
    del written["newest"]
    assert from_json(HistoryOverview, written).newest == ()


def test_facts_are_the_same_after_a_journey_as_json() -> None:
    proof = ReadOnlyProof((SessionProof("writer", "ann", False, "25006", ("superuser",)),))
    overview = FactsOverview(
        {"region": "us-east-1"}, history_overview(MIXED), entity_overview(CATALOG),
        proof_overview(proof, None, ["rds:DescribeDBClusters"], ["GET https://api/status"]),
    )  # fmt: skip
    written = json.dumps(to_json(overview))
    assert from_json(FactsOverview, json.loads(written)) == overview
    assert from_json(FactsOverview, json.loads(json.dumps(to_json(FactsOverview())))) == FactsOverview()
    assert json.dumps(to_json(overview.proof)) == (
        '{"database": {"writer": {"user": "ann", "wrote": false, "write_refused": "25006", '
        '"could_have_written": ["superuser"]}}, "dumped": null, "aws": ["rds:DescribeDBClusters"], '
        '"http": ["GET https://api/status"]}'
    )
    assert json.dumps(to_json(overview.entity)).startswith(
        '[{"column": "id", "type": "integer", "nullable": false, "default": "nextval(\'x\')"}, '
    )


def test_later_facts_are_added_to_earlier_ones() -> None:
    earlier = FactsOverview({"region": "a", "api": "b"}, entity=())
    later = earlier.updated(FactsOverview({"api": "c"}, history_overview(MIXED)))
    assert later == FactsOverview({"region": "a", "api": "c"}, history_overview(MIXED), ())


def test_a_row_without_an_end_is_running_while_the_lock_is_held() -> None:
    held = history(row(1, "m01", finished_at=None), holder=LockHolder(7, "postgres", NOW, 3))
    assert history_overview(held).states == {"running": 1}
    assert answers(held) == "status exits 1, deploy stops with P1002"


def test_phrases() -> None:
    assert history_overview(history()).counted == "0 rows; 13 pending"
    assert answers(history()) == "status exits 1, deploy applies 13 migrations"
    whole = history(*(row(number, f"m{number:02}") for number in range(1, 14)))
    assert history_overview(whole).counted == "13 rows: 13 applied"
    assert answers(whole) == "status exits 0, deploy applies nothing"
    assert answers(replace(history(row(1, "m01")), failing={"m03": "P3018"})) == (
        "status exits 1, deploy applies 1 migration, then stops with P3018"
    )


def test_on_paper() -> None:
    overview = FactsOverview(history=history_overview(MIXED), entity=entity_overview(CATALOG))
    assert (
        "\n".join(tables(overview))
        == """\
Migration history: 13 rows: 9 applied, 1 edited, 1 orphaned, 1 rolled back, 1 failed; 2 pending
  the last 10:
  started (UTC)     took    state        steps  migration
  2026-10-23 12:04  0.2 s   applied      1      m04
  2026-10-23 12:05  0.2 s   applied      1      m05
  2026-10-23 12:06  0.2 s   applied      1      m06
  2026-10-23 12:07  0.2 s   applied      1      m07
  2026-10-23 12:08  0.2 s   applied      1      m08
  2026-10-23 12:09  0.2 s   applied      1      m09
  2026-10-23 12:10  0.2 s   edited       1      m10
  2026-10-23 12:11  0.2 s   orphaned     1      gone
  2026-10-23 12:12  no end  rolled back  1      m11
  2026-10-23 12:13  no end  failed       1      m12

Columns of Entity
  id    integer  not null  nextval('x')
  data  jsonb    not null  '{}'::jsonb
  name  text"""
    )


def test_what_was_not_read_is_left_out() -> None:
    assert list(tables(FactsOverview())) == []
