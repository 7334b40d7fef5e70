"""No garbage collection in a run of checks: it lives for seconds, and a fifth of them went there."""

from __future__ import annotations

import gc

import pytest

from plugins.run.options import RUN


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Stop collecting."""
    if config.stash[RUN].names:
        gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Keep pytest from collecting five times over what the process leaves behind anyway."""
    if RUN in config.stash and config.stash[RUN].names:
        gc.freeze()
