"""With ``-n``: workers end with the run, and all checks of an environment go to one, which reads it once."""

from __future__ import annotations

import os
import signal
from collections.abc import Container
from typing import TYPE_CHECKING, Any

import pytest

from plugins.run.options import RUN

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker whose it is."""
    node.workerinput["owner"] = os.getpid()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """End a worker with its run, whatever it is doing; one on another machine ends with its connection."""
    owner = getattr(config, "workerinput", {}).get("owner")
    if owner == os.getppid():
        from fixtures.clients.child_launcher import end_with_parent

        end_with_parent(owner, signal.SIGKILL)


# First, as pytest loads the conftest.py of this project's own tests too where it starts in its root.
@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """A scheduler whose unit of work is an environment; xdist's own loadgroup ignores its marks in pytest 9.2."""
    names = frozenset(config.stash[RUN].names)
    if not names:
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByEnvironment(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
        def _split_scope(self, nodeid: str) -> str:
            return environment_of(nodeid, names) or str(nodeid)

    return ByEnvironment(config, log)


def environment_of(nodeid: str, names: Container[str]) -> str | None:
    """The environment in a node id's brackets, ``…[prod]`` or ``…[prod-1]``."""
    name = nodeid.rpartition("[")[2].removesuffix("]") if nodeid.endswith("]") else ""
    while name and name not in names:
        name = name.rpartition("-")[0]
    return name or None
