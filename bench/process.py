"""Runs one process, and measures it alone."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ci.bootstrap import ROOT

_LIMIT_S = 60.0


class BenchError(Exception):
    """Something that is measured did not work; the text says what."""


@dataclass(frozen=True)
class Done:
    """An ended process.

    Attributes:
        began: on the monotonic clock, in seconds, as ``ended``.
        peak_mb: the largest resident memory of the process, or of a child that it waited for.
    """

    out: bytes
    began: float
    ended: float
    peak_mb: float

    @property
    def seconds(self) -> float:
        """Wall time from start to end."""
        return self.ended - self.began


def run(
    command: Sequence[str | Path], added: Mapping[str, str] | None = None, cwd: Path = ROOT, status: int = 0
) -> Done:
    """Run a program to its end.

    Raises:
        BenchError: it ended with another status, or was ended after a minute.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(
            command, env={**os.environ, **(added or {})}, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        watch = threading.Timer(_LIMIT_S, process.kill)
        watch.start()
        try:
            _, ending, usage = os.wait4(process.pid, 0)  # of this process, where RUSAGE_CHILDREN tells of all
            ended = time.monotonic()
            process.returncode = os.waitstatus_to_exitcode(ending)
        finally:
            watch.cancel()
            if process.returncode is None:
                process.kill()
                process.wait()
        for file in (out, err):
            file.seek(0)
        said, complaint = out.read(), err.read()
    if process.returncode != status:
        words = (complaint.strip() or said.strip()).decode(errors="replace").splitlines() or ["no word"]
        raise BenchError(f"{Path(command[0]).name} ended with status {process.returncode}: {words[-1]}")
    return Done(said, began, ended, usage.ru_maxrss / 1024)
