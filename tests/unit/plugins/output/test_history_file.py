"""The file of a history: appended whole or not at all, by one run at a time."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from health.report.history_lines import HistoryError, to_line
from plugins.output import history_file
from plugins.output.history_file import HistoryFile
from plugins.paths import ROOT
from tests.support.load import patience
from tests.support.nights import kept, night

WRITER = """
import sys
from plugins.output.history_file import HistoryFile
from pathlib import Path
from tests.support.nights import kept, night
history = HistoryFile(Path(sys.argv[1]))
for number in range(20):
    history.append(night(number, [kept("failed:" + "x" * 9000)], sys.argv[2]), int(sys.argv[3]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nights.jsonl"


def test_nights_are_kept_and_only_their_owner_reads_them(path: Path) -> None:
    history = HistoryFile(path)
    assert history.read().runs == ()
    runs = tuple(night(number) for number in range(3))
    for run in runs:
        history.append(run, 400)
    assert history.read().runs == runs
    assert path.stat().st_mode & 0o777 == 0o600


def test_after_half_a_line_the_next_begins_on_a_new_one(path: Path) -> None:
    history = HistoryFile(path)
    history.append(night(0), 400)
    with path.open("a") as file:
        file.write(to_line(night(1))[:50])
    assert history.read().damaged == 1
    history.append(night(2), 400)
    read = history.read()
    assert (read.runs, read.damaged) == ((night(0), night(2)), 1)


@pytest.mark.parametrize("nights", [400, 3])
def test_two_writers_at_once_lose_nothing(path: Path, nights: int) -> None:
    words = [sys.executable, "-c", WRITER, str(path)]
    writers = [
        subprocess.Popen([*words, name, str(nights)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        for name in ("prod", "dev")
    ]
    assert [writer.wait(patience(60)) for writer in writers] == [0, 0]
    read = HistoryFile(path).read()
    assert read.damaged == 0
    for name in ("prod", "dev"):
        own = [run.at for run in read.runs if run.nights[0].environment == name]
        assert own == [night(number).at for number in range(0 if nights == 400 else 17, 20)]


@pytest.mark.parametrize("content", ['{"tool": "other"}\n', "\x7fELF\0\0", "- a: list\n"])
def test_a_file_of_another_tool_is_not_touched(path: Path, content: str) -> None:
    path.write_text(content)
    history = HistoryFile(path)
    for use in (history.read, lambda: history.append(night(0), 1)):
        with pytest.raises(HistoryError, match="line 1 is not of a history"):
            use()
    assert path.read_text() == content


def test_on_a_full_disk_the_file_is_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = HistoryFile(path)
    history.append(night(0), 400)
    before, write = path.read_bytes(), os.write
    monkeypatch.setattr("os.write", lambda descriptor, data: write(descriptor, data[:100]))
    with pytest.raises(OSError, match="No space left") as raised:
        history.append(night(1), 400)
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(path))
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_put_in_its_place_leaves_the_old_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = HistoryFile(path)
    history.append(night(0), 400)

    def refuse(*_: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="Permission denied"):
        history.append(night(1), 1)
    assert [run.at for run in history.read().runs] == [night(0).at, night(1).at]
    assert os.listdir(path.parent) == [path.name]


def test_a_lock_that_is_never_given_back_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_file, "LOCK_S", 0.1)
    history = HistoryFile(path)
    with history._locked(), pytest.raises(OSError, match="another program has locked it"):
        HistoryFile(path).read()
    assert HistoryFile(path).read().runs == ()


def test_a_link_stays_one(path: Path) -> None:
    real = path.with_name("real")
    path.symlink_to(real)
    history = HistoryFile(path)
    for number in range(3):
        history.append(night(number), 1)
    assert path.is_symlink()
    assert len(HistoryFile(real).read().runs) == 1


@pytest.mark.parametrize("kind", ["directory", "pipe", "no directory"])
def test_what_is_no_file_is_refused(path: Path, kind: str) -> None:
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = path / "below"
    with pytest.raises((OSError, HistoryError)):
        HistoryFile(path).read()


def test_a_file_that_is_too_large_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = HistoryFile(path)
    history.append(night(0, [kept("failed:a")]), 1)
    monkeypatch.setattr(history_file, "LARGEST", 100)
    with pytest.raises(HistoryError, match="larger than 100 bytes"):
        history.read()
