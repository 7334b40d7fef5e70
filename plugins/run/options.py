"""The command line: which environments, from which registry, in which phase."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from os.path import expandvars
from pathlib import Path

import pytest

from fixtures.application.environment import completed
from health.clone import row_limit
from health.clone.server_choice import CloneOption, CloneOptionError, supported
from health.clone.server_choice import parse as parse_clone
from health.config import registry
from health.config.environment import Environment
from health.config.registry import Registry
from health.config.validation import RegistryError, Settings
from health.finding import PHASES, Phase, Severity
from health.parts import EVERY, Part
from health.sanitize import did_you_mean
from health.saved.run import SavedRun
from health.secrets.secret import keep_name
from health.waivers.waivers import Waivers
from plugins.paths import CHECKS
from plugins.run import packages, registry_file
from plugins.run import waivers_file as waivers
from plugins.run.invariant_checks import declared, shipped
from plugins.run.replay_file import replayed
from plugins.run.sandbox_faults import require_known
from plugins.run.user_files import from_here


@dataclass(frozen=True)
class Target:
    """One judgement of an environment, on facts of its own.

    Attributes:
        migrated: whether it comes after the run of the migrations that ``--migrate`` asks for.
    """

    environment: str
    phase: Phase
    migrated: bool = False


@dataclass(frozen=True)
class Run:
    """What the user asked for.

    Attributes:
        registry: the environments; None if none was asked for.
        names: the environments to judge.
        overrides: the application's paths, each with the option that it came from.
        faults: how to break the local environment.
        case: the directory that describes what the local environment is to be.
        waivers: the findings that are accepted.
        migrate: whether the migrations are to be run between two judgements.
        clone: which PostgreSQL to try things on; None leaves it to the registry.
        postgres: the version of the local environment's server; None: the newest that the suite brings.
        rows: up to how many bytes of a table are copied to it; None leaves it to the registry.
        at_once: how many environments one process reads at once, at most; None leaves it to this machine.
        replay: what another run has read, where that is judged; None where the outside is asked.
    """

    registry: Registry | None
    names: tuple[str, ...]
    phase: Phase
    phase_source: str
    fail_on: Severity
    overrides: Mapping[str, tuple[str, Path]]
    faults: tuple[str, ...]
    waivers: Waivers
    migrate: bool = False
    clone: CloneOption | None = None
    rows: int | None = None
    case: Path | None = None
    postgres: int | None = None
    at_once: int | None = None
    replay: SavedRun | None = None

    @cached_property
    def targets(self) -> dict[str, Target]:
        """What stands in a node id's brackets, and which judgement that is, in their order."""
        if self.replay is not None:
            return {name: Target(each.environment.name, each.phase) for name, each in self.replay.by_name.items()}
        if self.migrate:
            (name,) = self.names  # plugins.commands.migrate takes no more
            return {f"{name}-before": Target(name, "before"), f"{name}-after": Target(name, "after", migrated=True)}
        return {name: Target(name, self.phase) for name in self.names}

    @cached_property
    def deployed(self) -> Mapping[str, Environment]:
        """The settings of each environment but the local one, by its name.

        Raises:
            RegistryError: those of one cannot be used.
        """
        if self.replay is not None:
            return {each.environment.name: each.environment for each in self.replay.targets}
        known = self.registry
        if known is None:
            return {}
        return {name: completed(self.environment(name), os.environ) for name in self.names if not known.embedded(name)}

    @cached_property
    def invariants(self) -> tuple[Path, ...]:
        """The directories with a team's own invariants."""
        return tuple(dict.fromkeys(each.invariants for each in self.deployed.values() if each.invariants != Path()))

    @cached_property
    def parts(self) -> Mapping[str, frozenset[Part]]:
        """What each environment has, by its name; the local one has everything."""
        return {name: self.deployed[name].parts if name in self.deployed else EVERY for name in self.names}

    def asks(self, target: str, check: str) -> bool:
        """Whether a check is among those of a target: a replay has the facts of those that were judged."""
        return self.replay is None or check in self.replay.by_name[target].checks

    def environment(self, name: str, entry: Settings | None = None) -> Environment:
        """The settings of one environment; ``entry`` in place of the registry's own.

        Raises:
            RegistryError: they cannot be used.
        """
        assert self.registry is not None  # noqa: S101 - names were selected from it
        overrides = self.overrides
        if entry is not None:
            # The sandbox has a checkout of its own; --migrations it was given, and uses unless a fault adds one.
            overrides = {k: v for k, v in overrides.items() if k == "migrations" and str(v[1]) == entry[k]}
        environment = registry.environment(self.registry, name, os.environ, overrides, entry)
        environment = environment if self.clone is None else replace(environment, clone=self.clone)
        environment = environment if self.rows is None else replace(environment, rows=self.rows)
        _refuse_rows(environment.rows, environment.clone, name)
        return environment


