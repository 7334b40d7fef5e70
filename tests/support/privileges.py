"""Other users of the machine, for attacks as one of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

import pytest

_ANOTHER = 54_321  # nobody's: not this user's, and not the servers'


def as_another_user(command: Sequence[str]) -> list[str]:
    """A command that is run as another user; the test is skipped where that cannot be."""
    program = shutil.which("setpriv")
    if os.geteuid() != 0 or program is None:
        pytest.skip("only root can become another user, by setpriv")
    return [program, f"--reuid={_ANOTHER}", f"--regid={_ANOTHER}", "--clear-groups", "--", *command]
