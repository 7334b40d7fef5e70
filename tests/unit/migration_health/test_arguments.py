"""What the launcher makes of the user's arguments, wherever they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_health import arguments


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite under a path with a space."""
    root = tmp_path / "a suite"
    (root / "tests").mkdir(parents=True)
    (root / "checks").mkdir()
    (root / "checks" / "test_a.py").touch()
    (tmp_path / "app").mkdir()
    return root


def completed(suite: Path, folder: str, words: list[str]) -> list[str]:
    """The arguments after those that are always there."""
    where = ["-c", f"{suite}/pytest.ini", "--rootdir", str(suite)]
    result = arguments.complete(words, suite, suite / folder)
    assert result[: len(where)] == where
    return result[len(where) :]


def test_each_option_that_takes_a_value_is_known(pytestconfig: pytest.Config) -> None:
    groups = {group.name: group for group in pytestconfig._parser._groups}
    own = [*groups["migration health"].options, *groups["tests of this project"].options]
    valued = [name for option in own for name in option.names() if option._action.nargs is None]
    assert sorted(valued) == sorted(arguments.VALUED)


@pytest.mark.parametrize(
    ("folder", "words", "passed"),
    [
        ("checks", ["--env=local"], ["{root}/checks", "--env=local"]),
        ("checks", ["--env", "local", "--app", ".."], ["{root}/checks", "--env=local", "--app=.."]),
        ("checks", ["--report", "checks", "-k", "x"], ["{root}/checks", "--report=checks", "-k", "x"]),
        ("checks", ["checks/test_a.py"], ["checks/test_a.py"]),
        ("tests", ["-q"], ["{root}/tests", "-q"]),
        ("tests", ["tests/ci", "-q"], ["tests/ci", "-q"]),
        ("tests", ["--histories", "tests/x.json"], ["{root}/tests", "--histories=tests/x.json"]),
        ("tests", ["tests/test_a.py::test_b"], ["tests/test_a.py::test_b"]),
    ],
)
def test_in_the_suite_a_value_is_no_place_of_tests(
    suite: Path, monkeypatch: pytest.MonkeyPatch, folder: str, words: list[str], passed: list[str]
) -> None:
    monkeypatch.chdir(suite)
    assert completed(suite, folder, words) == [word.format(root=suite) for word in passed]


@pytest.mark.parametrize(
    ("folder", "words", "passed"),
    [
        ("checks", ["--app=../app", "--report=out"], ["{root}/checks", "--app=../app", "--report=out"]),
        ("checks", ["../a suite/checks"], ["../a suite/checks"]),
        ("checks", ["../a suite/checks/test_a.py::test_b"], ["../a suite/checks/test_a.py::test_b"]),
        ("checks", ["checks/test_a.py::test_b[x]"], ["{root}/checks/test_a.py::test_b[x]"]),
        ("tests", [], ["{root}/tests"]),
    ],
)
def test_elsewhere_pytest_is_told_where_the_checks_are(
    suite: Path, monkeypatch: pytest.MonkeyPatch, folder: str, words: list[str], passed: list[str]
) -> None:
    monkeypatch.chdir(suite.parent / "app")
    assert completed(suite, folder, words) == [word.format(root=suite) for word in passed]
