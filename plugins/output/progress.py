"""How a run of the migrations goes on, for a person who waits: one line rewritten, or one every ten seconds."""

from __future__ import annotations

import shutil
import time
from types import TracebackType
from typing import Self, TextIO

from health.config.environment import Environment
from health.runs.triggered import MigrationRun

_EVERY_S = 10.0
_WIDTH = 24


class Progress:
    """Writes to a stream: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, environment: Environment, stream: TextIO) -> None:
        self._name, self._limit_s = environment.name, environment.limits.migration_s
        self._stream, self._terminal = stream, stream.isatty()
        self._state: tuple[str, str | None] | None = None
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._terminal and self._state is not None:
            print(file=self._stream, flush=True)

    def show(self, run: MigrationRun) -> None:
        """What is known of the run now."""
        state, clock = (run.state, run.id), time.monotonic()
        if self._terminal:
            filled = round(_WIDTH * min(1.0, run.seconds / self._limit_s))
            bar = "#" * filled + "-" * (_WIDTH - filled)
            line = f"{self._line(run)} [{bar}]"[: shutil.get_terminal_size().columns - 1]  # a wrapped one stays
            print(f"\r\x1b[K{line}", end="", file=self._stream, flush=True)
        elif state != self._state or clock >= self._next:
            print(self._line(run), file=self._stream, flush=True)
            self._next = clock + _EVERY_S
        self._state = state

    def _line(self, run: MigrationRun) -> str:
        what = run.state if run.id or run.state == "NOT STARTED" else "asked for"
        return f"{self._name}: migration {run.id or ''}{' ' if run.id else ''}{what} ({run.seconds:.0f} s)"
