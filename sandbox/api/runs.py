"""The sandbox's migration runs: their records in S3, and the worker that carries them out and logs it."""

from __future__ import annotations

import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.database.prisma_deploy import DeployFailed
from sandbox.plan import LOCAL, RecordedRun

_COMMAND = "deploy"
_FAILED = "PostgreSQL migration failed: Migration process exited with code 1"


@dataclass(frozen=True)
class Clients:
    """The AWS clients that router and worker use, and the name of the bucket."""

    s3: Any
    logs: Any
    bucket: str


class RunStore:
    """What Frigg's router and worker do for a run.

    Args:
        clients: of AWS.
        deploy: applies what is pending; gives the lines that Prisma prints, raises DeployFailed.
    """

    def __init__(self, clients: Clients, deploy: Callable[[], Iterator[str]]) -> None:
        self._clients, self._deploy = clients, deploy
        self._alone = threading.Lock()  # the worker's reserved concurrency is 1

    @property
    def busy(self) -> bool:
        """Whether the worker is at work, so that a second call of it is throttled."""
        return self._alone.locked()

    def queue(self, stage: str, by: str) -> dict[str, Any]:
        """Record a run, and have it carried out; gives its record."""
        record = record_of(RecordedRun("INITIALIZING", age=timedelta()), stage)
        record["triggeredBy"] = by
        write(self._clients, record)
        threading.Thread(target=self._work, args=(dict(record),), name="worker", daemon=True).start()
        return record

    def read(self, identifier: str, stage: str) -> bytes | None:
        """The record of a run as it stands in S3."""
        try:
            answer = self._clients.s3.get_object(Bucket=self._clients.bucket, Key=key(stage, identifier))
        except self._clients.s3.exceptions.NoSuchKey:
            return None
        told: bytes = answer["Body"].read()
        return told

    def _work(self, record: dict[str, Any]) -> None:
        identifier, stage = record["migrationId"], record["stage"]
        with self._alone:
            log = _Log(self._clients.logs)
            log.write(
                "Database Migration Lambda Started", "SQS event detected", f"  Migration ID: {identifier}",
                "  DB Type: postgresql", f"  Stage: {stage}", f"Action: migrate (migrationId={identifier})",
                f"✓ Updating migration status to RUNNING: {identifier}", "Executing Database Migration",
            )  # fmt: skip
            self._update(record, state="RUNNING", progress=10, startedAt=_now())
            try:
                for line in self._deploy():
                    log.write(line)
            except DeployFailed:
                log.write(
                    "Migration Failed", f"Error: MigrationError {_FAILED}", '  "step": "migrate"',
                    f"✓ Updating migration status to FAILED: {identifier}",
                )  # fmt: skip
                ended = {"state": "FAILED", "progress": 0, "error": _FAILED, "failedAt": _now()}
            else:
                log.write(
                    f"✓ Updating migration status to COMPLETED: {identifier}",
                    "✓ Database migration completed successfully", "  Status: Success", f"  Command: {_COMMAND}",
                )  # fmt: skip
                ended = {
                    "state": "COMPLETED", "progress": 100, "completedAt": _now(), "migrationCommand": _COMMAND,
                }  # fmt: skip
        self._update(record, **ended)  # last: whoever has read it finds the worker free

    def _update(self, record: dict[str, Any], **changes: Any) -> None:
        record.update(changes, updatedAt=_now())
        write(self._clients, record)


class _Log:
    """A log stream of one of the worker's instances; each line is an event of its own."""

    _GROUP = f"/aws/lambda/{LOCAL.prefix}dbMigrationWorker"

    def __init__(self, client: Any) -> None:
        self._client = client
        self._stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{secrets.token_hex(16)}"
        with suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=self._GROUP)
        client.create_log_stream(logGroupName=self._GROUP, logStreamName=self._stream)

    def write(self, *lines: str) -> None:
        """Write events; CloudWatch takes none that is empty."""
        events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines if line]
        if events:
            self._client.put_log_events(logGroupName=self._GROUP, logStreamName=self._stream, logEvents=events)


def record_of(run: RecordedRun, stage: str) -> dict[str, Any]:
    """The record of a run in S3, as Frigg's router and worker write it."""
    began = _now(run.age)
    told: dict[str, Any] = {"state": run.state, "progress": 0}
    if run.state in ("RUNNING", "COMPLETED"):
        told |= {"progress": 10, "startedAt": began}
    if run.state == "COMPLETED":
        told |= {"progress": 100, "completedAt": began, "migrationCommand": _COMMAND}
    if run.state == "FAILED":
        told |= {"startedAt": began, "failedAt": began, "error": _FAILED}
    return {
        "migrationId": str(uuid.uuid4()), "stage": stage, **told, "triggeredBy": "admin",
        "triggeredAt": began, "createdAt": began, "updatedAt": began,
    }  # fmt: skip


def seed_runs(clients: Clients, runs: Iterable[RecordedRun]) -> None:
    """Make the bucket, with the records of earlier runs."""
    clients.s3.create_bucket(Bucket=clients.bucket)
    for run in runs:
        write(clients, record_of(run, LOCAL.name))


def write(clients: Clients, record: dict[str, Any]) -> None:
    """Put a record into S3 under its key."""
    body = json.dumps(record).encode()
    place = key(record["stage"], record["migrationId"])
    clients.s3.put_object(Bucket=clients.bucket, Key=place, Body=body, ContentType="application/json")


def key(stage: str, identifier: str) -> str:
    """Where the record of a run is."""
    return f"migrations/{stage}/{identifier}.json"


def _now(age: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) - age).isoformat(timespec="milliseconds").replace("+00:00", "Z")
