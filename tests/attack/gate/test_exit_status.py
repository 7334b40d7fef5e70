"""Whatever options pytest is given, a gate passes only what was judged, and tells what blocks from what is unknown."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.output.private_files import locked
from plugins.paths import ROOT
from tests.support import sandbox as harness
from tests.support.gate_runs import run

UNKNOWN, FULL_DISK = 10, Path("/dev/full")


@pytest.fixture(scope="module")
def unanswered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The options of runs over an environment in which nothing is wrong and AWS says nothing."""
    with harness.sandbox("throttled") as entry:
        yield harness.registry(tmp_path_factory.mktemp("unanswered"), entry)


@pytest.fixture(scope="module")
def orphaned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    with harness.sandbox("orphaned-migration") as entry:
        yield harness.registry(tmp_path_factory.mktemp("orphaned"), entry)


@pytest.mark.parametrize(
    "options",
    [[], ["--maxfail=2"], ["-n2", "-x"], ["checks/test_aws.py", "-x"], ["--runxfail", "-k", "cluster"]],
    ids=" ".join,
)
def test_a_question_without_an_answer_is_neither_a_pass_nor_a_failure(
    unanswered: list[str], options: list[str], tmp_path: Path
) -> None:
    result = run(*unanswered, *options, f"--junitxml={tmp_path / 'junit.xml'}", f"--report={tmp_path}")
    record = json.loads((tmp_path / "report.json").read_text())
    assert [environment["verdict"] for environment in record["environments"]] == ["unknown"], result.text
    assert (result.status, record["exit_status"]) == (UNKNOWN, UNKNOWN), result.text


@pytest.mark.parametrize("options", [["-x"], ["-n2", "-x"], ["-k", "orphan"]], ids=" ".join)
def test_what_blocks_blocks(orphaned: list[str], options: list[str]) -> None:
    result = run(*orphaned, *options)
    assert result.status == 1, result.text
    assert "BLOCKED" in result.out


# All of it is refused before the environment is started.
REFUSED = {
    "shown instead of judged": (["--fixtures"], {}, "--fixtures does not go with --env"),
    "of each test": (["--fixtures-per-test"], {}, "--fixtures-per-test does not go with --env"),
    "marks": (["--markers"], {}, "--markers does not go with --env"),
    "-k unseen": ([], {"PYTEST_ADDOPTS": "-k api"}, "PYTEST_ADDOPTS selects checks by -k"),
    "-m unseen": ([], {"PYTEST_ADDOPTS": "-m 'not slow'"}, "PYTEST_ADDOPTS selects checks by -m"),
    "deselected unseen": ([], {"PYTEST_ADDOPTS": "--deselect checks/test_aws.py"}, "by --deselect"),
    "deselected beside": (["-k", "api"], {"PYTEST_ADDOPTS": "--deselect checks/test_aws.py"}, "by --deselect"),
    "ignored unseen": ([], {"PYTEST_ADDOPTS": "--ignore=checks/test_aws.py"}, "by --ignore"),
    "a glob unseen": ([], {"PYTEST_ADDOPTS": "--ignore-glob=*aws*"}, "by --ignore-glob"),
    "a file unseen": ([], {"PYTEST_ADDOPTS": "checks/test_aws.py"}, "selects checks by checks/test_aws.py"),
    "a test unseen": ([], {"PYTEST_ADDOPTS": "checks/test_aws.py::test_one_cluster"}, "selects checks by checks/"),
    "an ini file's": (["-o", "addopts=-k api"], {}, "addopts of"),
    "an ini file's names": (["-o", "python_functions=test_api*"], {}, "would not run"),
    "an ini file's files": (["-o", "python_files=test_a*.py"], {}, "would not run"),
    "an ini file's paths": (["-o", "testpaths=checks/test_aws.py"], {}, "would not run"),
    "with workers": (["-o", "python_files=test_a*.py", "-n2"], {}, "would not run"),
    "our plugin": (["-p", "no:plugins.run.recorder"], {}, "-p no:plugins.run.recorder: the checks need it"),
    "our plugin unseen": ([], {"PYTEST_ADDOPTS": "-p no:plugins.run.recorder"}, "the checks need it"),
    "our recorder": (["-p", "no:migration-health-recorder"], {}, "the checks need it"),
    "our facts": (["-p", "no:migration-health-facts"], {}, "the checks need it"),
    "our options": (["-p", "no:plugins.run.options"], {}, "--env"),
    "no conftest": (["--noconftest"], {}, "--env"),
}


