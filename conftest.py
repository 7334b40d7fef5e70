"""Loads the plugins and the readers of facts; nothing else."""

pytest_plugins = [
    "plugins.invariants",
    "plugins.options",
    "plugins.garbage",
    "plugins.redaction",
    "plugins.catalogue",
    "plugins.reading",
    "plugins.judging",
    "plugins.scheduling",
    "plugins.recording",
    "plugins.migrating",
    "plugins.terminal",
    "plugins.reports",
    "plugins.editing",
]
