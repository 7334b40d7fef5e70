"""Finding one's way: ``--help``, ``--list-checks``, and what a shell completes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plugins.paths import ROOT
from tests.support.gate_runs import run
from tests.support.load import patience


def test_help_begins_with_the_suites_options() -> None:
    text = run("--help").out
    assert text.index("migration health:") < text.index("--env=") < text.index("general:")


def test_checks_are_listed_by_topic_with_their_severity() -> None:
    lines = run("--list-checks").out.splitlines()
    topic = lines.index("history:")
    assert lines[topic + 1].split()[:2] == ["no-failed-migration", "error"]
    assert any(line.split()[:2] == ["layer-migrations", "warning/error"] for line in lines)
    told = {check["id"]: check for check in json.loads(run("--list-checks", "--format=json").out)}
    assert (told["stuck-process"]["topic"], told["stuck-process"]["severity"]["before"]) == ("data", "warning")


def complete(line: str, place: Path) -> list[str]:
    pytest.importorskip("argcomplete")
    answer = place / "answer"
    asked = {
        "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9", "_ARGCOMPLETE_COMP_WORDBREAKS": " ",
    }  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    subprocess.run(command, cwd=ROOT, env=os.environ | asked, capture_output=True, timeout=patience(60), check=True)
    return [word.strip() for word in answer.read_text().splitlines()]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("pytest --env prod,loc", "prod,local"),
        ("pytest --explain no-failed-m", "no-failed-migration"),
        ("pytest --fault half-appl", "half-applied"),
    ],
)
def test_a_shell_completes(line: str, word: str, tmp_path: Path) -> None:
    assert word in complete(line, tmp_path)


def test_a_registry_that_is_none_completes_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("[")
    assert "local" not in complete(f"pytest --environments {tmp_path}/x.toml --env ", tmp_path)
