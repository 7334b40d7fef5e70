"""What the commands and patches for a migrations directory do to a real one, whatever its names."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from fixtures.migrations.directory import read_migrations
from health.finding import Fix
from health.history.history import History
from health.history.rows import HistoryTable
from health.migrations.directory import file_problem
from health.prisma.engine import LOCK_FILE
from plugins.run.check_catalog import all_checks
from tests.support.bash import bash
from tests.support.fix_cases import NOW, Facts, fixes_of
from tests.support.hostile import HOSTILE, file_name

GOOD = 'provider = "postgresql"\n'
MARKED, OPEN = b"\xef\xbb\xbfSELECT 1;", b"BEGIN;\nSELECT 1;"
CODES = ("no-migration-sql", "byte-order-mark", "transaction-left-open", "no-lock-file")


def facts_of(path: Path) -> Facts:
    directory = read_migrations(path, "a test")
    return {"migrations": directory, "history": History(directory, HistoryTable("public", True, (), NOW))}


def contents(path: Path) -> dict[str, Any]:
    """What stands below a directory: the bytes of files, None for directories."""
    found = sorted(path.rglob("*"))
    return {str(each.relative_to(path)): each.read_bytes() if each.is_file() else None for each in found}


def only(fixes: list[Fix]) -> Fix:
    (fix,) = fixes
    return fix


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:40])
def test_each_command_mends_its_finding_and_its_undo_takes_it_back(tmp_path: Path, text: str) -> None:
    path = tmp_path / file_name(text)
    empty, marked, left_open = (path / f"{number}{file_name(text)}" for number in range(3))
    for each in (empty, marked, left_open):
        each.mkdir(parents=True)
    (marked / "migration.sql").write_bytes(MARKED)
    (left_open / "migration.sql").write_bytes(OPEN)
    facts = facts_of(path)
    fixes = {code: only(fixes_of(code, facts)) for code in CODES}
    before = contents(path)
    assert bash("\n".join(fix.body for fix in fixes.values()), tmp_path) == ""
    assert contents(path) == {
        marked.name: None,
        f"{marked.name}/migration.sql": b"SELECT 1;",
        left_open.name: None,
        f"{left_open.name}/migration.sql": OPEN + b"\nCOMMIT;\n",
        LOCK_FILE: GOOD.encode(),
    }
    assert [file_problem(migration) for migration in read_migrations(path, "").migrations] == [None, None]
    after = contents(path)
    assert bash(f"! {{ {fixes['byte-order-mark'].body}; }}", tmp_path) == ""  # it has nothing to do any more
    assert contents(path) == after
    undos = [fix.undo for code, fix in fixes.items() if code != "transaction-left-open"]
    assert bash("\n".join(undo or "false" for undo in undos), tmp_path) == ""
    assert contents(path) == {**before, f"{left_open.name}/migration.sql": OPEN + b"\nCOMMIT;\n"}
    assert not Path("/tmp/owned").exists()


def test_a_directory_that_is_not_empty_stays(tmp_path: Path) -> None:
    (tmp_path / "1" / "notes").mkdir(parents=True)
    fix = only(fixes_of("no-migration-sql", facts_of(tmp_path)))
    bash(f"! {fix.body} 2> /dev/null", tmp_path)
    assert (tmp_path / "1" / "notes").exists()


LOCKS = {
    "wrong-provider": ['provider = "mysql"\n', 'provider = "mysql"', "", "# nothing\n", "provider=postgresql\n\n"],
    "conflicted-lock-file": [f'<<<<<<< ours\n{GOOD}=======\nprovider = "mysql"\n>>>>>>> theirs\n'],
}


@pytest.mark.skipif(shutil.which("patch") is None, reason="patch is not installed")
@pytest.mark.parametrize(("code", "before"), [(code, text) for code, texts in LOCKS.items() for text in texts])
@pytest.mark.parametrize("name", ["plain", file_name(HOSTILE[12]), file_name(HOSTILE[14])])
def test_the_patch_leaves_the_one_line(tmp_path: Path, code: str, before: str, name: str) -> None:
    path = tmp_path / name
    path.mkdir()
    (path / LOCK_FILE).write_text(before, newline="")
    fix = only(fixes_of(code, facts_of(path)))
    (tmp_path / "lock.diff").write_text(fix.body, newline="")
    bash(fix.note, tmp_path)
    assert (path / LOCK_FILE).read_text() == GOOD
    assert not fixes_of(code, facts_of(path))
    bash(fix.undo or "false", tmp_path)
    assert (path / LOCK_FILE).read_text() == before


@pytest.mark.parametrize("before", ['provider = "mysql"\r\n', 'provider = "my\x1b[2Jsql"\n'])
def test_a_lock_file_that_cannot_be_printed_gets_no_patch(tmp_path: Path, before: str) -> None:
    (tmp_path / LOCK_FILE).write_text(before, newline="")
    assert not fixes_of("wrong-provider", facts_of(tmp_path))


SQL = 'CREATE TABLE "T" (a int); -- \N{LATIN SMALL LETTER U WITH DIAERESIS}\n'
UTF_16 = {
    "with a mark, little": b"\xff\xfe" + SQL.encode("utf-16-le"),
    "with a mark, big": b"\xfe\xff" + SQL.encode("utf-16-be"),
    "without, little": SQL.encode("utf-16-le"),
    "without, big": SQL.encode("utf-16-be"),
}


@pytest.mark.skipif(shutil.which("iconv") is None, reason="iconv is not installed")
@pytest.mark.parametrize("name", UTF_16)
def test_a_file_in_utf_16_is_named_and_saved_as_utf_8(tmp_path: Path, name: str) -> None:
    file = tmp_path / "1" / "migration.sql"
    file.parent.mkdir()
    file.write_bytes(UTF_16[name])
    fix = only(fixes_of("utf-16-file", facts_of(tmp_path)))
    assert bash(fix.body, tmp_path) == ""
    assert file.read_text() == SQL
    assert not fixes_of("utf-16-file", facts_of(tmp_path))
    assert bash(fix.undo or "false", tmp_path) == ""
    assert file.read_bytes() == UTF_16[name]


def test_characters_that_are_not_utf_8_are_counted(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "migration.sql").write_bytes(SQL.encode("latin-1"))
    (found,) = all_checks()["migration-files"].judge(facts_of(tmp_path))
    assert (found.code, found.message.split(":")[0]) == ("not-utf-8", "1 character of its file is not UTF-8")
