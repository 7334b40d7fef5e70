"""The migrations directory as a value."""

from __future__ import annotations

import pytest

from health.migrations.directory import Migration, MigrationDirectory, file_problem
from health.prisma.engine import decode


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (None, "no file"),
        ("", None),
        ("SELECT 1;", None),
        ("\ufeffSELECT 1;", "byte order mark"),
        ("\ufeffBEGIN;", "byte order mark"),
        ("SELECT '\ufeff';", None),
        ("BEGIN; SELECT 1;", "open transaction"),
        ("BEGIN; SELECT 1; COMMIT;", None),
        (decode(b"\xff\xfe" + "SELECT 1;".encode("utf-16-le")), "UTF-16"),
        (decode(b"\xfe\xff" + "SELECT 'ü';".encode("utf-16-be")), "UTF-16"),
        (decode("SELECT 1; -- кириллица".encode("utf-16-le")), "UTF-16"),
        (decode("SELECT 1;".encode("utf-16-be")), "UTF-16"),
        ("SELECT '\0';", None),  # what runs it says so
        (decode("SELECT 'ü';".encode("latin-1")), None),
    ],
)
def test_what_stops_a_deploy_at_a_file(sql: str | None, problem: str | None) -> None:
    assert file_problem(Migration("m", sql, None)) == problem


def test_the_first_migration_that_adds_a_column() -> None:
    adds = 'ALTER TABLE "Entity" ADD COLUMN "data" JSONB;'
    scripts = {"1": None, "2": "SELECT 1;", "3": adds, "4": adds}
    directory = MigrationDirectory("m", "test", tuple(Migration(name, sql, "") for name, sql in scripts.items()))
    found = directory.adding_column("Entity", "data")
    assert found is not None
    assert (found[0].name, found[1]) == ("3", adds)
    assert directory.adding_column("Entity", "other") is None
    assert directory.names == set(scripts)
