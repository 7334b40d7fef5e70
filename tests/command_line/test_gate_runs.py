"""Forked runs are what runs in a process of their own are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from plugins.paths import ROOT
from tests.support import sandbox as harness
from tests.support.gate_runs import Result, run

OWN = """
import atexit, json, os, signal, sys, tempfile, threading

def test_process():
    atexit.register(os.write, 1, b"the end")
    threading.Thread(target=lambda: threading.main_thread().join() or os.write(2, b"a thread")).start()
    shown = {
        "argv": [sys.argv[0], len(sys.argv)], "path": sys.path, "main": sys.modules["__main__"].__name__,
        "place": os.getcwd(), "variables": dict(os.environ), "temporary": tempfile.gettempdir(),
        "input": os.fstat(0).st_rdev, "umask": os.umask(0o22),
        "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd") if int(name) < 3),
        "foreign": [name for name in sys.modules if name.startswith(("moto", "tests.", "sandbox"))],
    }
    del shown["variables"]["PYTEST_CURRENT_TEST"]
    with open(os.environ["SHOWN"], "w") as file:
        json.dump(shown, file)
    assert not "to fail"
"""


def text(result: Result) -> str:
    """The output without what differs from run to run."""
    return re.sub(r"\d+\.\d+s", "…", f"{result.status}\n{result.out}\n{result.err}")


@pytest.mark.parametrize(
    "words", [["--help"], ["checks", "--env=dev", "--co"], ["-k", "no_such_check"], ["--format=x"]]
)
def test_the_output_of_a_forked_run_is_a_real_ones(words: list[str]) -> None:
    assert text(run(*words)) == text(run(*words, real=True))


def test_the_process_of_a_forked_run_is_as_a_real_one(tmp_path: Path) -> None:
    file = tmp_path / "test_own.py"
    file.write_text(OWN)

    def ran(*, real: bool) -> tuple[str, dict[str, Any]]:
        variables = {"TMPDIR": str(tmp_path), "TZ": "Asia/Tokyo", "SHOWN": str(tmp_path / "shown")}
        words = ["-c", str(ROOT / "pytest.ini"), "-p", "conftest", str(file)]
        result = run(*words, cwd=tmp_path, env=variables, real=real)
        return text(result), json.loads((tmp_path / "shown").read_text())

    forked, real = ran(real=False), ran(real=True)
    assert forked[1] == real[1]
    assert forked[0] == real[0]
    assert "the end" in forked[0]
    assert "a thread" in forked[0]
    assert "Warning" not in forked[0]


def test_with_workers_one_of_them_judges_an_environment_and_its_plan(tmp_path: Path) -> None:
    with harness.sandbox("half-applied") as entry:
        result = run(*harness.registry(tmp_path, entry), "-n2", f"--report={tmp_path / 'report'}")
    assert result.status == 1
    (environment,) = json.loads((tmp_path / "report" / "report.json").read_text())["environments"]
    assert environment["rehearsal"]["status"] == "proven"
