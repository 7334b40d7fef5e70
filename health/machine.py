"""Tells from an error that this machine ran out of something: that says nothing about the environment."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

from health.finding import CouldNotCheck

WHERE = "this machine"
_FEWER = "read fewer environments at once (--at-once 1)"
_DESCRIPTORS = (
    "this machine lets this process open no more files or connections",
    f"Raise the limit, as by ulimit -n 4096, or {_FEWER}.",
)
_PORTS = (
    "this machine has no free port or address for a connection",
    f"Wait a minute until closed connections have expired, close other programs, or {_FEWER}.",
)
_MEMORY = ("this machine has too little memory", f"Close other programs, give the container more, or {_FEWER}.")
_THREADS = (
    "this machine lets this user start no more threads or processes",
    f"Raise the limit of processes (ulimit -u, or the container's), or {_FEWER}.",
)
_BY_NUMBER = {
    errno.EMFILE: _DESCRIPTORS,
    errno.ENFILE: _DESCRIPTORS,
    errno.EADDRNOTAVAIL: _PORTS,
    errno.EADDRINUSE: _PORTS,  # the suite binds to no port of its choice
    errno.ENOMEM: _MEMORY,
    errno.ENOBUFS: _MEMORY,
    errno.EAGAIN: _THREADS,  # of fork(); sockets have TimeoutError
}
# libpq and the dynamic linker give the number as a text only. EAGAIN's text has other causes there.
_BY_TEXT = {os.strerror(number): limit for number, limit in _BY_NUMBER.items() if number != errno.EAGAIN} | {
    "out of memory": _MEMORY,
    "can't start new thread": _THREADS,
}
_OF_THE_SERVER = "FATAL"  # PostgreSQL's own errors may have the same texts


def machine_limit(error: BaseException) -> CouldNotCheck | None:
    """Find a limit of this machine among the causes of an error; None where there is none.

    Of several attempts that failed, such as one for each address of a name, all must have met a limit.
    """
    found = next(filter(None, map(_limit, _causes(error))), None)
    return None if found is None else CouldNotCheck(found[0], WHERE, found[1])


def no_descriptors() -> CouldNotCheck:
    """The limit on descriptors, where it was met without an error that says so."""
    return CouldNotCheck(_DESCRIPTORS[0], WHERE, _DESCRIPTORS[1])


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _limit(error: BaseException) -> tuple[str, str] | None:
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, socket.gaierror):  # its numbers are others
        return _MEMORY if error.errno == socket.EAI_MEMORY else None
    if isinstance(error, OSError) and error.errno is not None:
        return _BY_NUMBER.get(error.errno)
    lines = [line for line in str(error).splitlines() if line.strip()]
    attempts = [line for line in lines if "failed: " in line] or lines
    limits = [_limit_in(line) for line in attempts]
    return limits[0] if limits and None not in limits else None


def _limit_in(line: str) -> tuple[str, str] | None:
    if _OF_THE_SERVER in line:
        return None
    return next((limit for text, limit in _BY_TEXT.items() if text in line), None)
