"""Files and directories of a run that belong to their owner alone."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def write_private(path: Path, text: str | bytes) -> None:
    """Write a file that its owner alone may read.

    Raises:
        OSError: it could not be written; nothing is left of it.
    """
    content = text.encode() if isinstance(text, str) else text
    if path.is_char_device() and not path.is_symlink():  # it is no file to be replaced
        path.write_bytes(content)
        return
    # A new file each time: the old one may be a link to somewhere, or readable by others.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def locked(directory: Path) -> int | None:
    """Lock a directory for this run.

    Returns:
        The descriptor that holds the lock; None where another run has it.

    Raises:
        OSError: it cannot be opened, or locked.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
