"""The facts as pytest fixtures: one set per environment, begun together when the run starts."""

from __future__ import annotations

import os
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import groupby
from types import ModuleType
from typing import Any, TextIO

import pytest

import fixtures.database.sessions
from fixtures.clients.aws import Accounts
from fixtures.facts import READERS, Facts, load_readers
from fixtures.parts import instead_of_absent
from health.check import Check
from health.config.environment import Environment
from health.finding import CouldNotCheck, NothingToCheck, Phase
from health.report.record import FactsOverview
from health.runs.triggered import MigrationRun
from health.sanitize import one_line
from health.secrets.secret import hide
from plugins import fixes
from plugins.run.check_catalog import checks_as_far_as_they_load, judged
from plugins.run.fact_summary import overview
from plugins.run.items import by_target, check_of, target_name
from plugins.run.options import RUN, Run, Target
from plugins.run.replay import given
from plugins.run.sandbox_process import Sandbox
from plugins.run.window import side_by_side, window

load_readers()

_ENDING_S = 20.0


class FactSets:
    """The facts of every target of this process, and what must be freed with them.

    Attributes:
        triggered: the run of the migrations that was asked for, for the facts that are read after it.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._saving = any(getattr(config.option, name, None) for name in ("save", "save_case"))
        self._facts: dict[str, Facts] = {}
        self._accounts: defaultdict[Phase, Accounts] = defaultdict(Accounts)  # what is read after is read anew
        self._sandbox: Sandbox | None = None
        self._next: dict[str, Sequence[pytest.Item]] = {}  # not begun yet, in their order
        self._late: set[str] = set()
        self._ending: list[threading.Thread] = []
        self._lock = threading.RLock()
        self._closed = False
        self.triggered: MigrationRun | None = None

    @property
    def run(self) -> Run:
        """What the user asked for."""
        return self._config.stash[RUN]

    def begin(self, target: str, items: Iterable[pytest.Item]) -> Facts:
        """The facts of a target; those that its items need are begun at the first call."""
        if target in self._next:
            self._finish_ending()  # its turn comes when an earlier one has ended
        with self._lock:
            self._next.pop(target, None)
            if target not in self._facts:
                self._begin(target, items)
            return self._facts[target]

    def _begin(self, target: str, items: Iterable[pytest.Item]) -> None:
        checks_as_far_as_they_load()  # a reader without a value refers to the check that says why
        self._facts[target] = self._of_environment(target) if self.run.replay is None else self._saved(target)
        self._facts[target].start(_needed(items))

    def expect(self, targets: Iterable[str]) -> None:
        """Take note of the targets that may be read: what they share is kept until the last of them has ended."""
        for target in map(self.run.targets.__getitem__, targets):
            if target.environment in self.run.deployed:
                self._accounts[target.phase].expect([self.run.deployed[target.environment]])

    def is_late(self, target: str) -> bool:
        """Whether a target had to wait until others had ended."""
        return target in self._late

    def schedule(self, asked: Mapping[str, Sequence[pytest.Item]]) -> list[str]:
        """Begin as many targets as are read at once, in their order; gives those. The others follow as these end.

        Args:
            asked: the targets with the items that need their facts.
        """
        if not asked:
            return []
        assert self.run.registry is not None  # noqa: S101 - names come from it
        most = window(self.run.at_once)
        # The sandbox is started first of all: where it does not start, the run ends.
        first = [
            target
            for number, target in enumerate(asked)
            if number < most or self.run.registry.embedded(self.run.targets[target].environment)
        ]
        self._next = {target: asked[target] for target in list(asked)[most:] if target not in first}
        self._late = set(self._next)
        for target in first:
            self.begin(target, asked[target])
        return first

    def end(self, target: str) -> None:
        """Free what a target has, as its last item has been judged, and begin the next one; returns at once."""
        if self.run.migrate or self._saving:
            return  # what was read is needed at the end of the run
        with self._lock:
            facts = self._facts.pop(target, None)
        if facts is None:
            return
        thread = threading.Thread(target=self._end, args=(target, facts), name=f"end-{target}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # this machine has no thread left
            self._end(target, facts)
        else:
            self._ending = [each for each in self._ending if each.is_alive()] + [thread]

    def _end(self, target: str, facts: Facts) -> None:
        facts.close()
        name, phase = self.run.targets[target].environment, self.run.targets[target].phase
        if name in self.run.deployed:
            self._accounts[phase].leave(self.run.deployed[name])
        with self._lock:
            following = next(iter(self._next), None)
            if following is not None and not self._closed:
                self._begin(following, self._next.pop(following))

    def _finish_ending(self) -> None:
        for thread in self._ending:
            thread.join(_ENDING_S)

    def _saved(self, target: str) -> Facts:
        """The facts that another run has read."""
        assert self.run.replay is not None  # noqa: S101 - who asks has looked
        saved = self.run.replay.by_name[target]
        try:
            read = given(saved)
        except ValueError as error:
            raise pytest.UsageError(f"--replay: the file is damaged: {one_line(hide(str(error)), 300)}.") from None
        return Facts(saved.environment, {**read, **instead_of_absent(saved.environment.parts)})

    def _of_environment(self, target: str) -> Facts:
        """New facts, of which nothing is read yet."""
        assert self.run.registry is not None  # noqa: S101 - names come from it
        name, phase = self.run.targets[target].environment, self.run.targets[target].phase
        known: dict[str, Any] = {
            "waivers": self.run.waivers.of(name),
            "triggered": self.triggered,
            "accounts": self._accounts[phase],
        }
        if phase == "after":
            known.update(fixtures.database.sessions.writer_only())  # a reader may lag behind the deploy
        environment: Environment | Future[Environment]
        if self.run.registry.embedded(name):
            self._sandbox = self._sandbox or Sandbox(self.run, name)
            environment = self._sandbox.environment
        else:
            environment = self.run.deployed[name]
            known.update(instead_of_absent(environment.parts))
        return Facts(environment, known)

    def overview(self, target: str) -> FactsOverview | None:
        """What the facts of a target show, or showed; None where they were not begun."""
        if (facts := self.read(target)) is None:
            return None
        if (saved := self.run.replay) is None:
            return overview(facts)
        then = saved.by_name[target].overview
        return replace(then, facts={**then.facts, "replayed": f"saved {saved.day}, by version {saved.version}"})

    def wait(self, target: str) -> None:
        """Wait for a target's facts, with a word on standard error when that takes long."""
        name = self.run.targets[target].environment
        self._facts[target].wait(lambda line: self.say(f"{name}: {line}"), self._starts)

    def _starts(self) -> str:
        waits_for = self._sandbox.waits_for if self._sandbox is not None else ""
        return "the environment to start" + (f", now for {waits_for}" if waits_for else "")

    def require_sandbox(self) -> None:
        """Raise a usage error where the local environment did not start: nothing in it can be judged."""
        if self._sandbox is None:
            return
        try:
            self._sandbox.environment.result()
        except CouldNotCheck as error:
            raise pytest.UsageError(str(error)) from None

    def require_case(self) -> None:
        """Raise a usage error where a case cannot be put in place; workers of -n could not end the run."""
        assert self.run.registry is not None  # noqa: S101 - a case is only taken with an environment
        (local,) = (name for name in self.run.names if self.run.registry.embedded(name))
        self._sandbox = Sandbox(self.run, local)
        try:
            self.require_sandbox()
        finally:
            self.close()

    def read(self, target: str) -> Facts | None:
        """The facts of a target if they were begun."""
        return self._facts.get(target)

    def close(self) -> None:
        """Free connections, tunnels and the sandbox."""
        with self._lock:
            self._closed = True
            read = list(self._facts.values())
            self._facts.clear()
            self._next.clear()
        side_by_side([facts.close for facts in read])
        self._finish_ending()
        side_by_side([accounts.close for accounts in self._accounts.values()])
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    def say(self, line: str) -> None:
        """A line on standard error, past pytest's capture."""
        with self.uncaptured() as stream:
            print(line, file=stream, flush=True)

    @contextmanager
    def uncaptured(self) -> Iterator[TextIO]:
        """Standard error, past pytest's capture."""
        capture = self._config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            yield sys.stderr