@pytest.mark.parametrize(("options", "variables", "told"), REFUSED.values(), ids=REFUSED)
def test_a_run_that_would_judge_less_than_it_seems_to_is_refused(
    options: list[str], variables: dict[str, str], told: str
) -> None:
    result = run("--env=local", *options, env=variables)
    assert result.status == 4, result.text
    assert told in result.err
    assert "Traceback" not in result.text


@pytest.mark.parametrize("options", [["--co"], ["--co", "-n2"], ["--co", "-q"]], ids=" ".join)
def test_collecting_judges_nothing(options: list[str]) -> None:
    assert run("--env=local", *options).status == 5


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only"])
def test_setting_up_judges_nothing(orphaned: list[str], option: str) -> None:
    assert run(*orphaned, option).status == 5


def test_display_options_may_come_from_anywhere(orphaned: list[str]) -> None:
    options = "-q --tb=short --durations=3 -p no:cacheprovider -ra"
    result = run(*orphaned, "-k", "orphan", env={"PYTEST_ADDOPTS": options})
    assert result.status == 1, result.text


HIDING = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.MARK)
"""


@pytest.mark.parametrize("mark", ["skip(reason='later')", "xfail", "skipif(True, reason='later')"])
def test_a_mark_hides_nothing(orphaned: list[str], mark: str, tmp_path: Path) -> None:
    (tmp_path / "hiding.py").write_text(HIDING.replace("MARK", mark))
    path = f"{ROOT}{os.pathsep}{tmp_path}"
    result = run(*orphaned, "-p", "hiding", "-k", "orphan", env={"PYTHONPATH": path})
    assert result.status == (1 if mark == "xfail" else UNKNOWN), result.text


DESELECTING = """
def pytest_collection_modifyitems(items):
    del items[3:]
"""


@pytest.mark.parametrize("options", [[], ["-n2"]], ids=" ".join)
def test_a_plugin_takes_no_check_away(orphaned: list[str], options: list[str], tmp_path: Path) -> None:
    (tmp_path / "fewer.py").write_text(DESELECTING)
    result = run(*orphaned, "-p", "fewer", *options, env={"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"})
    assert result.status == 4, result.text
    assert "would not run" in result.err


# A test of the user's own.
MINE, USES_IT = "import pytest\n@pytest.fixture\ndef mine", "def test_own(mine):\n    pass\n"
OWN = {
    "an assertion": "def test_own():\n    assert 1 == 2\n",
    "an exception": "def test_own():\n    raise ValueError\n",
    "with facts": "def test_own(history):\n    assert not history.recorded.rows\n",
    "an exception with facts": "def test_own(history):\n    raise ValueError\n",
    "a fixture": f"{MINE}(facts):\n    raise ValueError\n{USES_IT}",
    "an end": f"{MINE}():\n    yield\n    raise ValueError\n{USES_IT}",
    "a part": "def test_own(facts, subtests):\n    with subtests.test():\n        assert 0\n",
    "a strict mark": "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_own(facts):\n    pass\n",
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    with harness.sandbox() as entry:
        yield harness.registry(tmp_path_factory.mktemp("healthy"), entry)


@pytest.mark.parametrize("test", OWN.values(), ids=OWN)
def test_a_test_of_ones_own_that_is_red_is_red(healthy: list[str], test: str, tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(test)
    result = run(*healthy, "checks/test_history.py", str(tmp_path / "test_own.py"))
    assert result.status == 1, result.text
    assert "HEALTHY" not in result.out


def test_a_full_disk_costs_the_junit_file_and_a_line(healthy: list[str], tmp_path: Path) -> None:
    (tmp_path / "junit.xml").symlink_to(FULL_DISK)
    result = run(*healthy, "checks/test_history.py", f"--junitxml={tmp_path / 'junit.xml'}")
    assert result.status == 3, result.text
    assert "No space left on device" in result.err
    assert "Traceback" not in result.text
    assert "INTERNALERROR" not in result.text
    assert "PARTIAL" in result.out


def test_two_runs_do_not_write_to_one_directory(tmp_path: Path) -> None:
    other = locked(tmp_path)
    assert other is not None
    try:
        result = run("--env=local", f"--report={tmp_path}")
    finally:
        os.close(other)
    assert result.status == 4
    assert result.err.strip() == (
        f"ERROR: --report: another run is writing to {tmp_path}. Name another directory, or wait."
    )
