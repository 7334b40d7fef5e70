"""Takes redaction out of a run, to prove that a leak would be found: the suite refuses ``-p no:`` of its own plugins."""

from __future__ import annotations

import pytest


def pytest_plugin_registered(plugin: object, plugin_name: str, manager: pytest.PytestPluginManager) -> None:
    """Remove redaction as soon as it is there."""
    if plugin_name == "plugins.redaction":
        manager.unregister(plugin)