FACT_SETS = pytest.StashKey[FactSets]()


def pytest_configure(config: pytest.Config) -> None:
    """Make a fixture of every registered fact and resource."""
    config.stash[FACT_SETS] = FactSets(config)
    if config.stash[RUN].names:
        for name in [name for name in os.environ if name.startswith("PG")]:
            del os.environ[name]  # libpq's settings of the user's shell lead elsewhere, or tell other times
    names = ["environment", *READERS]
    holder = ModuleType("fact_fixtures")
    vars(holder).update({name: _fixture(name) for name in names})
    config.pluginmanager.register(holder, "migration-health-facts")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> list[pytest.Item] | None:
    """Collect no check of parts that no environment of the run has."""
    check = getattr(obj, "check", None)
    run = collector.config.stash[RUN]
    return [] if isinstance(check, Check) and run.targets and not _targets_of(check, run) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs facts once per target, which stands in the node id's brackets."""
    run = metafunc.config.stash[RUN]
    if "facts" in metafunc.fixturenames and run.targets:
        check = getattr(metafunc.function, "check", None)
        targets = _targets_of(check, run) if isinstance(check, Check) else list(run.targets)
        metafunc.parametrize("facts", targets, indirect=True, scope="session")


def _targets_of(check: Check, run: Run) -> list[str]:
    """The targets whose environment has what a check judges; of a replay, those that it has judged."""
    return [
        name
        for name, target in run.targets.items()
        if judged(check, run.parts[target.environment]) and run.asks(name, check.id)
    ]


