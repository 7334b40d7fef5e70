"""``--migrate``: between two judgements of one environment, one request to the API to run the migrations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from fixtures.runs.trigger import migrate
from health.config.validation import RegistryError
from health.parts import Part
from health.report.results import Outcome
from health.words import plural
from plugins.output.progress import Progress
from plugins.run.check_catalog import checks_of_parts
from plugins.run.fact_fixtures import FACT_SETS, distributed, target_of
from plugins.run.items import check_of, target_name
from plugins.run.options import RUN, Run
from plugins.run.recorder import checks_of, verdict_of

if TYPE_CHECKING:
    from fixtures.facts import Facts
    from health.api.status import ApiStatus


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what could ask for a migration that nobody meant, before anything is asked of the outside."""
    run = config.stash[RUN]
    if not run.migrate:
        if config.option.confirm is not None:
            raise pytest.UsageError("--confirm goes with --migrate. Add it, or leave --confirm out.")
        return
    try:
        _refuse(config, run)
    except RegistryError as error:
        raise pytest.UsageError(str(error)) from None
    config.pluginmanager.register(MigrateCommand(config), "migration-health-migrating")


def _refuse(config: pytest.Config, run: Run) -> None:
    if len(run.names) != 1:
        raise RegistryError("--migrate is for exactly one environment. Name it: --env=NAME.")
    if config.getoption("phase"):
        raise RegistryError("--migrate judges before and after the migration. Leave --phase out.")
    if config.option.collectonly:
        raise RegistryError("--migrate does not go with --collect-only, which runs no checks. Leave one of them out.")
    if distributed(config):
        raise RegistryError("--migrate does not go with -n: one process judges, asks and judges again. Leave -n out.")
    (name,) = run.names
    assert run.registry is not None  # noqa: S101 - the name comes from it
    if Part.API not in run.parts[name]:
        deploy = run.deployed[name].deploy if name in run.deployed else ""
        instead = f"Leave it out, and deploy by: {deploy}" if deploy else "Leave it out."
        raise RegistryError(f"--migrate asks the API for the migration, and {name} has none (api_url). {instead}")
    confirmed = config.option.confirm
    if confirmed is not None and confirmed != name:
        raise RegistryError(f"--confirm={confirmed} is not the environment that --env names, {name}.")
    if confirmed is None and not run.registry.embedded(name) and run.deployed[name].confirm:
        raise RegistryError(f"--migrate changes {name}. Add --confirm={name} if that is what you mean.")


class MigrateCommand:
    """Sends the request when the last check before it has been judged, and keeps what came of it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._decided = False
        self._skip: str | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """All that is judged before comes first, whatever another plugin has shuffled."""
        items.sort(key=lambda item: (target := target_of(item)) is not None and target.migrated)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """A gate with half of its checks must not trigger anything."""
        if session.testsfailed:
            return  # a file could not be collected: pytest says which, and nothing is healthy
        run = session.config.stash[RUN]
        for name, target in run.targets.items():
            selected = {check.id for item in session.items if target_name(item) == name and (check := check_of(item))}
            if missing := sorted(checks_of_parts(run.parts[target.environment]).keys() - selected):
                raise pytest.UsageError(
                    f"--migrate needs every check, and {len(missing)} are not selected ({missing[0]}, …). "
                    "Leave -k, -m and names of tests out."
                )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before the first check of the second judgement, act, or find out why not."""
        target = target_of(item)
        if target is None or not target.migrated:
            return
        if not self._decided:
            self._decided = True  # whatever happens from here on, it happens once
            self._skip = self._why_not()
            if self._skip is None:
                self._act()
        if self._skip is not None:
            pytest.skip(self._skip)

    def _why_not(self) -> str | None:
        """Why nothing may be sent; None where everything was checked and nothing blocks."""
        before = _before(self._config.stash[RUN])
        if verdict_of(self._config, before) == "healthy":
            return None
        words: dict[Outcome, str] = {"failed": "found something that blocks", "unknown": "could not be made"}
        count = Counter(check.outcome for check in checks_of(self._config, before))
        reasons = [f"{n} {plural(n, 'check')} {word}" for outcome, word in words.items() if (n := count[outcome])]
        return f"no migration was asked for: before it, {' and '.join(reasons) or 'not everything was judged'}"

    def _act(self) -> None:
        readings = self._config.stash[FACT_SETS]
        facts = readings.read(_before(readings.run))
        assert facts is not None  # noqa: S101 - its checks were judged
        environment, key, url = facts["environment"], facts["admin_key"], _trigger_url(facts)
        facts.close()  # an open transaction holds locks that a migration would wait for
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.flush()  # standard error is not the same stream
        try:
            with readings.uncaptured() as stream, Progress(environment, stream) as progress:
                for run in migrate(environment, key, url):
                    readings.triggered = run
                    progress.show(run)
        except KeyboardInterrupt:
            if (known := readings.triggered) is not None and not known.ended:
                readings.say(f"the run {known.id or 'that was asked for'} goes on in AWS: look at {known.place}")
            raise


def _before(run: Run) -> str:
    """The target that is judged before the migration."""
    return next(name for name, target in run.targets.items() if not target.migrated)


def _trigger_url(facts: Facts) -> str:
    """Where the API was found, without the part that asks for its status."""
    status: ApiStatus = facts["api_status"]
    return status.url.removesuffix("/status")
