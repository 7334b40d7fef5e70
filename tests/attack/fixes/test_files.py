"""Commands of fixes overwrite and remove no file that somebody has written since, and name what they mean."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.finding import Finding, Fix
from health.history.provenance import Provenance, Version
from health.prisma.engine import LOCK_FILE
from plugins.fixes import commands
from plugins.fixes.migrations.directory import byte_order_mark, lock_file, utf_16_file
from plugins.fixes.pending.forecast import _make_extension
from tests.support.fix_cases import KnownEffects, environment, fixes_of, row
from tests.support.history_table import PASSWORD, PSQL
from tests.support.load import patience

NAME = "2026 it's a $(touch owned)"
SQL = "SELECT 'é';\n"
SINCE = b"written since\n"


@dataclass(frozen=True)
class FileFix:
    """A fix of a file: what the file holds before, and which files somebody may have written meanwhile."""

    build: Callable[[Path], Fix]
    before: bytes | None
    file: str
    beside: str


def facts(top: Path, text: str = SQL) -> dict[str, Any]:
    made = KnownEffects().facts(row(), name=NAME)
    directory = made["history"].directory
    migration = directory.by_name[NAME]
    migrations = replace(directory, path=str(top), migrations=(replace(migration, sql=text),), lock_file=None)
    return {"history": replace(made["history"], directory=migrations), "migrations": migrations}


def marked(top: Path) -> Fix:
    (fix,) = byte_order_mark(Finding("byte-order-mark", NAME, "m", {"name": NAME}), facts(top)["history"])
    assert isinstance(fix, Fix)
    return fix


def wide(top: Path) -> Fix:
    finding = Finding("utf-16-file", NAME, "m", {"name": NAME})
    (fix,) = utf_16_file(finding, facts(top)["history"])
    assert isinstance(fix, Fix)
    return fix


def locked(top: Path) -> Fix:
    (fix,) = lock_file(Finding("no-lock-file", LOCK_FILE, "m"), facts(top)["migrations"])
    assert isinstance(fix, Fix)
    return fix


FIXES = {
    "byte order mark": FileFix(marked, b"\xef\xbb\xbf" + SQL.encode(), f"{NAME}/migration.sql", ".new"),
    "UTF-16": FileFix(wide, SQL.encode("utf-16"), f"{NAME}/migration.sql", ".new"),
    "UTF-16, kept": FileFix(wide, SQL.encode("utf-16"), f"{NAME}/migration.sql", ".utf-16"),
    "lock file": FileFix(locked, None, LOCK_FILE, ""),
}


def bash(script: str | None, directory: Path) -> int:
    assert script is not None
    done = subprocess.run(
        ["bash", "-c", script], cwd=directory, capture_output=True, check=False, timeout=patience(30),
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "GIT_CONFIG_GLOBAL": "/dev/null"},
    )  # fmt: skip
    return done.returncode


@pytest.fixture(params=FIXES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[FileFix, Fix, Path]:
    fix: FileFix = FIXES[request.param]
    file = tmp_path / fix.file
    file.parent.mkdir(exist_ok=True)
    if fix.before is not None:
        file.write_bytes(fix.before)
    return fix, fix.build(tmp_path), file


def test_the_undo_brings_the_file_back(case: tuple[FileFix, Fix, Path], tmp_path: Path) -> None:
    known, fix, file = case
    assert bash(fix.body, tmp_path) == 0
    assert file.read_bytes() != known.before
    assert bash(fix.undo, tmp_path) == 0
    assert (file.read_bytes() if file.exists() else None) == known.before
    assert not (tmp_path / "owned").exists()


def test_no_undo_overwrites_what_was_written_since(case: tuple[FileFix, Fix, Path], tmp_path: Path) -> None:
    _, fix, file = case
    assert bash(fix.body, tmp_path) == 0
    file.write_bytes(SINCE)
    bash(fix.undo, tmp_path)
    assert file.read_bytes().endswith(SINCE)


def test_no_fix_overwrites_a_file_beside(case: tuple[FileFix, Fix, Path], tmp_path: Path) -> None:
    known, fix, file = case
    beside = file.with_name(file.name + known.beside)
    beside.write_bytes(SINCE)
    assert bash(fix.body, tmp_path) != 0
    assert beside.read_bytes() == SINCE


@pytest.mark.parametrize("kept", [True, False])
def test_only_what_git_holds_is_overwritten(tmp_path: Path, kept: bool) -> None:
    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.test", *words]
        return subprocess.run(command, capture_output=True, check=True, timeout=patience(30)).stdout.decode().strip()

    path = f"db/{NAME}/migration.sql"
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    git("init", "-q")
    file.write_text("-- as it was applied\n")
    git("add", "--all")
    git("commit", "-q", "-m", "made")
    commit = git("rev-parse", "HEAD")
    file.write_bytes(SINCE)
    if kept:
        git("commit", "-q", "-a", "-m", "edited")
    made = KnownEffects(on_disk=False).facts(row("applied", migration_name=NAME), name=NAME)
    made |= {"environment": environment(app=tmp_path)}
    made["provenance"] = Provenance({NAME: (Version(commit, row().started_at, path, row().checksum, ""),)})
    (fix,) = fixes_of("orphaned-migration", made, "command")
    assert (bash(fix.body, tmp_path) == 0) is kept
    assert file.read_bytes() == (b"-- as it was applied\n" if kept else SINCE)


# psql


@pytest.mark.parametrize(
    "name", ["-c", "--help", "host=192.0.2.1", "postgresql://192.0.2.1/", "a=b", 'it\'s = \\ "x"', "\\!=:a", "ünï=🧨"]
)
def test_psql_logs_in_to_the_database_that_is_named(
    server: PrivatePostgres, database: psycopg.Connection, name: str
) -> None:
    database.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    command = commands.psql(environment(database=name), "-X", "-A", "-t", "-c", "SELECT current_database()")
    try:
        done = subprocess.run(
            ["sh", "-c", command],
            env={
                "PATH": f"{PSQL.parent}:/usr/bin:/bin", "PGHOST": "127.0.0.1", "PGPORT": str(server.port),
                "PGUSER": "postgres", "PGPASSWORD": PASSWORD, "PGCONNECT_TIMEOUT": "5", "PGCLIENTENCODING": "UTF8",
            },
            capture_output=True, check=False, timeout=patience(30),
        )  # fmt: skip
        assert (done.stdout.decode().rstrip("\n"), done.stderr) == (name, b"")
    finally:
        database.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


@pytest.mark.parametrize("schema", ['a"; DROP SCHEMA public; --', "it's", "$(touch owned)", 'q""q', "Mixed Case"])
def test_an_extension_is_made_in_the_schema_that_is_named(server: PrivatePostgres, tmp_path: Path, schema: str) -> None:
    fix = _make_extension(environment(schema=schema, database="-d"), "citext")
    stand_in = "psql() { printf '%s\\0' \"$@\"; }\n"
    done = subprocess.run(["bash", "-c", stand_in + fix.body], cwd=tmp_path, capture_output=True, check=True)
    words = done.stdout.decode().split("\0")
    assert words[-2] == f'CREATE EXTENSION "citext" SCHEMA {sql.Identifier(schema).as_string(None)}'
    assert "IF NOT EXISTS" not in fix.body  # or the undo drops what was there before
    assert not (tmp_path / "owned").exists()
