"""Ends a run that cannot begin, with what is missing on this machine as one list."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from fixtures.preflight.obstacles import obstacles
from health.config.preflight import Obstacle, before_this_can_run
from plugins.run.options import RUN, Run


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Look before anything is collected or read: once for all environments, and not in the workers of -n."""
    config = session.config
    run = config.stash[RUN]
    if run.names and run.replay is None and not config.option.collectonly and not hasattr(config, "workerinput"):
        require(run)


def require(run: Run) -> None:
    """Raise a usage error that tells what is missing.

    The local environment is made by the run itself: nothing of it is looked for.
    """
    assert run.registry is not None  # noqa: S101 - names were selected from it
    deployed = [name for name in run.names if not run.registry.embedded(name)]
    with ThreadPoolExecutor() as pool:  # a provider of credentials may keep each waiting
        asked = [pool.submit(_found, run, name, _app_option(run, name)) for name in deployed]
    found = {name: each.result() for name, each in zip(deployed, asked, strict=True)}
    if text := before_this_can_run(found):
        raise pytest.UsageError(text)


def _app_option(run: Run, name: str) -> str:
    """What names another checkout: an option where all environments are of one, else an entry's own setting."""
    if len({each.app for each in run.deployed.values()}) == 1:
        return f"pytest --env={','.join(run.names)} --app=DIR"
    assert run.registry is not None  # noqa: S101 - as above
    return f'app = "DIR" under [{name}] in {run.registry.file}'


def _found(run: Run, name: str, option: str) -> list[Obstacle]:
    return list(obstacles(run.deployed[name], option))
