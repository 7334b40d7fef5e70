"""Migration runs as Frigg's router and worker record them in S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from health.history.history import WORKER_LIMIT_S
from health.sanitize import one_line

UNENDED = ("INITIALIZING", "RUNNING")
_KEPT = timedelta(days=14)  # so long SQS keeps a message


@dataclass(frozen=True)
class FriggRun:
    """A migration run.

    Attributes:
        id: Frigg's ``migrationId``.
        stage: the word that its request named; it decides nothing but the record's place.
        state: INITIALIZING, RUNNING, COMPLETED or FAILED.
        updated_at: when the record last changed.
    """

    id: str
    stage: str
    state: str
    updated_at: datetime


@dataclass(frozen=True)
class FriggRuns:
    """The newest runs of an environment.

    Attributes:
        bucket: where their records are.
        newest: the newest first.
        read_at: when they were read.
    """

    bucket: str
    newest: tuple[FriggRun, ...]
    read_at: datetime

    @property
    def stuck(self) -> Iterator[FriggRun]:
        """Runs that have no end, have not changed for longer than a worker may live, and are still in the queue."""
        for run in self.newest:
            age = self.read_at - run.updated_at
            if run.state in UNENDED and timedelta(seconds=WORKER_LIMIT_S) < age < _KEPT:
                yield run


def run_of(text: str, changed_at: datetime) -> FriggRun | None:
    """The run that a record tells of; None where it is not one. ``changed_at`` stands in for a lost time."""
    try:
        record: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    identifier, stage, state = (record.get(key) for key in ("migrationId", "stage", "state"))
    if not (isinstance(identifier, str) and identifier and isinstance(state, str)):
        return None
    return FriggRun(one_line(identifier, 80), one_line(str(stage), 80), one_line(state, 40), _time(record, changed_at))


def _time(record: dict[str, Any], otherwise: datetime) -> datetime:
    try:
        told = datetime.fromisoformat(record["updatedAt"])
        return told.replace(tzinfo=told.tzinfo or UTC).astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return otherwise
