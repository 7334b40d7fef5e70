"""``ci/report DIR``, up to its exit status."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from health.report.record import Record
from plugins.commands.report_page import main
from tests.unit.health.report.test_terminal import record


def written(directory: Path, *names: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    whole = Record("0.1.0", "2026-11-29T06:00:00+00:00", 3.0, 1, tuple(map(record, names)))
    (directory / "report.json").write_text(json.dumps(whole.to_json()))
    return directory


def test_a_page_is_made_for_its_owner_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(written(tmp_path, "several"))]) == 0
    page = tmp_path / "report.html"
    assert capsys.readouterr().out == f"{page}: 1 blocked\n"
    assert page.stat().st_mode & 0o777 == 0o600
    assert "UPDATE t SET x = 1;" in page.read_text()


def test_records_of_several_runs_are_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "dev", "healthy")
    written(tmp_path / "prod", "unknown", "several")
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path), "--output", str(tmp_path / "all.html")]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/all.html: 1 blocked, 1 unknown, 1 healthy\n"
    assert (tmp_path / "all.html").exists()


@pytest.mark.parametrize("kind", ["nothing", "text", "pipe", "directory", "dangling link"])
def test_what_is_no_record_is_one_line(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"
    if kind == "text":
        file.write_text("hello")
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "directory":
        file.mkdir()
    elif kind == "dangling link":
        file.symlink_to("nowhere")
    assert main([str(tmp_path)]) == 4
    said = capsys.readouterr().err
    assert said.startswith(f"report: {tmp_path}")
    assert said.count("\n") == 1
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("output", ["a directory", "nowhere/page.html"])
def test_a_page_that_cannot_be_written_is_status_3(
    output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a directory").mkdir()
    written(tmp_path, "several")
    assert main([str(tmp_path), "--output", str(tmp_path / output)]) == 3
    assert f"{tmp_path / output} could not be written" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["a", "b"], ["--outp=x", "a"]])
def test_a_mistake_is_status_4(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 4
    assert capsys.readouterr().err.count("\n") == 1
