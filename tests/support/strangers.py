"""Another user of this machine, who runs a program."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

STRANGER = 65534
AS_STRANGER: dict[str, Any] = {"user": STRANGER, "group": STRANGER, "extra_groups": [], "cwd": "/"}


@cache
def strangers_python() -> str:
    """A Python that another user can run; skips the test where there is none, or this user cannot act as another."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as another user")
    for program in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            subprocess.run([program, "-I", "-c", "import socket"], check=True, capture_output=True, **AS_STRANGER)
        except (OSError, subprocess.SubprocessError):
            continue
        return program
    pytest.skip("no Python can be run by another user")
