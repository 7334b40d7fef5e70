"""What a run writes for a CI server; what cannot be written costs neither the findings nor the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft4Validator, Draft202012Validator

from tests.support import sandbox as harness
from tests.support.gate_runs import run
from tests.support.paths import DATA
from tests.support.record_schema import FILE
from tests.support.written_formats import DOCS_URL

CHECKS = ["checks/test_migrations.py", "checks/test_tunnel.py"]


@pytest.fixture(scope="module")
def blocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[str], Path]]:
    """The options of runs over an environment whose lock file is another server's, and its application."""
    with harness.sandbox("wrong-provider") as entry:
        options = harness.registry(tmp_path_factory.mktemp("blocked"), entry)
        yield [*options, *CHECKS], Path(entry["migrations"])


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "-n2"])
def test_all_formats_at_once(blocked: tuple[list[str], Path], workers: list[str], tmp_path: Path) -> None:
    options, migrations = blocked
    step = tmp_path / "step.md"
    step.write_text("what was there\n")
    result = run(
        *options, *workers, f"--sarif={tmp_path / 'out.sarif'}", f"--code-climate={tmp_path / 'out.json'}",
        f"--junitxml={tmp_path / 'junit.xml'}", f"--report={tmp_path / 'report'}", "-o", f"docs_url={DOCS_URL}",
        env={
            "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(step), "GITHUB_WORKSPACE": str(migrations.parent),
        },
    )  # fmt: skip
    assert result.status == 1, result.text
    annotations = [line for line in result.out.splitlines() if line.startswith("::")]
    place = f"{migrations.name}/migration_lock.toml"
    assert [line for line in annotations if f"file={place},line=" in line and "wrong-provider" in line], result.text
    assert step.read_text().startswith("what was there\n# Migration health")
    record = json.loads((tmp_path / "report" / "report.json").read_text())
    Draft202012Validator(json.loads(FILE.read_text())).validate(record)
    sarif = json.loads((tmp_path / "out.sarif").read_text())
    Draft4Validator(json.loads((DATA / "sarif-2.1.0-rtm.5.json").read_text())).validate(sarif)
    (rule,) = [each for each in sarif["runs"][0]["tool"]["driver"]["rules"] if each["id"] == "wrong-provider"]
    assert rule["helpUri"] == f"{DOCS_URL}/checks/migrations.md#migration-lock-file"
    issues = json.loads((tmp_path / "out.json").read_text())
    assert [issue["location"]["path"] for issue in issues if issue["check_name"] == "wrong-provider"] == [place]
    for name in ("out.sarif", "out.json"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    cases = ElementTree.parse(tmp_path / "junit.xml").iter("testcase")
    (case,) = [each for each in cases if "migration_lock_file" in each.attrib["name"]]
    told = {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
    assert (told["id"], told["environment"], told["severity"]) == ("migration-lock-file", "local", "error")
    assert (told["code"], told["doc"]) == ("wrong-provider", rule["helpUri"])
    assert told["fix"]
    (failure,) = case.iter("failure")
    assert failure.attrib["message"].startswith("wrong-provider: migration_lock.toml: ")
    assert "Traceback" not in (failure.text or "")


def test_a_full_disk_costs_a_line_for_each_format(blocked: tuple[list[str], Path], tmp_path: Path) -> None:
    options, _ = blocked
    result = run(
        *options, "--sarif=/dev/full", "--code-climate=/dev/full", f"--report={tmp_path}",
        env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "/dev/full"},
    )  # fmt: skip
    assert result.status == 3, result.text
    for name in ("--sarif", "--code-climate", "GITHUB_STEP_SUMMARY"):
        (line,) = [line for line in result.err.splitlines() if line.startswith(f"{name}: ")]
        assert line.endswith("could not be written: No space left on device."), line
    assert "Traceback" not in result.text
    assert "BLOCKED" in result.out
    assert "::error " in result.out
    assert (tmp_path / "report.json").exists()
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("option", ["--sarif", "--code-climate"])
def test_a_name_that_cannot_be_written_ends_a_run_before_it_begins(option: str, tmp_path: Path) -> None:
    for value, said in ((tmp_path, "is a directory"), (tmp_path / "none" / "x", "does not exist")):
        result = run("--env=local", f"{option}={value}")
        assert result.status == 4
        assert f"{option}: " in result.err
        assert said in result.err


def test_a_summary_that_is_a_directory_or_full_is_a_line(blocked: tuple[list[str], Path], tmp_path: Path) -> None:
    options, _ = blocked
    full = tmp_path / "full.md"
    full.write_bytes(b"x" * 1024 * 1024)
    for file, said in ((tmp_path, "Is a directory"), (full, "there is no room left in it")):
        result = run(*options, env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(file)})
        assert result.status == 3, result.text
        assert said in result.err
    assert full.stat().st_size == 1024 * 1024
