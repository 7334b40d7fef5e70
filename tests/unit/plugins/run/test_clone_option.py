"""``--clone`` and ``--rows``: on the command line, in pytest.ini and in the registry."""

from __future__ import annotations

import subprocess
import sys

import pytest

from health.clone.server_choice import CloneOption
from health.config.validation import RegistryError
from plugins.paths import ROOT
from plugins.run.options import _clone, _rows
from tests.support.load import patience

PASSWORD = "of-the-clone-server"


class Config:
    """What pytest knows of the options."""

    def __init__(self, option: str | None, ini: str) -> None:
        self.option, self.ini = option, ini

    def getoption(self, name: str) -> str | None:
        return self.option

    def getini(self, name: str) -> str:
        return self.ini


@pytest.mark.parametrize(
    ("option", "ini", "wanted"),
    [
        (None, "", None),
        (None, "off", CloneOption("off", source="pytest.ini")),
        ("docker", "off", CloneOption("docker", source="--clone")),
    ],
)
def test_the_command_line_comes_first(option: str | None, ini: str, wanted: CloneOption | None) -> None:
    assert _clone(Config(option, ini)) == wanted  # type: ignore[arg-type]  # in place of pytest's own


def test_a_variable_keeps_the_password_off_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLONE_PW", PASSWORD)
    wanted = _clone(Config("postgresql://me:${CLONE_PW}@host", ""))  # type: ignore[arg-type]
    assert wanted is not None
    assert wanted.login is not None
    assert wanted.login.password.reveal() == PASSWORD
    with pytest.raises(RegistryError, match="--clone: clone is none of auto, embedded"):
        _clone(Config("nowhere", ""))  # type: ignore[arg-type]


def test_rows_are_not_copied_to_a_server_that_stays() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-c", "pytest.ini", "--rootdir", ".", "--env=local", "--rows=1MB",
         f"--clone=postgresql://me:{PASSWORD}@host"],
        cwd=ROOT, capture_output=True, text=True, timeout=patience(60), check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert "--rows: rows are copied only to a server that ends with the run" in done.stdout + done.stderr


@pytest.mark.parametrize("clone", [("--clone=off",), ("-o", "clone=off")])
def test_rows_are_not_copied_without_a_clone(clone: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-c", "pytest.ini", "--rootdir", ".", "--env=local", "--rows=1MB",
         *clone],
        cwd=ROOT, capture_output=True, text=True, timeout=patience(60), check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert "--rows: rows cannot be copied without a clone, and clone is off" in done.stdout + done.stderr


def test_rows_take_a_size() -> None:
    assert _rows(Config("10MB", "")) == 10_000_000  # type: ignore[arg-type]  # in place of pytest's own
    assert _rows(Config(None, "")) is None  # type: ignore[arg-type]
    with pytest.raises(RegistryError, match="--rows: rows 'all' is no size"):
        _rows(Config("all", ""))  # type: ignore[arg-type]


def test_a_wrong_choice_is_a_usage_error_that_shows_no_password() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-c", "pytest.ini", "--rootdir", ".", "--env=local",
         f"--clone=mysql://me:{PASSWORD}@host"],
        cwd=ROOT, capture_output=True, text=True, timeout=patience(60), check=False,
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == 4
    assert "--clone: clone is none of auto, embedded, npm, docker" in told
    assert PASSWORD not in told
