"""A run of the migrations that this suite itself asked the migration API for, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RunState = Literal["NOT STARTED", "UNKNOWN", "INITIALIZING", "RUNNING", "COMPLETED", "FAILED"]


@dataclass(frozen=True)
class MigrationRun:
    """One POST to the migration API, and what its GET has told since.

    Attributes:
        url: what the POST was sent to.
        stage: under which the API keeps its record; the GET must name the same one.
        started_at: when the POST was sent.
        state: the API's own word. ``NOT STARTED``: it refused; ``UNKNOWN``: sent, and nobody knows what came of it.
        id: by which the API knows the run; None where it was never told.
        seconds: from the POST to the last that is known.
        progress: per cent, as the API tells; it knows 0, 10 and 100 only.
        error: the API's text. It never holds the cause: that stands in the worker's log and in the history.
        problem: why it was not started, or cannot be followed.
    """

    url: str
    stage: str
    started_at: datetime
    state: RunState = "UNKNOWN"
    id: str | None = None
    seconds: float = 0.0
    progress: int = 0
    error: str | None = None
    problem: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the API says how it ended."""
        return self.state in ("COMPLETED", "FAILED")

    @property
    def place(self) -> str:
        """Where the run is to be looked at, for a person."""
        return f"{self.url}/{self.id}?stage={self.stage}" if self.id else self.url

    @property
    def record(self) -> str:
        """Where the worker keeps its state, below the bucket of its variable ``S3_BUCKET_NAME``."""
        return f"migrations/{self.stage}/{self.id}.json" if self.id else f"the newest below migrations/{self.stage}/"