RUN = pytest.StashKey[Run]()
_GROUP = "migration health"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the suite's options and their twins in pytest.ini."""
    group = parser.getgroup(_GROUP)
    _show_first(parser)
    add = group.addoption
    add("--env", metavar="NAME[,NAME…]", help="environments to judge; all: every deployed one")
    add("--database-url", metavar="VARIABLE|URL", help="an environment without a registry, named database")
    add("--environments", metavar="FILE", help="another registry than environments.toml")
    add("--app", metavar="DIR", help="checkout of the application")
    add("--migrations", metavar="DIR", help="migrations directory, if not the checkout's own")
    add("--tunnel-script", metavar="FILE", help="tunnel script, if not the checkout's own")
    add("--phase", metavar="|".join(PHASES), help="when the run happens (default: before)")
    add("--fail-on", metavar="error|warning", help="what blocks (default: error)")
    add("--fault", metavar="NAME", action="append", default=[], help="break the local environment; repeatable")
    add("--case", metavar="DIR", help="put the state that a directory describes into the local environment")
    add("--postgres", metavar="MAJOR", help="the version of the local environment's PostgreSQL (default: 18)")
    add("--migrate", action="store_true", help="run the migrations through the API, and judge before and after")
    add("--confirm", metavar="NAME", help="the environment's name once more, where --migrate asks for it")
    add("--waivers", metavar="FILE", help="other accepted findings than waivers.toml")
    add("--clone", metavar="auto|embedded|npm|docker|postgresql://…|off", help="where migrations and fixes are tried")
    add("--rows", metavar="SIZE", help="copy the rows of tables up to this size, such as 10MB, to the clone")
    add("--at-once", metavar="N", help="read at most N environments at once (default: by cores and descriptors)")
    add("--report", metavar="DIR", help="write report.json, fixes-ENV.sql and summary.md there")
    for name, text in (
        ("environments", "registry"),
        ("app", "checkout of the application"),
        ("migrations", "migrations directory"),
        ("tunnel_script", "tunnel script"),
        ("phase", "before, after or nightly"),
        ("fail_on", "error or warning"),
        ("waivers", "accepted findings"),
        ("clone", "where migrations and fixes are tried"),
        ("at_once", "how many environments are read at once"),
    ):
        parser.addini(name, f"{text}; as the option of the same name")


