"""A history of nightly runs in a file: one line of JSON for each run, appended at one stroke."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from health.nightly.night import NightlyRun
from health.report.history_lines import HistoryError, NightlyHistory, parse, retained, to_line

LARGEST = 200_000_000  # bytes
LOCK_S = 20.0  # another run holds the lock while it writes a line
_POLL_S = 0.05


class HistoryFile:
    """A history in a file of the user's.

    Args:
        path: of the file; where it is a link, it stays one.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.realpath(path))
        self.place = str(path)

    def read(self) -> NightlyHistory:
        """Read the history; a file that is not there is made.

        Raises:
            HistoryError: it is of another tool, too large or no regular file.
            OSError: it cannot be read or written.
        """
        with self._locked() as descriptor:
            return parse(self._text(descriptor).split("\n"), self.place)

    def append(self, run: NightlyRun, nights: int) -> None:
        """Append a run, and drop what is older than the last nights.

        Raises:
            HistoryError: it has become of another tool, too large or no regular file.
            OSError: it cannot be written; the file is then as it was.
        """
        with self._locked() as descriptor:
            history = parse(self._text(descriptor).split("\n"), self.place)
            self._write_line(descriptor, to_line(run))
            history = NightlyHistory((*history.runs, run))
            keep = retained(history, nights)
            if len(keep) < len(history.runs):
                self._replace(descriptor, keep)

    def _write_line(self, descriptor: int, line: str) -> None:
        """Write a line with one call; after half a line of a run that died it begins on a new one."""
        size = os.fstat(descriptor).st_size
        whole = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
        data = f"{'' if whole else os.linesep}{line}\n".encode("ascii")
        try:
            if os.write(descriptor, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        except OSError as error:
            os.ftruncate(descriptor, size)
            raise OSError(error.errno, error.strerror, self.place) from None

    def _replace(self, descriptor: int, runs: tuple[NightlyRun, ...]) -> None:
        """Put a file with these runs in the place of this one, whose lock is held."""
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        new = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(new, "w", encoding="ascii") as file:
                os.fchmod(new, stat.S_IMODE(os.fstat(descriptor).st_mode))
                file.writelines(f"{to_line(run)}\n" for run in runs)
                file.flush()
                os.fsync(new)
            temporary.replace(self._path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, self.place) from None

    def _text(self, descriptor: int) -> str:
        with os.fdopen(os.dup(descriptor), "rb") as file:
            file.seek(0)
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise HistoryError(f"{self.place}: larger than {LARGEST:,} bytes. Keep fewer nights, in a new file.")
        return data.decode("utf-8", "replace")

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Give the open file, whose lock this process has."""
        deadline = time.monotonic() + LOCK_S
        while True:
            descriptor = self._open()
            try:
                self._lock(descriptor, deadline)
                # Whoever had the lock before may have put another file in its place.
                if self._is_current(descriptor):
                    yield descriptor
                    return
            finally:
                os.close(descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.place) from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise HistoryError(f"{self.place}: not a regular file. Name another.")
        return descriptor

    def _lock(self, descriptor: int, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    text = f"another program has locked it for {LOCK_S:.0f} s"
                    raise OSError(errno.EAGAIN, text, self.place) from None
                time.sleep(_POLL_S)
            else:
                return

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False
