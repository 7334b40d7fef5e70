"""Commands and requests with hostile names, read by a real shell, psql, git and JSON parser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.finding import Fix
from health.history.provenance import Provenance, Version
from health.history.rows import LockHolder
from tests.support.bash import bash
from tests.support.fix_cases import CASES, NOW, Facts, KnownEffects, bare, environment, fixes_of, row
from tests.support.history_table import PASSWORD, connect
from tests.support.hostile import HOSTILE, file_name
from tests.support.load import patience

PROGRAMS = ("npx", "git", "psql")
# Each stands in for a program, and tells how many words it was given, and which.
TELLS = "\n".join(f'{name}() {{ printf \'%s\\0\' {name} $# "$@" >> "$TOLD"; }}' for name in PROGRAMS)


def words(told: bytes) -> Iterator[list[str]]:
    """The programs that were called, with their words."""
    rest = iter(told.decode().split("\0"))
    while program := next(rest):
        yield [program, *(next(rest) for _ in range(int(next(rest))))]


def expected(fix: Fix, names: list[str], facts: Facts) -> list[list[str]]:
    """The calls that a command is to make."""
    env, name = facts["environment"], names[0]
    schema = f"--schema={env.migrations.parent}/schema.prisma"
    if fix.title.startswith("Deploy"):
        return [["npx", "frigg", "deploy", "--stage=dev"]]
    if fix.body.startswith("for name in "):
        return [["npx", "prisma", "migrate", "resolve", f"--applied={each}", schema] for each in names]
    if how := re.search(r"resolve (--applied|--rolled-back)", fix.title):
        return [["npx", "prisma", "migrate", "resolve", f"{how[1]}={name}", schema]]
    if fix.title.startswith("Find the commit"):
        escaped = "".join(f"\\{char}" if char in "*?[\\" else char for char in name)
        return [["git", "-C", str(env.app), "log", "--all", "--oneline", "--", f"*/{escaped}/migration.sql"]]
    assert fix.title == "Restore the file as it was applied"
    checkout = ["git", "--literal-pathspecs", "checkout", "c0ffee", "--", f"db/{name}/migration.sql"]
    return [["git", "-C", str(env.app), "rev-parse", "--show-toplevel"], checkout]


def commands(text: str) -> Iterator[tuple[Fix, list[list[str]]]]:
    """Every command about rows, with the calls that it is to make."""
    name = text[:255]
    app = Path("/srv") / file_name(text)
    changes = {"app": app, "migrations": app / "migrations"}
    for case in CASES.values():
        facts = case.facts(name, text) | {"environment": environment(**changes)}
        for fix in fixes_of(case.code, facts, "command"):
            yield fix, expected(fix, [name], facts)
    names = [name, f"2{name}"[:255]]
    facts = bare(names, 2) | {"environment": environment(**changes)}
    for fix in fixes_of("no-history", facts, "command"):
        yield fix, expected(fix, names, facts)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:40])
def test_the_shell_takes_every_word_as_it_is(tmp_path: Path, text: str) -> None:
    told = tmp_path / "told"
    every = list(commands(text))
    assert len({re.sub(r"\W.*", "", fix.title) for fix, _ in every}) >= 4
    assert bash("\n".join([TELLS, *(fix.body for fix, _ in every)]), tmp_path, TOLD=str(told)) == ""
    assert list(words(told.read_bytes())) == [call for _, calls in every for call in calls]
    assert not Path("/tmp/owned").exists()


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:40])
def test_the_body_of_a_request_is_json(text: str) -> None:
    name, actions = text[:255], set()
    for case in CASES.values():
        for fix in fixes_of(case.code, case.facts(name, text), "http"):
            head, _, body = fix.body.partition("\n\n")
            line, *headers = head.split("\n")
            assert line == "POST https://api.test/admin/db-migrate/resolve"
            assert [header.partition(": ")[0] for header in headers] == ["Content-Type", "x-frigg-admin-api-key"]
            asked = json.loads(body)
            actions.add(asked.pop("action"))
            assert asked == {"migrationName": name, "stage": "dev"}
    assert actions == {"applied", "rolled-back"}


def test_no_command_is_offered_that_prisma_refuses() -> None:
    refused = {"pending, rolled back, behind all": "P3008", "phantom": "P3012", "orphaned": "P3017"}
    for title in refused:
        case = CASES[title]
        told = [fix.body for fix in fixes_of(case.code, case.facts()) if fix.kind != "sql"]
        assert not [body for body in told if "resolve" in body]


# The session that holds the migration lock


def ending(server: PrivatePostgres, holder: LockHolder, database: str = "postgres") -> list[Fix]:
    recorded = row("crashed", started_at=NOW - timedelta(seconds=holder.held_s))
    facts = KnownEffects(lock_holder=holder).facts(recorded) | {"environment": environment(database=database)}
    return fixes_of("migration-running", facts, "command")


def test_only_the_session_that_was_seen_is_ended(
    server: PrivatePostgres, database: psycopg.Connection, tmp_path: Path
) -> None:
    name = 'it\'s "a" $(touch /tmp/owned)\\'
    database.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    login = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres", "PGPASSWORD": PASSWORD}
    query = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    with connect(server) as other:
        pid, started = other.execute(query).fetchone() or ()
        assert not ending(server, LockHolder(pid, "postgres", started, 899))
        for moment, rows in ((started + timedelta(microseconds=1), 0), (started, 1)):
            (fix,) = ending(server, LockHolder(pid, "postgres", moment, 1200), name)
            assert f"({rows} row" in bash(fix.body, tmp_path, **login)
        with pytest.raises(psycopg.OperationalError):
            other.execute(query)
    database.execute(psycopg.sql.SQL("DROP DATABASE {}").format(psycopg.sql.Identifier(name)))
    assert not Path("/tmp/owned").exists()


# The checkout


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@b.test", *arguments]
    kept = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null"}
    return (
        subprocess.run(command, env=kept, capture_output=True, check=True, timeout=patience(30)).stdout.decode().strip()
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_restores_the_one_file_that_is_meant(tmp_path: Path) -> None:
    repository = tmp_path / "it's a $(repository)"
    app = repository / "backend"
    app.mkdir(parents=True)
    git(repository, "init", "-q")
    names = sorted({file_name(text) for text in HOSTILE})
    paths = {name: f"backend/migrations/{name}/migration.sql" for name in names}
    for path in paths.values():
        (repository / path).parent.mkdir(parents=True)
        (repository / path).write_text(f"-- {path}", encoding="utf-8", newline="")
    git(repository, "add", "--all")
    git(repository, "commit", "-q", "-m", "made")
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "rm", "-q", "-r", "backend/migrations")
    git(repository, "commit", "-q", "-m", "lost")
    app.mkdir(exist_ok=True)
    restore, find = [], []
    for name, path in paths.items():
        made = KnownEffects(on_disk=False).facts(row("applied", migration_name=name), name=name)
        made |= {"environment": environment(app=app)}
        find += [fix.body for fix in fixes_of("orphaned-migration", made, "command")]
        stored = Version(commit, row().started_at, path, row().checksum, "")
        made["provenance"] = Provenance({name: (stored,)})
        restore += [fix.body for fix in fixes_of("orphaned-migration", made, "command")]
    for body in find:
        assert len(bash(body, tmp_path).splitlines()) == 2
    for number, (path, body) in enumerate(zip(paths.values(), restore, strict=True), 1):
        bash(body.replace("checkout", "checkout -q", 1), tmp_path)
        assert (repository / path).read_bytes() == f"-- {path}".encode()
        assert git(repository, "status", "--porcelain", "-z").count("\0") == number
