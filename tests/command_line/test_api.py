"""The API as a run finds it: what it cannot see, how its routes decide on fixes, and a run that it carries out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from fixtures.api.status import HEADER
from fixtures.facts import Facts
from health.report.root_causes import explain
from plugins import fixes
from tests.support import sandbox as harness
from tests.support.faults import broken_by, judge

ENDED_S = 20


def test_a_failed_row_behind_a_pending_migration_is_what_the_api_cannot_see() -> None:
    with broken_by("failed-migration", "pending-migration") as broken:
        (blind,) = [finding for finding in broken.judged.all if finding.code == "api-blind"]
        (failed,) = [finding for finding in broken.judged.all if finding.code == "failed-migration"]
        assert broken.read["api_status"].state == "pending"
        assert {finding.code for finding in broken.roots} == broken.raises
        assert explain(broken.judged.all)[blind.key] == failed.key
        assert failed.subject in blind.message


@pytest.mark.parametrize(
    ("faults", "changes", "path"),
    [
        (("failed-migration",), {}, None),  # not routed
        (("failed-migration", "api-admin-path"), {}, "/admin/db-migrate/resolve"),
        (("failed-migration", "api-admin-path"), {"api_id": "another"}, None),  # not known
        (("failed-migration", "api-admin-path"), {"api_id": None}, None),
    ],
)
def test_the_call_of_the_api_is_offered_where_it_is_routed(
    faults: tuple[str, ...], changes: dict[str, Any], path: str | None
) -> None:
    with harness.sandbox(*faults) as entry:
        changed = {key: value for key, value in {**entry, **changes}.items() if value is not None}
        with harness.facts(harness.environment(changed)) as read:
            judged = judge(read)
            (failed,) = [finding for finding in judged.all if finding.code == "failed-migration"]
            suggested, reason = fixes.suggest(failed, read)
    assert reason is None
    assert {"sql", "command"} <= {fix.kind for fix in suggested}
    called = [fix.body.splitlines()[0] for fix in suggested if fix.kind == "http"]
    assert called == ([f"POST {entry['api_url']}{path}"] if path else [])
    (command,) = [fix for fix in suggested if fix.kind == "command" and "resolve" in fix.body]
    assert ("is not known" in command.note) == bool(changes)


# The sandbox's API carries migrations out


@pytest.fixture(scope="module", params=["pending-migration", "failed-migration", "pending-objects-exist", "no-history"])
def triggered(request: pytest.FixtureRequest) -> Iterator[Triggered]:
    with harness.sandbox(request.param) as entry:
        env = harness.environment(entry)
        with harness.facts(env) as read:
            yield Triggered(request.param, entry, read)


class Triggered:
    """A sandbox whose API was asked to migrate, when that has ended."""

    def __init__(self, fault: str, entry: dict[str, Any], read: Facts) -> None:
        self.fault, self.entry, self.read = fault, entry, read
        self.url = f"{entry['api_url']}/db-migrate"
        self.headers = {HEADER: read["admin_key"].reveal()}
        self.rows = len(read["history"].recorded.rows)
        self.queued = httpx.post(self.url, headers=self.headers, json={"stage": "local"})
        self.ended = self._ended()

    def get(self, path: str, **params: str) -> httpx.Response:
        return httpx.get(f"{self.url}/{path}", headers=self.headers, params=params)

    def _ended(self) -> dict[str, Any]:
        until = time.monotonic() + ENDED_S
        while time.monotonic() < until:
            told: dict[str, Any] = self.get(self.queued.json()["migrationId"]).json()
            if told["state"] in ("COMPLETED", "FAILED"):
                return told
            time.sleep(0.05)
        raise AssertionError(told)

    def log(self) -> list[str]:
        client = boto3.client(
            "logs", region_name=self.entry["region"], endpoint_url=self.entry["aws_endpoint_url"],
            aws_access_key_id=self.entry["aws_access_key_id"], config=Config(proxies={}),
            aws_secret_access_key=self.entry["aws_secret_access_key"],
            aws_session_token=self.entry["aws_session_token"],
        )  # fmt: skip
        group = f"/aws/lambda/{self.entry['functions']['worker']}"
        return [event["message"] for event in client.filter_log_events(logGroupName=group)["events"]]


CODES = {"failed-migration": "P3009", "pending-objects-exist": "P3018", "no-history": "P3005"}


def test_a_run_ends_as_prismas_deploy_does(triggered: Triggered) -> None:
    code = CODES.get(triggered.fault)
    assert triggered.queued.status_code == 202
    assert triggered.queued.json()["s3Key"] == f"migrations/local/{triggered.ended['migrationId']}.json"
    assert triggered.ended["state"] == ("FAILED" if code else "COMPLETED")
    log = triggered.log()
    assert all(log)
    assert (f"Error: {code}" in log) == bool(code)
    assert ("All migrations have been successfully applied." in log) == (code is None)
    assert code is None or code not in triggered.ended["error"]
    with harness.facts(harness.environment(triggered.entry)) as anew:
        rows = anew["history"].recorded.rows
        (stuck_or_done, *_) = [run for run in anew["runs"].newest if run.id == triggered.ended["migrationId"]]
        assert stuck_or_done.state == triggered.ended["state"]
        assert len(rows) - triggered.rows == (triggered.fault in ("pending-migration", "pending-objects-exist"))
        if code == "P3018":
            assert rows[-1].failed
            assert "42P07" in rows[-1].logs
        elif code is None:
            assert rows[-1].applied
            assert anew["history"].status_exit == 0


def test_a_run_is_found_under_its_stage_only(triggered: Triggered) -> None:
    identifier = triggered.ended["migrationId"]
    absent = triggered.get(identifier, stage="elsewhere")
    assert (absent.status_code, absent.json()["error"]) == (404, f"Migration not found: {identifier}")


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        (b"{}", 400, "stage is required"),
        (b'{"stage": 1}', 400, "stage must be a string"),
        (b'{"stage": "local", "dbType": "mysql"}', 400, "Invalid dbType"),
        (b"{", 500, "Internal Server Error"),
    ],
)
def test_a_wrong_request_queues_nothing(triggered: Triggered, sent: bytes, status: int, error: str) -> None:
    answer = httpx.post(triggered.url, headers=triggered.headers, content=sent)
    assert answer.status_code == status
    assert error in answer.text