@pytest.fixture(scope="session")
def facts(request: pytest.FixtureRequest) -> Facts:
    """The facts of the target in the test's brackets."""
    readings = request.config.stash[FACT_SETS]
    target: str = request.param
    late = readings.is_late(target)
    begun = readings.begin(target, by_target(request.session)[target])
    readings.wait(target)  # nothing to wait for where it is one of the first that were begun
    if late:
        request.config.hook.pytest_facts_read(config=request.config, readings=readings, targets=[target])
    return begun


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[Any]:
    """Begin all environments together; free everything at the end, however the loop ends."""
    readings = session.config.stash[FACT_SETS]
    try:
        if not session.config.option.collectonly:
            _begin(session, readings)
        return (yield)
    except KeyboardInterrupt:
        readings.say("stopping: closing connections and the sandbox")
        raise
    finally:
        readings.close()


def _begin(session: pytest.Session, readings: FactSets) -> None:
    asked = {name: items for name, items in by_target(session).items() if name in readings.run.targets}
    readings.expect(asked)
    if distributed(session.config):
        # The controller of -n runs no checks; a worker begins an environment when it is given its first check.
        if readings.run.case is not None and not hasattr(session.config, "workerinput"):
            readings.require_case()
        return
    # What is judged after a run of the migrations is read when that has ended.
    begun = readings.schedule({name: asked[name] for name in asked if not readings.run.targets[name].migrated})
    for target in begun:
        readings.wait(target)
    readings.require_sandbox()
    session.config.hook.pytest_facts_read(config=session.config, readings=readings, targets=begun)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring the items of a target together where something has shuffled them: an environment ends with its last."""
    changes = [name for name, _ in groupby(map(target_name, items)) if name is not None]
    if len(changes) > len(set(changes)):
        first = {name: number for number, name in reversed(list(enumerate(map(target_name, items))))}
        items.sort(key=lambda item: first[target_name(item)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """End a target with its last item."""
    done = yield
    name = target_name(item)
    if name in item.config.stash[RUN].targets and by_target(item.session)[name][-1] is item:
        item.config.stash[FACT_SETS].end(name)
    return done


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hook that tells of the facts."""
    pluginmanager.add_hookspecs(_Hooks)


class _Hooks:
    def pytest_facts_read(self, config: pytest.Config, readings: FactSets, targets: Sequence[str]) -> None:
        """All facts of these targets have been read, or could not be."""


def target_of(item: pytest.Item) -> Target | None:
    """The environment that an item judges, and in which phase."""
    name = target_name(item)
    return item.config.stash[RUN].targets[name] if name is not None else None


def _needed(items: Iterable[pytest.Item]) -> set[str]:
    needed: set[str] = set()
    for item in items:
        needed.update(getattr(item, "fixturenames", ()))
        if (check := check_of(item)) is not None:
            needed.update(*(fixes.needs(code) for code in check.finds))
    return {name for name in needed if name not in READERS or not READERS[name].on_demand}


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
