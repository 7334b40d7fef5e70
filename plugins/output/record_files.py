"""Reads the records that runs have left in a directory."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from health.report.reading import LARGEST, RecordError, read_record
from health.report.record import Record

_MOST = 1000  # records on one page
_IN_ALL = 4 * LARGEST  # bytes


def records_in(directory: Path) -> list[Record]:
    """Read ``report.json`` in a directory, or where it has none, in each directory right below it.

    Raises:
        RecordError: there is none, one of them is no record, or they are too many; with its path and what to do.
    """
    files = [directory / "report.json"]
    if not os.path.lexists(files[0]):
        files = sorted(directory.glob("*/report.json"))
    if not files:
        raise RecordError(f"{directory}: there is no report.json, here or one level down. Name a run's --report DIR.")
    if len(files) > _MOST:
        raise RecordError(f"{directory}: it has {len(files)} records, more than {_MOST}. Name one with fewer.")
    records, size = [], 0
    for file in files:
        try:
            data = _bytes(file)
            size += len(data)
            if size > _IN_ALL:
                raise RecordError(f"up to here the records have over {_IN_ALL // 2**20} MiB. Name fewer.")
            records.append(read_record(data))
        except OSError as error:
            raise RecordError(f"{file}: {error.strerror}. Name a report.json that you may read.") from None
        except RecordError as error:
            raise RecordError(f"{file}: {error}") from None
    return records


def _bytes(file: Path) -> bytes:
    """Read a file, but of one that is too large only enough to see that it is."""
    # Opening a named pipe waits for a writer.
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise RecordError("it is no regular file. Name a run's --report DIR.")
        return opened.read(LARGEST + 1)
