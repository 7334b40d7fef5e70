"""Keeps the memory of a run, which holds secrets, out of files."""

from __future__ import annotations

import resource
from contextlib import suppress


def forbid_core_dumps() -> None:
    """Let neither this process nor any of its children leave a core dump; nobody can take that back in them."""
    with suppress(OSError, ValueError):  # a system without this limit
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
