"""A finding that can be seen in a file names the file and the line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from health.config.environment import Environment
from health.finding import Finding, Place
from health.history.history import History
from health.history.rows import HistoryTable
from health.migrations.directory import Migration, MigrationDirectory
from health.pending.squawk import Remark
from health.schema_file.difference import SchemaFileDiff
from plugins.run.check_catalog import all_checks
from plugins.run.check_runner import finding_result

LOCK = '# comment\nprovider = "mysql"\n'
CONFLICT = 'provider = "postgresql"\n<<<<<<< HEAD\n=======\n>>>>>>> main\n'


def directory(lock_file: str | None = None, *migrations: Migration) -> MigrationDirectory:
    return MigrationDirectory("/app/migrations", "a test", migrations, lock_file)


@pytest.mark.parametrize(("text", "line"), [(LOCK, 2), ("# nothing\n", 1), (CONFLICT, 2)])
def test_lock_file(text: str, line: int) -> None:
    (finding,) = all_checks()["migration-lock-file"].judge({"migrations": directory(text)})
    assert finding.place == Place("migration_lock.toml", line)


def test_files() -> None:
    texts = {"a": "SELECT 1;\n-- \ufffd\n", "b": "\ufeffSELECT 1;", "c": None}
    files = directory(None, *(Migration(name, text, text) for name, text in texts.items()))
    table = HistoryTable("public", table_exists=True, rows=(), read_at=datetime(2026, 1, 1, tzinfo=UTC))
    history = History(files, table)
    found = all_checks()["migration-files"].judge({"history": history})
    assert {(finding.code, finding.place) for finding in found} == {
        ("not-utf-8", Place("a/migration.sql", 2)),
        ("byte-order-mark", Place("b/migration.sql", 1)),
        ("no-migration-sql", None),  # there is no file
    }


def test_a_remark_and_the_schema_file() -> None:
    (remark,) = all_checks()["pending-sql-reviewed"].judge({"review": (Remark("m1", 7, "renaming-table"),)})
    assert remark.place == Place("m1/migration.sql", 7)
    diff = SchemaFileDiff("schema.prisma", "/app/migrations", "Prisma", refused="No.", file="/app/schema.prisma")
    (refused,) = all_checks()["schema-file-has-no-unwritten-change"].judge({"schema_file_diff": diff})
    assert refused.place == Place("/app/schema.prisma")


@pytest.mark.parametrize(
    ("path", "whole"),
    [("m1/migration.sql", "/app/migrations/m1/migration.sql"), ("/app/tunnel.sh", "/app/tunnel.sh")],
)
def test_a_record_has_the_whole_path(path: str, whole: str) -> None:
    environment = Environment("prod", "prod", migrations=Path("/app/migrations"))
    finding = Finding("pending-sql-remark", "m1", "It locks.", place=Place(path, 7))
    assert finding_result(finding, "warning", {"environment": environment}).place == Place(whole, 7)
