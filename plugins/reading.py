"""The facts as pytest fixtures: one set per environment, begun together when the run starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from types import ModuleType
from typing import Any

import pytest

import fixtures.api
import fixtures.api_routes
import fixtures.aws
import fixtures.credentials
import fixtures.database
import fixtures.files
import fixtures.layer
import fixtures.logs
import fixtures.prisma_version
import fixtures.proof
import fixtures.replay
import fixtures.repository
import fixtures.runs
import fixtures.session
import fixtures.tunnel
import fixtures.waivers
from fixtures.aws_client import Accounts
from fixtures.facts import READERS, Facts
from health.check import Check
from health.finding import CouldNotCheck, NothingToCheck
from plugins import fixes
from plugins.local import Sandbox
from plugins.options import RUN, Run


class Readings:
    """The facts of every environment of this process, and what must be freed with them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._facts: dict[str, Facts] = {}
        self._accounts = Accounts()
        self._sandbox: Sandbox | None = None

    @property
    def run(self) -> Run:
        """What the user asked for."""
        return self._config.stash[RUN]

    def begin(self, name: str, items: Iterable[pytest.Item]) -> Facts:
        """The facts of an environment; those that its selected checks need are begun at the first call."""
        if name not in self._facts:
            assert self.run.registry is not None  # noqa: S101 - names come from it
            given: dict[str, Any] = {"waivers": self.run.waivers.of(name), "accounts": self._accounts}
            if self.run.phase == "after":
                given.update(fixtures.session.writer_only())  # a reader may lag behind the deploy
            if self.run.registry.embedded(name):
                self._sandbox = Sandbox(self.run, name)
                self._facts[name] = Facts(self._sandbox.environment, given)
            else:
                self._facts[name] = Facts(self.run.environment(name), given)
            self._facts[name].start(_needed(name, items))
        return self._facts[name]

    def wait(self, name: str) -> None:
        """Wait for an environment's facts, with a word on standard error when that takes long."""
        self._facts[name].wait(lambda line: self.say(f"{name}: {line}"))

    def read(self, name: str) -> Facts | None:
        """The facts of an environment if they were begun."""
        return self._facts.get(name)

    def close(self) -> None:
        """Free connections, tunnels and the sandbox."""
        for facts in self._facts.values():
            facts.close()
        self._facts.clear()
        self._accounts.close()
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    def say(self, line: str) -> None:
        """A line on standard error, past pytest's capture."""
        capture = self._config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            print(line, file=sys.stderr, flush=True)


READINGS = pytest.StashKey[Readings]()


def pytest_configure(config: pytest.Config) -> None:
    """Make a fixture of every registered fact and resource."""
    config.stash[READINGS] = Readings(config)
    if config.stash[RUN].names:
        for name in [name for name in os.environ if name.startswith("PG")]:
            del os.environ[name]  # libpq's settings of the user's shell lead elsewhere, or tell other times
    names = ["environment", *READERS]
    holder = ModuleType("fact_fixtures")
    vars(holder).update({name: _fixture(name) for name in names})
    config.pluginmanager.register(holder, "migration-health-facts")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs facts once per environment, which stands in the node id's brackets."""
    names = metafunc.config.stash[RUN].names
    if "facts" in metafunc.fixturenames and names:
        metafunc.parametrize("facts", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def facts(request: pytest.FixtureRequest) -> Facts:
    """The facts of the environment in the test's brackets."""
    readings = request.config.stash[READINGS]
    name: str = request.param
    begun = readings.begin(name, request.session.items)
    readings.wait(name)  # nothing to wait for, except in a worker of -n
    return begun


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[Any]:
    """Begin all environments together; free everything at the end, however the loop ends."""
    readings = session.config.stash[READINGS]
    try:
        # The controller of -n runs no checks; a worker begins an environment when it is given its first check.
        if not session.config.option.collectonly and not distributed(session.config):
            names = {name for item in session.items if (name := environment_name(item))}
            for name in readings.run.names:
                if name in names:
                    readings.begin(name, session.items)
            for name in names:
                readings.wait(name)
            session.config.hook.pytest_facts_read(config=session.config, readings=readings)
        return (yield)
    except KeyboardInterrupt:
        readings.say("stopping: closing connections and the sandbox")
        raise
    finally:
        readings.close()


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hook that tells of the facts."""
    pluginmanager.add_hookspecs(_Hooks)


class _Hooks:
    def pytest_facts_read(self, config: pytest.Config, readings: Readings) -> None:
        """All facts of the run's environments have been read, or could not be."""


def environment_name(item: pytest.Item) -> str | None:
    """The environment that an item judges."""
    callspec = getattr(item, "callspec", None)
    name: str | None = callspec.params.get("facts") if callspec else None
    return name


def check_of(item: pytest.Item) -> Check | None:
    """The declared check behind an item."""
    found: Check | None = getattr(getattr(item, "function", None), "check", None)
    return found


def _needed(name: str, items: Iterable[pytest.Item]) -> set[str]:
    needed: set[str] = set()
    for item in items:
        if environment_name(item) == name:
            needed.update(getattr(item, "fixturenames", ()))
            if (check := check_of(item)) is not None:
                needed.update(*(fixes.needs(code) for code in check.finds))
    return needed


def distributed(config: pytest.Config) -> bool:
    """Whether checks run in workers of -n: in the controller and in each of them."""
    return bool(getattr(config.option, "dist", "no") != "no") or hasattr(config, "workerinput")


def _fixture(name: str) -> Callable[..., Any]:
    def read(facts: Facts) -> Any:
        try:
            return facts[name]
        except NothingToCheck as nothing:
            pytest.skip(str(nothing))
        except CouldNotCheck as error:
            raise error.with_traceback(None) from None

    reader = READERS.get(name)
    read.__doc__ = reader.function.__doc__ if reader else "The environment's settings."
    fixture: Callable[..., Any] = pytest.fixture(scope="session", name=name)(read)
    return fixture