def _show_first(parser: pytest.Parser) -> None:
    """Let ``--help`` begin with the suite's own options: pytest has no public way to say so."""
    shown = getattr(getattr(parser, "optparser", None), "_action_groups", [])
    shown.sort(key=lambda group: group.title != _GROUP)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Understand the options, or end the run with one line and status 4."""
    try:
        config.stash[RUN] = _understand(config)
    except RegistryError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run checks without an environment."""
    config = session.config
    if not config.stash[RUN].names and not config.option.collectonly and not hasattr(config, "workerinput"):
        require_environment(config, (item.path for item in session.items))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: object, ids: list[str]) -> None:
    """The same with -n, where only the workers collect."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]
    if not config.stash[RUN].names:
        require_environment(config, (config.rootpath / nodeid.partition("::")[0] for nodeid in ids))


def require_environment(config: pytest.Config, paths: Iterable[Path]) -> None:
    """Raise a usage error that lists the environments if a check is among the paths of test files."""
    if any(CHECKS in path.parents for path in paths):
        raise pytest.UsageError("the checks need an environment: --env=NAME. " + _choice(config))


def _choice(config: pytest.Config) -> str:
    try:
        return registry_file.choice(config)
    except (RegistryError, pytest.UsageError) as error:
        return str(error)


def _understand(config: pytest.Config) -> Run:
    overrides: dict[str, tuple[str, Path]] = {}
    for name in ("app", "migrations", "tunnel_script"):
        if value := config.getoption(name):
            overrides[name] = (f"--{name.replace('_', '-')}", from_here(config, value))
        elif value := config.getini(name):
            overrides[name] = ("pytest.ini", config.rootpath / Path(value).expanduser())
    if (saved := replayed(config)) is not None:
        return _replay(*saved)
    phase, phase_source = _one_of(config, "phase", PHASES, "before")
    fail_on, _ = _one_of(config, "fail_on", ("error", "warning"), "error")
    known, names = registry_file.asked(config)
    for name in names:
        keep_name(name)
    faults = tuple(config.getoption("fault"))
    waived = waivers.load(config, registry_file.waivable(config, known)) if known is not None else Waivers()
    clone, migrate = _clone(config), config.option.migrate
    case = from_here(config, config.option.case) if config.option.case is not None else None
    asked = Run(known, names, phase, phase_source, fail_on, overrides, faults, waived, migrate, clone)  # type: ignore[arg-type]
    run = replace(asked, rows=_rows(config), case=case, postgres=_postgres(config), at_once=_at_once(config))
    _validate(run)
    return run


def _replay(file: str, saved: SavedRun) -> Run:
    """What the run was asked for that the file has."""
    names = tuple(dict.fromkeys(target.environment.name for target in saved.targets))
    known = Registry(file, Path(), {}, {name: {} for name in names})
    phase = saved.targets[0].phase
    return Run(known, names, phase, "as saved", saved.fail_on, {}, (), saved.waivers, replay=saved)


def _validate(run: Run) -> None:
    """Raise RegistryError for what would only come out after something was asked of the outside."""
    local = [name for name in run.names if run.registry is not None and run.registry.embedded(name)]
    for option, (source, path) in run.overrides.items():
        if not (path.is_file() if option == "tunnel_script" else path.is_dir()):
            what = "file" if option == "tunnel_script" else "directory"
            raise RegistryError(f"{source}: there is no {what} {path}. Name another, or leave the option out.")
        if option != "migrations" and run.names and len(local) == len(run.names):
            raise RegistryError(f"{source} has no effect on {local[0]}, which has a checkout of its own. Leave it out.")
    for name in run.names:
        packages.require_for(name, run.parts[name], embedded=name in local)
    if run.registry is not None:
        _validate_invariants(run, run.registry)
    _refuse_rows(run.rows or 0, run.clone or CloneOption(), "--rows")
    if len(local) > 1:
        raise RegistryError(f"--env: only one embedded environment in a run, not {' and '.join(local)}.")
    if run.faults and not local:
        raise RegistryError("--fault breaks the local environment only. Add --env=local, or leave it out.")
    if run.faults:
        require_known(run.faults)
    _validate_local(run, local)


def _validate_local(run: Run, local: list[str]) -> None:
    if run.postgres is not None and not local:
        raise RegistryError("--postgres is of the local environment only. Add --env=local, or leave it out.")
    if run.case is None:
        return
    if not local:
        raise RegistryError("--case is put into the local environment only. Add --env=local, or leave it out.")
    if run.faults:
        raise RegistryError("--case and --fault: a case is the whole state. Leave one of them out.")
    if run.overrides.get("migrations", ("", None))[0] == "--migrations":
        raise RegistryError("--case and --migrations: a case has its own migrations. Leave one of them out.")
    if not run.case.is_dir():
        raise RegistryError(f"--case: there is no directory {run.case}. Name another, or leave the option out.")


def _refuse_rows(rows: int, clone: CloneOption, where: str) -> None:
    if rows and clone.kind == "off":
        raise RegistryError(
            f"{where}: rows cannot be copied without a clone, and clone is off ({clone.source}). Leave one of them out."
        )
    if rows and clone.login is not None:
        raise RegistryError(
            f"{where}: rows are copied only to a server that ends with the run, not to one of yours. Leave --rows out, "
            "or take another --clone."
        )


def _validate_invariants(run: Run, known: Registry) -> None:
    for directory in run.invariants:
        if not directory.is_dir():
            raise RegistryError(f"{known.file}: invariants: there is no directory {directory}. Name another.")
    invariants = dict(shipped())
    for directory in run.invariants:
        invariants |= declared(directory)
    for name, settings in {"defaults": known.defaults, **known.entries}.items():
        if name not in run.names and any("invariants" in each for each in (known.defaults, settings)):
            continue  # an invariant of its own, which nobody has asked for
        for invariant in settings.get("baselines", {}):
            if invariant not in invariants:
                hint = did_you_mean(invariant, invariants, "checks/invariants holds a file for each.")
                raise RegistryError(f"{known.file}: [{name}]: baselines.{invariant}: no such invariant; {hint}")


def _clone(config: pytest.Config) -> CloneOption | None:
    """What is asked for; ``${VARIABLE}`` keeps a password off the command line."""
    for text, source in ((config.getoption("clone"), "--clone"), (config.getini("clone"), "pytest.ini")):
        if text:
            try:
                return parse_clone(expandvars(str(text)), source)
            except CloneOptionError as error:
                raise RegistryError(str(error)) from None
    return None


def _rows(config: pytest.Config) -> int | None:
    text = config.getoption("rows")
    try:
        return None if text is None else row_limit.parse(text, "--rows")
    except row_limit.RowLimitError as error:
        raise RegistryError(str(error)) from None


def _postgres(config: pytest.Config) -> int | None:
    text = config.option.postgres
    try:
        return None if text is None else supported(text, "--postgres")
    except CloneOptionError as error:
        raise RegistryError(str(error)) from None


def _at_once(config: pytest.Config) -> int | None:
    for text, source in ((config.getoption("at_once"), "--at-once"), (config.getini("at_once"), "pytest.ini")):
        if text:
            if not text.isdecimal() or int(text) < 1:
                raise RegistryError(f"{source}: at-once {text!r} is no number of environments: 1 or more.")
            return int(text)
    return None


def _one_of(config: pytest.Config, name: str, choices: tuple[str, ...], default: str) -> tuple[str, str]:
    value, source = config.getoption(name), f"--{name.replace('_', '-')}"
    if value is None:
        value, source = config.getini(name) or default, "pytest.ini" if config.getini(name) else "default"
    if value not in choices:
        raise RegistryError(f"{source}: {name.replace('_', '-')} {value!r} is none of {', '.join(choices)}.")
    return value, source
