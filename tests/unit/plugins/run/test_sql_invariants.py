"""A file in ``checks/invariants`` is a check like any other, and one that cannot be used ends the run in a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.data.invariants import load
from health.config.registry import environment, parse
from health.config.validation import RegistryError
from health.data.invariants import InvariantError
from plugins import fixes
from plugins.paths import INVARIANTS
from plugins.run import invariant_checks as plugin
from plugins.run.check_catalog import all_checks
from tests.support.gate_runs import run

NAMES = {path.stem for path in INVARIANTS.glob("*.sql")}


def test_each_file_is_a_check_with_its_own_finding_fact_and_reason_for_no_fix() -> None:
    checks = all_checks()
    assert len(NAMES) > 15
    assert checks.keys() > NAMES
    for name in NAMES:
        assert checks[name].needs == (f"rows_of_{name.replace('-', '_')}", "environment")
        assert list(checks[name].finds) == [name, f"{name}-known"]
        assert fixes.title(name).startswith("None: ")


def test_it_is_collected_under_the_name_of_its_file() -> None:
    told = run("--co", "-q", "--env=local,dev", "-k", "stuck-process")
    place = "checks/invariants/stuck-process.sql::test_stuck_process"
    assert [line for line in told.out.splitlines() if "::" in line] == [f"{place}[local]", f"{place}[dev]"]


def test_it_is_explained() -> None:
    told = json.loads(run("--explain=stuck-process-known", "--format=json").out)
    assert (told["id"], told["title"]) == ("stuck-process", "Every process moves on, or has come to its end.")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a", b"SELECT 1", "checks/invariants/a.sql:1: no title, "),
        ("A", b"", "checks/invariants/A.sql: its name becomes the check's id"),
        ("a", b"\xff", "checks/invariants/a.sql: not UTF-8. "),
        ("a", b" " * 100_001, "checks/invariants/a.sql: is larger than 100,000 bytes. "),
    ],
)
def test_a_file_that_cannot_be_used_is_named(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.sql").write_bytes(data)
    with pytest.raises(InvariantError) as error:
        load(tmp_path, "checks/invariants")
    assert str(error.value).startswith(said)


@pytest.mark.parametrize("taken", ["failed-migration", "no-failed-migration"])
def test_a_name_that_is_taken_is_a_usage_error(taken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (INVARIANTS / "stuck-process.sql").read_text()
    (tmp_path / f"{taken}.sql").write_text(text)
    monkeypatch.setattr(plugin, "INVARIANTS", tmp_path)
    with pytest.raises(pytest.UsageError) as error:
        plugin.declared.__wrapped__(tmp_path)  # not what it remembers
    assert str(error.value) == (
        f"checks/invariants/{taken}.sql: there is a check or a finding {taken} already. Give the file another name."
    )


def test_a_baseline_of_no_invariant_is_a_usage_error(tmp_path: Path) -> None:
    file = tmp_path / "environments.toml"
    file.write_text("[local]\nembedded = true\nbaselines.stuck-proces = 3\n")
    told = run("--env=local", f"--environments={file}", "--co", "-q")
    assert told.status == 4
    assert "[local]: baselines.stuck-proces: no such invariant; did you mean stuck-process?" in told.text


@pytest.mark.parametrize("rows", ["-1", "1.5", "true", '"3"'])
def test_a_baseline_is_a_number_of_rows(rows: str) -> None:
    with pytest.raises(RegistryError, match=r"\[prod\]: baselines.stuck-process = .* is no number of rows. Write 0 or"):
        parse(f"[prod]\nbaselines.stuck-process = {rows}\n", "f.toml", Path())


def test_a_baseline_of_one_environment_goes_before_that_of_all(tmp_path: Path) -> None:
    text = "[defaults]\nbaselines.a = 1\nbaselines.b = 2\n[local]\nbaselines.b = 0\n"
    settings = dict.fromkeys(("secret", "cluster_prefix", "ssh_key", "tunnel_script", "migrations"), "x")
    known = parse(text, "f.toml", tmp_path)
    entry = {**known.entries["local"], **settings, "api_url": "https://x", "functions": {"auth": "a", "worker": "w"}}
    assert environment(known, "local", {}, {}, entry).baselines == {"a": 1, "b": 0}
