"""Loads the plugins and the readers of facts; nothing else."""

pytest_plugins = [
    "plugins.run.packages",
    "plugins.run.sql_invariants",
    "plugins.run.selection",
    "plugins.run.options",
    "plugins.run.preflight",
    "plugins.run.no_gc",
    "plugins.redaction",
    "plugins.commands.listing",
    "plugins.commands.fetch_postgres",
    "plugins.commands.init",
    "plugins.run.fact_fixtures",
    "plugins.run.check_report",
    "plugins.run.check_runner",
    "plugins.run.xdist_scheduling",
    "plugins.run.recorder",
    "plugins.commands.migrate",
    "plugins.output.nightly",
    "plugins.output.terminal",
    "plugins.output.writers",
    "plugins.output.report_files",
    "plugins.output.result_files",
    "plugins.output.junit_properties",
    "plugins.commands.editing",
    "plugins.run.completion",  # last: it completes the options of those before it
]
