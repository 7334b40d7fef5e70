"""An environment as a case: what the sandbox reads of it is what was there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from health.history.history import History
from health.history.rows import HistoryTable, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.prisma.engine import checksum
from health.prisma.version import PrismaVersion
from health.saved.case import CaseError, case_files
from sandbox.case import Case, read_case

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PRISMA = PrismaVersion("6.19.3", "a test")
SQL = {"1_init": "CREATE TABLE t ();", "2_next": "-- é\n", "3_pending": "SELECT 1", "4_empty": None}
DUMP = "CREATE TABLE dumped ();"


def directory(names: dict[str, str | None]) -> MigrationDirectory:
    files = (Migration(name, sql, checksum(sql) if sql is not None else None) for name, sql in names.items())
    return MigrationDirectory("/m", "a test", tuple(files), 'provider = "postgresql"\n')


def row(name: str, number: int, **changes: object) -> Row:
    begun = NOW + timedelta(minutes=number)
    values: dict[str, object] = {
        "id": str(number), "checksum": checksum(SQL.get(name) or ""), "finished_at": begun,
        "migration_name": name, "logs": None, "rolled_back_at": None, "started_at": begun, "applied_steps_count": 1,
    }  # fmt: skip
    return Row(**{**values, **changes})  # type: ignore[arg-type]


APPLIED = (row("1_init", 1), row("2_next", 2))


def history(*rows: Row, schema: str = "public", files: MigrationDirectory | None = None) -> History:
    return History(
        files or directory(SQL), HistoryTable(schema, table_exists=True, rows=rows, read_at=NOW), PRISMA.generation
    )


def written(files: dict[str, str | None], place: Path) -> Case:
    for name, text in files.items():
        if text is None:
            (place / name).mkdir()
        else:
            (place / name).write_text(text)
    return read_case(place)


def test_what_the_migrations_make_is_made_by_them(tmp_path: Path) -> None:
    told = history(*APPLIED, row("3_pending", 3, finished_at=None, logs='ERROR: "x"\n\x7f'))
    case = written(case_files("a gist", told, PRISMA, DUMP, as_migrated=True), tmp_path)
    assert case.applied == ("1_init", "2_next")
    assert case.scripts == {}
    (failed,) = case.rows
    assert (failed.name, failed.finished, failed.ran, failed.logs) == ("3_pending", False, False, 'ERROR: "x"\n\x7f')
    assert {each.name: each.sql for each in case.migrations.migrations} == SQL
    assert case.migrations.lock_file == 'provider = "postgresql"\n'
    assert case.prisma == "6.19.3"


NOT_PLAIN = {
    "edited": row("2_next", 2, checksum="0" * 64),
    "orphaned": row("0_gone", 2),
    "resolved": row("2_next", 2, applied_steps_count=0),
    "with a log": row("2_next", 2, logs="something"),
    "twice": row("1_init", 2),
}


@pytest.mark.parametrize("which", NOT_PLAIN)
def test_a_history_that_no_run_makes_is_recorded_beside_the_schema(which: str, tmp_path: Path) -> None:
    rows = (row("1_init", 1), NOT_PLAIN[which], row("1_init", 0, rolled_back_at=NOW, finished_at=None))
    case = written(case_files("a gist", history(*rows), PRISMA, DUMP, as_migrated=True), tmp_path)
    assert case.applied == ()
    assert case.scripts == {"before.sql": DUMP}
    told = [(each.name, each.checksum, each.finished, each.rolled_back, each.logs) for each in case.rows]
    assert told == [
        (each.migration_name, each.checksum, each.finished_at is not None, each.rolled_back_at is not None, each.logs)
        for each in rows
    ]
    assert [each.ran for each in case.rows] == [True, which != "resolved", False]


def test_another_schema_is_made_as_it_was(tmp_path: Path) -> None:
    case = written(case_files("a gist", history(*APPLIED), PRISMA, DUMP, as_migrated=False), tmp_path)
    assert (case.applied, case.scripts, [each.ran for each in case.rows]) == ((), {"before.sql": DUMP}, [True, True])


@pytest.mark.parametrize(
    ("told", "prisma", "dump", "why"),
    [
        (history(*APPLIED, schema="other"), PRISMA, DUMP, "its schema is other"),
        (history(*APPLIED), PrismaVersion(None, "no lock file"), DUMP, "not known"),
        (history(*APPLIED), PRISMA, None, "no dump"),
    ],
)
def test_what_no_case_can_be_is_said(told: History, prisma: PrismaVersion, dump: str | None, why: str) -> None:
    with pytest.raises(CaseError, match=why):
        case_files("a gist", told, prisma, dump, as_migrated=False)


@pytest.mark.parametrize("name", ["../../escaped", "..", ".", "", "a/b", "a\0b"])
def test_no_file_is_written_beside_the_case(name: str) -> None:
    told = history(*APPLIED, files=directory({**SQL, name: "SELECT 1"}))
    with pytest.raises(CaseError, match="no name of a directory"):
        case_files("a gist", told, PRISMA, DUMP, as_migrated=False)
