"""Takes redaction out of a run, to prove that leaks would be found: ``-p no:`` of the suite's plugins is refused."""

from __future__ import annotations

import pytest


def pytest_plugin_registered(plugin: object, plugin_name: str, manager: pytest.PytestPluginManager) -> None:
    """Remove redaction as soon as it is there."""
    if plugin_name == "plugins.redaction":
        manager.unregister(plugin)
