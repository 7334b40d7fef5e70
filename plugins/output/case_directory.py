"""``--save-case DIR``: the judged environment as a case, for ``--env=local --case=DIR``."""

from __future__ import annotations

from pathlib import Path

import pytest

from health.finding import CouldNotCheck
from health.report.record import Record
from health.saved.case import case_files
from health.saved.run import SavedTarget
from health.secrets.secret import hide
from plugins.output.private_files import write_private
from plugins.run.options import RUN
from plugins.run.replay import given
from plugins.run.saving import SAVED
from plugins.run.user_files import from_here


def write(config: pytest.Config, record: Record) -> None:
    """Write the case.

    Raises:
        OSError: a file could not be written.
        CaseError, CouldNotCheck: the environment cannot be described so.
    """
    run = config.stash[RUN]
    if (saved := run.replay or config.stash.get(SAVED, None)) is None:
        return  # the run was interrupted
    (target,) = saved.targets
    _write(from_here(config, config.getoption("save_case")), target)


def _write(place: Path, target: SavedTarget) -> None:
    facts = given(target)
    as_migrated = facts["as_migrated"].exception() is None and facts["as_migrated"].result() is True
    try:
        schema_sql = facts["schema_sql"].result()
    except CouldNotCheck:
        schema_sql = None
    gist = f"environment {target.environment.name}, as a run {target.phase} a deploy found it"
    history, prisma = facts["history"].result(), facts["prisma"].result()
    files = case_files(gist, history, prisma, schema_sql, as_migrated=as_migrated)
    place.mkdir(mode=0o700, exist_ok=True)
    for name, text in files.items():
        if text is None:
            (place / name).mkdir(mode=0o700)
        else:
            write_private(place / name, hide(text).encode("utf-8", "replace"))
