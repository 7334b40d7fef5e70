"""Redacts what a worker of ``-n`` sends: the process that shows it does not know the worker's secrets."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.redaction.values import hidden


def redact(config: pytest.Config) -> None:
    """Redact all events of this worker: also warnings, internal errors and node ids, for which there is no hook."""
    if not hasattr(config, "workerinput"):
        return
    for plugin in config.pluginmanager.get_plugins():
        if type(plugin).__name__ == "WorkerInteractor":  # xdist's, which has no name to ask for
            _redact(plugin)


def _redact(interactor: Any) -> None:
    send = interactor.sendevent
    interactor.sendevent = lambda name, **kwargs: send(name, **hidden(kwargs))
