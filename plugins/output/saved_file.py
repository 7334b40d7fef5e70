"""Writes the file of ``--save``: its owner's alone, in one step."""

from __future__ import annotations

import pytest

from health.report.record import Record
from health.saved.file import to_bytes
from plugins.output.private_files import write_private
from plugins.redaction.values import hidden
from plugins.run.saving import SAVED
from plugins.run.user_files import from_here


def write(config: pytest.Config, record: Record) -> None:
    """Write what was read.

    Raises:
        OSError: the file could not be written.
        SavedFileError: it is too large.
    """
    if (saved := config.stash.get(SAVED, None)) is None:
        return  # the run was interrupted
    write_private(from_here(config, config.getoption("save")), to_bytes(saved, hidden))
