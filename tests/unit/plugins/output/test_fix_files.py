"""The files with the fixes of a run, and the commands that apply them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from health.report.record import EnvironmentResult, FactsOverview, Record, judge_environment
from health.report.results import FixResult
from health.report.terminal import block
from plugins.output import fix_files
from plugins.output.writers import WRITERS
from tests.unit.health.report.test_terminal import EVERY, check, finding, fix

LONG = "DO $health$\nBEGIN\n" + "".join(f"  PERFORM {number};\n" for number in range(20)) + "END $health$;\n"
DIFF = "--- a/x.sh\n+++ b/x.sh\n@@ -1 +1 @@\n-old\n+new\n"


def judged(name: str, *fixes: FixResult) -> EnvironmentResult:
    checks = [check("one", "failed", finding("failed-migration", "m1", fixes=fixes))]
    result = judge_environment(name, "before", checks, EVERY)
    return replace(result, overview=FactsOverview(psql_command="psql shop -v ON_ERROR_STOP=1"))


def record(*environments: EnvironmentResult) -> Record:
    return Record("", "", 0.0, 1, environments)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "migration-health" / "fixes"


def test_what_the_terminal_cuts_stands_whole_in_the_file_that_it_names(
    home: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = judged("prod", fix("sql", "Mend it", LONG))
    shown = list(block(environment, False, lambda text, _: text))
    assert f"       {LONG.splitlines()[9]}" in shown
    assert f"       {LONG.splitlines()[10]}" not in shown
    assert "       … 13 more lines: fixes-prod.sql" in shown
    assert LONG.splitlines()[-1] in "\n".join(block(environment, True, lambda text, _: text))
    fix_files.write(pytestconfig, record(environment))
    (last,) = capsys.readouterr().out.splitlines()
    words = shlex.split(last.partition("owner of the tables: ")[2])
    assert words[:-1] == ["psql", "shop", "-v", "ON_ERROR_STOP=1", "-f"]
    assert LONG in Path(words[-1]).read_text()
    assert Path(words[-1]).name == "fixes-prod.sql"


def test_nobody_else_can_read_them(home: Path, pytestconfig: pytest.Config) -> None:
    fix_files.write(pytestconfig, record(judged("prod", fix("sql", "Mend it", LONG))))
    (made,) = home.iterdir()
    assert [path.stat().st_mode & 0o777 for path in (home, made, *made.iterdir())] == [0o700, 0o700, 0o600]


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no patch")
def test_a_patch_is_a_file_and_the_line_applies_it(
    home: Path, tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    app = tmp_path / "an app"
    app.mkdir()
    (app / "x.sh").write_text("old\n")
    fixes = fix("patch", "Put it in", DIFF, note=f"patch -d '{app}' -p1 < endpoint.diff")
    fix_files.write(pytestconfig, record(judged("prod", fixes)))
    (last,) = capsys.readouterr().out.splitlines()
    subprocess.run(last.partition("is applied by: ")[2], shell=True, cwd=tmp_path, check=True, timeout=60)
    assert (app / "x.sh").read_text() == "new\n"


def test_nothing_is_written_where_nothing_is_to_be_applied(
    home: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    fix_files.write(pytestconfig, record(judged("prod", fix("command", "Deploy", "npx frigg deploy"))))
    assert (capsys.readouterr().out, home.exists()) == ("", False)


def test_sql_that_is_not_to_be_run_yet_has_no_command(home: Path) -> None:
    environment = judged("prod", fix("sql", "Mend it", LONG), FixResult("wait", "Wait 15 min", "", rank=8))
    (line,) = fix_files.commands(record(environment), home)
    assert "none of the SQL is to be run yet" in line
    assert "psql" not in line


def test_old_ones_go_and_young_ones_stay(
    home: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = record(judged("prod", fix("sql", "Mend it", LONG)))
    for _ in range(22):
        fix_files.write(pytestconfig, one)
    assert len(list(home.iterdir())) == 22
    monkeypatch.setattr(fix_files, "_YOUNG_S", -1.0)
    fix_files.write(pytestconfig, one)
    assert len(list(home.iterdir())) == 20


def test_without_a_place_of_the_users_own_it_is_a_new_private_directory(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fix_files.write(pytestconfig, record(judged("prod", fix("sql", "Mend it", LONG))))
    path = Path(capsys.readouterr().out.split()[-1])
    assert path.is_relative_to(tmp_path)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    fix_files.write(pytestconfig, record(judged("prod", fix("sql", "Mend it", LONG))))
    assert capsys.readouterr().out.startswith("The fixes could not be written: No such file")


def test_they_are_written_where_no_report_is_asked_for() -> None:
    assert [writer.function for writer in WRITERS if writer.name == "fixes"] == ["plugins.output.fix_files:write"]
