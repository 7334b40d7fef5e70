"""Runs a command, kills it at a moment, and tells what is left: ``python -m … HOW MOMENT PLACE COMMAND…``.

HOW is ``leader`` (that process alone), ``group`` (its process group) or ``groups`` (each group that it started).
MOMENT is seconds, or what is waited for: ``sandbox``, ``server``, ``clone``, ``end``. PLACE holds its temporary files.
It adopts all orphans (PR_SET_CHILD_SUBREAPER), so that nothing which was started escapes it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support.load import patience

_SET_CHILD_SUBREAPER = 36  # prctl(2)
_GONE_S, _MOMENT_S = 15.0, 120.0
_STATUS_FILES = "migration-health-*/*/*/postmaster.pid"


def processes() -> dict[int, str]:
    """The commands of all that descends from this process and lives."""
    parents, found = {}, {os.getpid()}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(entry.parent.name)] = int(parent)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    commands = {}
    for pid in found - {os.getpid()}:
        with suppress(OSError):
            commands[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return commands


def segments(place: Path) -> list[list[str]]:
    """The shared memory, by key and id, of the servers below a directory."""
    found = []
    for file in place.glob(_STATUS_FILES):
        with suppress(OSError, IndexError):
            found.append(file.read_text().splitlines()[6].split())
    return found


def _ready(place: Path, purpose: str) -> bool:
    for file in place.glob(_STATUS_FILES):
        with suppress(OSError):
            if file.parts[-3].startswith(purpose) and file.read_text().rstrip().endswith("ready"):
                return True
    return False


def _until(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + patience(seconds)
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _childless() -> bool:
    """Whether nothing is left: all orphans are this process's children, so it has none then."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def main(how: str, moment: str, place: Path, command: list[str]) -> dict[str, object]:
    """Do it; gives what is left, and what there was."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryFile(dir="/tmp") as output:
        run = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )

        def said(text: bytes) -> bool:
            return text in os.pread(output.fileno(), 1_000_000, 0)

        moments: dict[str, Callable[[], bool]] = {
            "sandbox": lambda: any("-m sandbox" in words for words in processes().values()),
            "server": lambda: _ready(place, "sandbox"),
            "clone": lambda: _ready(place, "clone"),
            "end": lambda: said(b"local: HEALTHY"),
        }
        if moment in moments:
            came = _until(lambda: moments[moment]() or run.poll() is not None, _MOMENT_S) and run.poll() is None
        else:
            came = True
            time.sleep(patience(float(moment)))
        there, memory = processes(), segments(place)
        groups = set()
        for pid in there:
            with suppress(OSError):
                groups.add(os.getpgid(pid))
        for pid in {"leader": [run.pid], "group": [-run.pid], "groups": [-group for group in groups]}[how]:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        gone = _until(_childless, _GONE_S)
        left = {} if gone else processes()
        for pid in left:  # so that the test itself leaves nothing
            os.kill(pid, signal.SIGKILL)
        said_last = os.pread(output.fileno(), 3_000, 0).decode(errors="replace") if not came else ""
    return {"came": came, "said": said_last, "gone": gone, "left": left, "was": len(there), "memory": memory}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:])))
