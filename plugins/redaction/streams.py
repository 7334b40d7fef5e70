"""Redacts what is written to a stream: in place, as pytest's capturing and its terminal keep the streams themselves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TextIO

from health.secrets.secret import hide


class _Writing:
    """A stream's ``write`` and ``writelines``."""

    def __init__(self, write: Callable[[str], int]) -> None:
        self._write = write

    def __call__(self, text: str) -> int:
        self._write(hide(text))
        return len(text)

    def lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self(line)


def redact_standard() -> None:
    """Redact standard output and standard error to the end of the process: what ends it may be told there."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if stream is not None:
            redact(stream)


def redact(stream: TextIO) -> None:
    """Redact a stream from here on, once."""
    if isinstance(getattr(stream, "write", None), _Writing):
        return
    writing = _Writing(stream.write)
    setattr(stream, "write", writing)  # noqa: B010 - mypy does not let a method be put
    setattr(stream, "writelines", writing.lines)  # noqa: B010
