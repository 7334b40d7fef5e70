"""Waivers through the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import sandbox as harness
from tests.support.gate_runs import Result, run

ORPHAN = "20251107003337_add_process_table"
REASON = "Its table goes <b>with</b>\nthe next release.\u202e"
SHOWN = r"Its table goes <b>with</b> the next release.\u202e"


def waiver(code: str = "orphaned-migration", subject: str = ORPHAN, expires: str = "9999-12-31") -> str:
    texts = {"code": code, "environment": "local", "subject": subject, "reason": REASON, "owner": "ann@example.com"}
    lines = [f"{key} = {json.dumps(text)}" for key, text in texts.items()]
    return "\n".join(["[[waiver]]", *lines, f"expires = {expires}", ""])


@pytest.fixture(scope="module")
def orphaned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The options of runs over a sandbox with an orphaned migration."""
    with harness.sandbox("orphaned-migration") as entry:
        yield harness.registry(tmp_path_factory.mktemp("orphaned"), entry)


def judge(directory: Path, text: str, *arguments: str, real: bool = False) -> tuple[Result, dict[str, Any]]:
    file = directory / "accepted.toml"
    file.write_text(text)
    result = run(f"--waivers={file}", f"--report={directory}", *arguments, real=real)
    (environment,) = json.loads((directory / "report.json").read_text())["environments"]
    return result, environment


def findings(environment: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f["code"]: f for check in environment["checks"] for f in check["findings"]}


def outcome(environment: dict[str, Any], check: str) -> str:
    (found,) = (each["outcome"] for each in environment["checks"] if each["id"] == check)
    return str(found)


def test_a_waived_finding_is_shown_and_does_not_block(tmp_path: Path) -> None:
    text = waiver() + waiver("stale-bastion", "x", "2000-01-01") + waiver("failed-migration") + "[[waiver]]\nx = 1\n"
    result, environment = judge(tmp_path, text, "--env=local", "--fault=orphaned-migration", real=True)
    assert result.status == 0, result.text
    assert environment["verdict"] == "healthy"
    assert outcome(environment, "no-orphaned-migration") == "waived"
    assert outcome(environment, "waivers-hold") == "warned"
    found = findings(environment)
    assert set(found) == {"orphaned-migration", "api-blind", "expired-waiver", "malformed-waiver", "unused-waiver"}
    waived = {"reason": SHOWN, "owner": "ann@example.com", "expires": "9999-12-31"}
    assert found["orphaned-migration"]["waived"] == waived
    assert found["expired-waiver"]["waived"] is None
    assert {fix["order"] for fix in found["orphaned-migration"]["fixes"]} == {None}

    flat = " ".join(result.out.split())
    assert f"waivers: 2 in force ({tmp_path / 'accepted.toml'})" in flat
    assert "1 warned," in flat
    assert "passed, 1 waived, 1 skipped. " in flat  # it has no schema file
    assert "Waived until 9999-12-31, owner ann@example.com: Its table goes" in flat
    assert "DELETE FROM" not in flat
    assert "\u202e" not in result.text
    assert "DELETE FROM" not in (tmp_path / "fixes-local.sql").read_text()
    summary = (tmp_path / "summary.md").read_text()
    assert "Waived until 9999-12-31" in summary
    assert "<b>" not in summary


def test_it_waives_warnings_as_errors_and_in_a_process_of_its_own(orphaned: list[str], tmp_path: Path) -> None:
    result, environment = judge(
        tmp_path, waiver() + waiver("failed-migration"), *orphaned, "--fail-on=warning", "-n1", "-v"
    )
    assert result.status == 0, result.text
    assert environment["verdict"] == "healthy"
    assert set(findings(environment)) == {"orphaned-migration", "api-blind", "unused-waiver"}
    assert "WAIVED" in result.out
    assert "DELETE FROM" in result.out


def test_an_expired_waiver_waives_nothing_and_a_selection_calls_none_unused(
    orphaned: list[str], tmp_path: Path
) -> None:
    text = waiver(expires="2000-01-01") + waiver("failed-migration")
    result, environment = judge(tmp_path, text, *orphaned, "-k", "orphaned or failed_migration or waivers")
    assert result.status == 1
    assert set(findings(environment)) == {"orphaned-migration", "expired-waiver"}
    assert outcome(environment, "no-orphaned-migration") == "failed"
    assert f"Root cause: orphaned-migration, {ORPHAN}" in result.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("[[waiver]\n", ["accepted.toml", "line 1", "Mend that line"], id="no TOML"),
        pytest.param("[[waivers]]\n", ["accepted.toml:1", "[[waiver]]"], id="no waivers"),
        pytest.param(None, ["--waivers", "No such file", "--waivers FILE"], id="absent"),
    ],
)
def test_a_file_that_cannot_be_used_ends_a_run_before_it_begins(
    tmp_path: Path, text: str | None, told: list[str]
) -> None:
    file = tmp_path / "accepted.toml"
    if text is not None:
        file.write_text(text)
    result = run("--env=local", f"--waivers={file}")
    assert result.status == 4
    assert all(part in result.err for part in told), result.err
    assert len(result.err.strip().splitlines()) == 1


def test_what_a_waived_finding_explains_is_accepted_with_it(tmp_path: Path) -> None:
    failed = waiver("failed-migration", "20261003000000_add_authorization_session")
    result, environment = judge(tmp_path, failed, "--env=local", "--fault=failed-migration")
    assert result.status == 0, result.text
    assert environment["verdict"] == "healthy"
    assert outcome(environment, "api-status") == "waived"
    assert findings(environment)["api-reports-failed"]["waived"] is None
    assert {fix["order"] for found in findings(environment).values() for fix in found["fixes"]} == {None}
    assert "explains api-reports-failed, accepted with it:" in " ".join(result.out.split())
