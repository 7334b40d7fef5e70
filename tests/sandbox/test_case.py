"""Cases: what is put in place, and the one line for what cannot be."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.finding import CouldNotCheck
from health.prisma.engine import checksum
from health.secrets.secret import Secret
from plugins.paths import ROOT
from sandbox.case import read_case
from sandbox.database import case as placement
from sandbox.database.history import connect
from tests.support.gate_runs import run
from tests.support.load import patience

PASSWORD = "of a case"
MANY = 20_000
TOML = """
gist = "a case"
prisma = "6.19.3"
applied = ["1_init"]
"""
TABLE = 'CREATE TABLE "A" ("id" INTEGER PRIMARY KEY);\n'

Put = Callable[[Path], psycopg.Connection]


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    with private_directory("case") as place, PrivatePostgres(place, Secret(PASSWORD)) as started:
        yield started


@pytest.fixture
def put(server: PrivatePostgres) -> Iterator[Put]:
    """Puts a case into a new database, and gives a session there."""
    sessions: list[psycopg.Connection] = []

    def into_new(directory: Path) -> psycopg.Connection:
        name = f"case_{next(_NUMBERS)}"
        with connect(server.address, PASSWORD) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        placement.put(server.address, PASSWORD, read_case(directory), name)
        sessions.append(connect(server.address, PASSWORD, database=name))
        return sessions[-1]

    yield into_new
    for session in sessions:
        session.close()


_NUMBERS = itertools.count()


def write(directory: Path, toml: str | None = TOML, /, **files: str | bytes) -> Path:
    """A case; of its files, those that end in sql are beside ``case.toml``, others are migrations."""
    for name, content in {"1_init": TABLE, **files}.items():
        file = (
            directory / f"{name[:-3]}.sql"
            if name.endswith("sql")
            else directory / "migrations" / name / "migration.sql"
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    if toml is not None:
        (directory / "case.toml").write_text(toml, encoding="utf-8")
    return directory


def refused(directory: Path) -> CouldNotCheck:
    with pytest.raises(CouldNotCheck) as caught:
        read_case(directory)
    assert "\n" not in str(caught.value)
    assert str(directory) in caught.value.where
    assert caught.value.remedy
    return caught.value


# What is read


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (None, "the case has no case.toml"),
        ("gist = ", "case.toml is not TOML: Invalid value"),
        ("x = " + "[" * 5000, "case.toml is not TOML"),
        (TOML.replace("prisma", "prism"), "there is no key prism"),
        (TOML.replace('gist = "a case"', ""), "gist is missing"),
        ('gist = ""\nprisma = "6.19.3"', "applied is missing"),
        (TOML + "rows = []", "there is no key rows"),
        (TOML.replace('"6.19.3"', '"6"'), "prisma must be one version"),
        (TOML.replace('"6.19.3"', "6"), "prisma must be text"),
        (TOML.replace('["1_init"]', '"1_init"'), "applied must be a list of names"),
        (TOML.replace('["1_init"]', "[1]"), "applied must be a list of names"),
        (TOML.replace('["1_init"]', '["1_init", "1_init"]'), "applied has 1_init twice"),
        (TOML.replace('["1_init"]', '["1_inti"]'), "applied has 1_inti, and migrations has no file of it"),
        (TOML.replace('["1_init"]', '["../1_init"]'), "applied has ../1_init"),
        (TOML + "row = [1]", "row must be [[row]] tables"),
        (TOML + "[row]\nname = 'x'", "row must be a [[row]]"),
        (TOML + "[[row]]\nfinished = true", "row 1: name is missing"),
        (TOML + "[[row]]\nname = 'x'\nfinnished = true", "row 1: there is no key finnished"),
        (TOML + "[[row]]\nname = 'x'\nfinished = 'no'", "row 1: finished must be true or false"),
        (TOML + "[[row]]\nname = 'x'\nchecksum = 'of the file'", "migrations has no file of x"),
    ],
)
def test_case_file_that_is_wrong_is_one_line(tmp_path: Path, toml: str | None, said: str) -> None:
    assert said in refused(write(tmp_path / "case", toml)).what


@pytest.mark.parametrize("name", ["case.toml", "before.sql", "after.sql"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("SELECT 1;".encode("utf-16"), "is UTF-16"),
        (b"-- \xe9", "is not UTF-8 at byte 3"),
        (b"-- \0", "holds a NUL character"),
        (None, "is not a regular file"),
        (51_000_000, "is larger than"),
    ],
)
def test_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, content: bytes | int | None, said: str
) -> None:
    file = write(tmp_path / "case") / name
    file.unlink(missing_ok=True)
    fill(file, content)
    assert said in refused(tmp_path / "case").what


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("SELECT 1;".encode("utf-16"), "an applied migration is UTF-16"),
        (None, "applied has 1_init, whose directory has no migration.sql"),
        (51_000_000, "the migration is larger than"),
    ],
)
def test_applied_migration_that_cannot_be_run_is_one_line(
    tmp_path: Path, content: bytes | int | None, said: str
) -> None:
    file = write(tmp_path / "case") / "migrations" / "1_init" / "migration.sql"
    file.unlink()
    fill(file, content)
    assert said in refused(tmp_path / "case").what


def fill(file: Path, content: bytes | int | None) -> None:
    """A file with a content, or of a size; a directory in its place."""
    if content is None:
        file.mkdir()
        return
    file.write_bytes(b"" if isinstance(content, int) else content)
    if isinstance(content, int):
        os.truncate(file, content)


def test_links_out_of_the_case_pipes_and_too_much_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linked = write(tmp_path / "linked")
    (linked / "migrations" / "2_out").symlink_to("/etc")
    assert "leads out of the case" in refused(linked).what
    piped = write(tmp_path / "piped")
    os.mkfifo(piped / "before.sql")
    assert "neither a file nor a directory" in refused(piped).what
    (bare := tmp_path / "bare").mkdir()
    (bare / "case.toml").write_text(TOML)
    assert "no directory migrations" in refused(bare).what
    assert "not a directory" in refused(bare / "case.toml").what
    monkeypatch.setattr("sandbox.case._MOST_ENTRIES", 2)
    assert "more than 2 files" in refused(write(tmp_path / "many")).what


def test_link_within_the_case_and_a_pending_file_of_any_kind_are_taken(tmp_path: Path) -> None:
    directory = write(tmp_path / "case", **{"2_x": "SELECT 1;".encode("utf-16"), "3_y": b"\xe9"})
    (directory / "before.sql").symlink_to("migrations/1_init/migration.sql")
    case = read_case(directory)
    assert case.scripts == {"before.sql": TABLE}
    assert [migration.name for migration in case.migrations.migrations] == ["1_init", "2_x", "3_y"]


# What is put in place


def test_case_is_put_in_place_as_it_is_described(tmp_path: Path, put: Put) -> None:
    toml = """
        gist = "all of it"
        prisma = "6.19.3"
        applied = ["1_init", "3_crlf", "4 blank añade"]
        [[row]]
        name = "0_squashed"
        [[row]]
        name = "2_half"
        checksum = "of the file"
        finished = false
        logs = "ERROR: boom"
        [[row]]
        name = "2_half"
        checksum = "manual"
        finished = false
        rolled_back = true
    """
    crlf = 'CREATE SCHEMA other;\r\nCREATE TABLE other."B" ();\r\n'
    directory = write(
        tmp_path / "case", toml,
        **{
            "beforesql": "CREATE ROLE reader; CREATE TABLE before ();", "2_half": "SELECT 1;", "3_crlf": crlf,
            "4 blank añade": 'GRANT SELECT ON "A" TO reader;', "5_pending": "SELECT 1 / 0;",
            "aftersql": 'CREATE INDEX CONCURRENTLY a ON "A" (id);\nINSERT INTO "A" VALUES (1);',
        },
    )  # fmt: skip
    database = put(directory)
    rows: list[tuple[Any, ...]] = database.execute(
        "SELECT migration_name, checksum, finished_at IS NULL, rolled_back_at IS NULL, logs, applied_steps_count"
        " FROM _prisma_migrations ORDER BY started_at"
    ).fetchall()
    assert rows == [
        ("1_init", checksum(TABLE), False, True, None, 1),
        ("3_crlf", checksum(crlf), False, True, None, 1),
        ("4 blank añade", checksum('GRANT SELECT ON "A" TO reader;'), False, True, None, 1),
        ("0_squashed", "0" * 64, False, True, None, 0),
        ("2_half", checksum("SELECT 1;"), True, True, "ERROR: boom", 0),
        ("2_half", "manual", True, False, None, 0),
    ]
    left = database.execute(
        "SELECT to_regclass('other.\"B\"'), to_regclass('before'), to_regclass('a'), "
        "has_table_privilege('reader', '\"A\"', 'SELECT'), (SELECT count(*) FROM \"A\")"
    ).fetchall()
    assert None not in left[0]
    assert left[0][3:] == (True, 1)


@pytest.mark.parametrize(
    "leaves",
    [
        "SELECT pg_catalog.set_config('search_path', '', false);",
        "SET default_transaction_read_only = on; SELECT 1;",
        "CREATE ROLE nobody_here; SET ROLE nobody_here;",
        'CREATE TEMPORARY TABLE "B" (); PREPARE x AS SELECT 1; SELECT pg_advisory_lock(72707369);',
    ],
)
def test_what_an_applied_file_leaves_in_its_session_ends_with_it(tmp_path: Path, put: Put, leaves: str) -> None:
    toml = TOML.replace('"1_init"', '"1_init", "2_leaves", "3_next"')
    directory = write(tmp_path / "case", toml, **{"2_leaves": leaves, "3_next": 'CREATE TABLE "B" ();'})
    assert put(directory).execute('SELECT count(*) FROM _prisma_migrations, "B"').fetchall() == [(0,)]


def test_applied_file_is_decoded_as_prisma_decodes_it(tmp_path: Path, put: Put) -> None:
    latin = "COMMENT ON TABLE \"A\" IS 'caf\xe9';".encode("latin-1")
    directory = write(tmp_path / "case", TOML.replace('"1_init"', '"1_init", "2_latin"'), **{"2_latin": latin})
    said = put(directory).execute("SELECT obj_description('\"A\"'::regclass)").fetchall()
    assert said == [("caf\ufffd",)]


def test_applied_file_is_sent_as_its_prisma_sends_it(tmp_path: Path, put: Put) -> None:
    toml = TOML.replace('"1_init"', '"1_init", "2_index"')
    both = 'CREATE INDEX CONCURRENTLY i ON "A" (id);\nCREATE TABLE "B" ();'
    with pytest.raises(CouldNotCheck, match="25001"):
        put(write(tmp_path / "whole", toml, **{"2_index": both}))
    database = put(write(tmp_path / "alone", toml.replace("6.19.3", "7.5.0"), **{"2_index": both}))
    assert database.execute("SELECT to_regclass('i') IS NOT NULL").fetchall() == [(True,)]


@pytest.mark.parametrize(
    ("file", "sql", "said"),
    [
        ("beforesql", "SELECT 1;\nSELECT x;", "before.sql fails: 42703: column \"x\" does not exist, line 2"),
        ("aftersql", "VACUUM;\nSELECT * FROM nowhere;", "after.sql fails: 42P01"),
        ("aftersql", "BEGIN;\nSELECT 1;", "after.sql leaves its transaction open"),
        ("1_init", "SELECT 1 / 0;", "migration.sql fails: 22012: division by zero"),
        ("1_init", "/* /* */ SELECT 1;", "migration.sql fails: 42601: unterminated /* comment"),
        ("1_init", "SELECT 'a", "migration.sql fails: 42601: unterminated quoted string"),
        ("1_init", "BEGIN; SELECT 1;", "migration.sql leaves its transaction open"),
        ("1_init", "COPY pg_class TO STDOUT;", "migration.sql fails"),
        ("1_init", "SELECT pg_terminate_backend(pg_backend_pid());", "migration.sql fails"),
        ("1_init", "DROP TABLE _prisma_migrations", "the case cannot be recorded: 42P01"),
        ("beforesql", "DROP SCHEMA public", "the case cannot be recorded: 3F000"),
        ("aftersql", "DROP TABLE _prisma_migrations; SELECT x", "after.sql fails: 42703"),
    ],
)  # fmt: skip
def test_file_that_fails_is_one_line(tmp_path: Path, put: Put, file: str, sql: str, said: str) -> None:
    with pytest.raises(CouldNotCheck) as caught:
        put(write(tmp_path / "case", **{file: sql}))
    assert said in caught.value.what
    assert "\n" not in str(caught.value)


def test_row_that_does_not_fit_is_one_line(tmp_path: Path, put: Put) -> None:
    toml = TOML + f'[[row]]\nname = "x"\nchecksum = "{"0" * 65}"'
    with pytest.raises(CouldNotCheck, match="row 1 cannot be recorded: 22001"):
        put(write(tmp_path / "case", toml))


def test_case_that_takes_too_long_is_stopped(tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "_LIMIT_S", 0.3)
    with pytest.raises(CouldNotCheck, match=r"takes longer than 0\.3 s"):
        put(write(tmp_path / "case", aftersql="SELECT pg_sleep(60);"))


@pytest.mark.parametrize("prisma", ["6.19.3", "7.5.0"])
def test_file_of_many_inserts_is_put_in_place_in_seconds(tmp_path: Path, put: Put, prisma: str) -> None:
    toml = TOML.replace('"1_init"', '"1_init", "2_seed"').replace("6.19.3", prisma)
    seed = "".join(f'INSERT INTO "A" VALUES ({number});\n' for number in range(MANY))
    directory = write(tmp_path / "case", toml, **{"2_seed": seed})
    begun = time.monotonic()
    assert put(directory).execute('SELECT count(*) FROM "A"').fetchall() == [(MANY,)]
    assert time.monotonic() - begun < patience(10)


# The option


def test_case_is_named_in_the_header_and_judged_with_its_prisma(tmp_path: Path) -> None:
    result = run("--env=local", f"--case={write(tmp_path / 'case', TOML.replace('6.19.3', '7.10.1'))}", "-v")
    assert f"case: {tmp_path / 'case'}" in result.out
    assert "7.10.1 (backend/package-lock.json)" in result.out
    assert "1 in " in result.out


def test_case_that_cannot_be_put_in_place_ends_the_run_in_one_line(tmp_path: Path) -> None:
    wrong = write(tmp_path / "case", beforesql="SELECT 1 / 0;")
    for words in ([], ["-n", "2"]):
        result = run("--env=local", f"--case={wrong}", "-q", *words)
        assert result.status == 4
        assert [line for line in result.text.splitlines() if "division" in line] == [
            f"ERROR: before.sql fails: 22012: division by zero ({wrong / 'before.sql'}). Correct the file."
        ]
        assert "HEALTHY" not in result.out
        assert "UNKNOWN" not in result.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--env=local", "--case=nowhere"], "--case: there is no directory"),
        (["--env=dev", "--case=checks"], "--case is put into the local environment only"),
        (["--env=local", "--case=checks", "--fault=failed-migration"], "--case and --fault"),
        (["--env=local", "--case=checks", "--migrations=checks"], "--case and --migrations"),
        (["--env=local", "--case=checks"], "the case has no case.toml"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: list[str], said: str) -> None:
    result = run(*words, "-q", cwd=ROOT)
    assert (result.status, said in result.err) == (4, True), result.text
