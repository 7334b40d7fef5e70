"""``--junitxml``: what is known of a check stands at its case as properties."""

from __future__ import annotations

import pytest

from health.report.results import CheckResult
from plugins.run.check_report import report_on
from plugins.run.options import RUN


def pytest_configure(config: pytest.Config) -> None:
    """Add properties where a file is asked for: in the process that writes it."""
    if getattr(config.option, "xmlpath", None) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(JunitProperties(config), "migration-health-junit")


class JunitProperties:
    """Puts the properties on the last report of a test, from which pytest takes them; a failure is its message."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._checks: dict[str, tuple[str, CheckResult]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report carries until the test's last one."""
        if carried := report_on(report):
            self._checks[report.nodeid] = carried.target, carried.check
            if report.failed and carried.check.findings:
                report.longrepr = str(report.longrepr)  # the message as it is, without the exception's name
        if report.when == "teardown" and report.nodeid in self._checks:
            from health.report.junit import properties

            name, check = self._checks.pop(report.nodeid)
            target = self._config.stash[RUN].targets[name]
            docs_url = self._config.getini("docs_url")
            report.user_properties += properties(target.environment, target.phase, check, docs_url)
