"""Redacts files that other plugins have written."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from plugins.redaction.values import hidden_bytes


def scrub_new(path: Path, since: float) -> None:
    """Redact a file, or those right in a directory, that were written since a time."""
    with suppress(OSError):  # there may be none, and other processes write there too
        for file in path.iterdir() if path.is_dir() else (path,):
            with suppress(OSError):
                if file.is_file() and file.stat().st_mtime >= since - 1:  # some file systems count whole seconds
                    scrub(file)


def scrub(file: Path) -> None:
    """Redact a file; one that holds a secret and cannot be written anew is removed."""
    data = file.read_bytes()
    redacted = hidden_bytes(data)
    if redacted == data:
        return
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_bytes(redacted)
        temporary.chmod(file.stat().st_mode)
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)
        file.unlink(missing_ok=True)
        raise
