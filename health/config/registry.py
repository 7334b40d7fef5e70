"""Reading ``environments.toml``: which environments there are, and the settings of one of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from health.clone.row_limit import RowLimitError
from health.clone.row_limit import parse as parse_rows
from health.clone.server_choice import CloneOption, CloneOptionError
from health.clone.server_choice import parse as parse_clone
from health.config.environment import LOG_MINUTES, Environment, Limits
from health.config.urls import is_loopback
from health.sanitize import did_you_mean
from health.secrets.secret import Secret

Settings = Mapping[str, Any]

_LIMITS = {each.name for each in fields(Limits)}
_PATHS = {"app", "ssh_key", "known_hosts", "tunnel_script", "migrations"}
_OTHERS = {
    **dict.fromkeys(("embedded", "confirm"), bool),
    **dict.fromkeys(("functions", "limits", "accepted_checksums", "variables", "log_minutes", "baselines"), dict),
    **dict.fromkeys(("script_stages", "known_differences"), list),
    "ssh_port": int,
}
_KEYS = {each.name for each in fields(Environment)} - {"name", "stages", "sources"}
_REQUIRED = ("api_url", "functions", "secret", "cluster_prefix", "ssh_key", "tunnel_script", "migrations")
_FUNCTIONS = ("auth", "worker")
_MOST_LOG_MINUTES = 24 * 60
_PRODUCTION = re.compile(r"(?<![a-z])(prod|production|live)(?![a-z])", re.IGNORECASE)  # --migrate asks twice there
_PORTS = range(1, 65536)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class RegistryError(Exception):
    """The registry cannot be used; the text names file, key, value and remedy."""


@dataclass(frozen=True)
class Registry:
    """A registry whose shape is right; values are expanded only for the environment that is asked for.

    Attributes:
        file: how to name the file to a person.
        directory: where the file is.
        defaults: the settings of all environments.
        entries: each environment's own settings, by name.
    """

    file: str
    directory: Path
    defaults: Settings = field(repr=False)  # values may be secrets
    entries: Mapping[str, Settings] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The environments in the order of the file."""
        return tuple(self.entries)

    @property
    def deployed(self) -> tuple[str, ...]:
        """The environments that ``all`` means: every one but the embedded."""
        return tuple(name for name, entry in self.entries.items() if not entry.get("embedded"))

    def embedded(self, name: str) -> bool:
        """Whether an environment is the sandbox's."""
        return bool(self.entries[name].get("embedded"))

    def select(self, names: str) -> tuple[str, ...]:
        """The environments of ``NAME[,NAME…]`` or ``all``, each once.

        Raises:
            RegistryError: a name is not in the registry; the nearest ones are named.
        """
        wanted = dict.fromkeys(name.strip() for name in names.split(",") if name.strip())
        if list(wanted) == ["all"]:
            wanted = dict.fromkeys(self.deployed)
        for name in wanted:
            if name not in self.entries:
                hint = did_you_mean(name, self.names, f"it has {', '.join(self.names)}.", cutoff=0.4)
                raise RegistryError(f"--env: no environment {name!r} in {self.file}; {hint}")
        if not wanted:
            raise RegistryError(f"--env: {names!r} names no environment; {self.file} has {', '.join(self.names)}.")
        return tuple(wanted)


def parse(text: str, file: str, directory: Path) -> Registry:
    """The registry in a TOML text: ``[defaults]`` and one table per environment.

    Args:
        text: the file's text.
        file: how to name the file to a person.
        directory: where the file is, from which a relative ``app`` starts.

    Raises:
        RegistryError: it is not TOML, or a key or a value's type is wrong.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegistryError(f"{file}: not valid TOML: {error}. Mend that line.") from None
    for name, table in tables.items():
        if not isinstance(table, dict):
            remedy = "Move it under [defaults] or the table of an environment."
            raise RegistryError(f"{file}: {name} = {_shown(name, table)} stands outside a table. {remedy}")
        if not _NAME.fullmatch(name):
            raise RegistryError(f"{file}: [{name}]: use letters, digits, - and _ in an environment's name.")
        _validate(table, f"{file}: [{name}]")
    defaults = tables.pop("defaults", {})
    if "all" in tables:
        raise RegistryError(f"{file}: [all]: --env=all means every environment. Choose another name.")
    if not tables:
        raise RegistryError(f"{file}: no environment in it. Add a table such as [prod].")
    return Registry(file, directory, defaults, tables)


def environment(
    registry: Registry,
    name: str,
    variables: Mapping[str, str],
    overrides: Mapping[str, tuple[str, Path]],
    entry: Settings | None = None,
) -> Environment:
    """The settings of one environment.

    Args:
        registry: where it is described.
        name: which one.
        variables: what ``${VAR}`` and ``~`` (``HOME``) stand for.
        overrides: ``app``, ``migrations``, ``tunnel_script`` from elsewhere: where from, and the absolute path.
        entry: the settings to use in place of the registry's own, as the sandbox prints them.

    Raises:
        RegistryError: a value is missing, or names a variable that is not set.
    """
    own = registry.entries[name] if entry is None else entry
    where = f"{registry.file}: [{name}]" if entry is None else f"the sandbox's entry [{name}]"
    _validate(own, where)
    raw = dict(own) if entry is not None else {**registry.defaults, **own}
    # Also of the embedded environment, whose other settings the sandbox supplies.
    for key, usual in (("clone", "auto"), ("rows", "0")):
        raw[key] = {key: usual, **registry.defaults, **registry.entries[name], **own}[key]
    for table in ("limits", "functions", "accepted_checksums", "variables", "log_minutes", "baselines"):
        raw[table] = {**registry.defaults.get(table, {}), **own.get(table, {})}
    sources = dict.fromkeys(raw, registry.file if entry is None else "sandbox")

    stage = str(raw.get("stage", name))
    expansion = _Expansion(where, {**variables, "env": stage})
    values = {key: expansion.expand(key, value) for key, value in raw.items()}
    missing = [key for key in _REQUIRED if not values.get(key)]
    missing += [f"functions.{purpose}" for purpose in _FUNCTIONS if purpose not in values["functions"]]
    _validate_url(str(values.get("api_url", "")), where)
    if missing:
        raise RegistryError(f"{where}: {', '.join(missing)} missing. Add {missing[0]} = … there or in [defaults].")

    app = overrides["app"][1] if "app" in overrides else registry.directory / values.get("app", ".")
    paths = {key: app / values[key] for key in _PATHS - {"app"} if values.get(key)}
    paths.setdefault("known_hosts", Path(variables.get("HOME", "/")) / ".ssh" / "known_hosts")
    for key, (source, path) in overrides.items():
        sources[key] = source
        if key != "app":
            paths[key] = path
    if "aws_secret_access_key" in values:
        values["aws_secret_access_key"] = Secret(values["aws_secret_access_key"])
    stages = {str(each.get("stage", n)) for n, each in registry.entries.items()} | {stage}
    for each in (registry.defaults, *registry.entries.values(), own):
        stages.update(each.get("script_stages", ()))
    values["script_stages"] = {
        each: _Expansion(where, {**variables, "env": each}).expand("cluster_prefix", raw["cluster_prefix"])
        for each in values.get("script_stages", ())
    }
    values["clone"] = _clone(values["clone"], registry.file)
    values["rows"] = _rows(values["rows"], where)
    values.setdefault("confirm", any(_PRODUCTION.search(each) for each in (name, stage)))
    values["known_differences"] = tuple(values.get("known_differences", ()))
    limits = Limits(**values.pop("limits"))
    values["variables"] = {purpose: tuple(names) for purpose, names in values["variables"].items()}
    if strange := sorted(values["variables"].keys() - values["functions"].keys()):
        known = ", ".join(sorted(values["functions"]))
        raise RegistryError(f"{where}: variables.{strange[0]} is of no function. Known: {known}.")
    values["accepted_checksums"] = {name: tuple(sums) for name, sums in values["accepted_checksums"].items()}
    values["log_minutes"] = {**LOG_MINUTES, **values["log_minutes"]}
    fixed: dict[str, Any] = {"name": name, "stage": stage, "app": app, "limits": limits, "sources": sources}
    return Environment(**{**values, **paths, **fixed, "stages": tuple(sorted(stages))})


def _clone(text: str, file: str) -> CloneOption:
    try:
        return parse_clone(text, file)
    except CloneOptionError as error:
        raise RegistryError(str(error)) from None


def _rows(text: str, where: str) -> int:
    try:
        return parse_rows(text, where)
    except RowLimitError as error:
        raise RegistryError(str(error)) from None


class _Expansion:
    """Puts ``${VAR}``, ``{env}`` and a leading ``~`` into the texts of one environment."""

    def __init__(self, where: str, variables: Mapping[str, str]) -> None:
        self.where, self.variables = where, variables

    def expand(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {inner: self.expand(f"{key}.{inner}", setting) for inner, setting in value.items()}
        if not isinstance(value, str):
            return value

        def put(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name not in self.variables:
                problem = f"{key} = {_shown(key, value)}: the variable {name} is not set"
                raise RegistryError(f"{self.where}: {problem}. Export it, or write the value.")
            return self.variables[name]

        text = re.sub(r"\$\{(\w+)\}|\{(env)\}", put, value)
        if text == "~" or text.startswith("~/"):
            text = self.variables.get("HOME", "~") + text[1:]
        return text


def _validate(table: Settings, where: str) -> None:
    _validate_types(table, where)
    _validate_lists(table, where)
    for purpose, function in table.get("functions", {}).items():
        if not isinstance(function, str):
            raise RegistryError(f"{where}: functions.{purpose} = {function!r} is not a text. Write a function's name.")
    for key, value in table.get("limits", {}).items():
        if key not in _LIMITS:
            raise RegistryError(f"{where}: unknown key limits.{key}. Known: {', '.join(sorted(_LIMITS))}.")
        if type(value) not in (int, float) or value <= 0:
            raise RegistryError(f"{where}: limits.{key} = {value!r} is not a number above 0. Write seconds.")
    _validate_log_minutes(table.get("log_minutes", {}), where)
    for invariant, rows in table.get("baselines", {}).items():
        if type(rows) is not int or rows < 0:
            raise RegistryError(f"{where}: baselines.{invariant} = {rows!r} is no number of rows. Write 0 or more.")
    port = table.get("ssh_port", 1)
    if port not in _PORTS:
        raise RegistryError(f"{where}: ssh_port = {port!r} is no port. Use 1 to 65535.")
    if "$" not in table.get("api_url", ""):
        _validate_url(table.get("api_url", ""), where)


def _validate_lists(table: Settings, where: str) -> None:
    for key, things in (("accepted_checksums", "checksums"), ("variables", "names")):
        for name, texts in table.get(key, {}).items():
            if not (isinstance(texts, list) and all(isinstance(each, str) for each in texts)):
                raise RegistryError(f"{where}: {key}.{name} = {texts!r} is not a list of texts. Write {things} in [ ].")
    if not all(isinstance(each, str) for each in table.get("known_differences", ())):
        shown = table["known_differences"]
        raise RegistryError(f"{where}: known_differences = {shown!r} is not a list of texts. Write objects in [ ].")
    for stage in table.get("script_stages", ()):
        if not (isinstance(stage, str) and _NAME.fullmatch(stage)):
            raise RegistryError(f'{where}: script_stages holds {stage!r}, no stage. Write names such as "local-dev".')


def _validate_log_minutes(table: Settings, where: str) -> None:
    for key, value in table.items():
        if key not in LOG_MINUTES:
            raise RegistryError(f"{where}: unknown key log_minutes.{key}. Known: {', '.join(LOG_MINUTES)}.")
        if type(value) not in (int, float) or not 0 < value <= _MOST_LOG_MINUTES:
            raise RegistryError(
                f"{where}: log_minutes.{key} = {value!r} is not a number from above 0 to {_MOST_LOG_MINUTES}. "
                "Write minutes."
            )


def _validate_url(url: str, where: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise RegistryError(f"{where}: api_url is no URL. Write https:// and a host.") from None
    if parts.username is not None or parts.password is not None:
        raise RegistryError(f"{where}: api_url holds a login. Leave it out: the API takes its key in a header.")
    if parts.scheme not in ("https", "http") or not host:
        raise RegistryError(f"{where}: api_url = {url!r} is no URL. Begin it with https://.")
    if parts.scheme == "http" and not is_loopback(url):
        raise RegistryError(f"{where}: api_url = {url!r} would send the API's key in clear text. Use https://.")


def _validate_types(table: Settings, where: str) -> None:
    for key, value in table.items():
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS)
            hint = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(sorted(_KEYS))}."
            raise RegistryError(f"{where}: unknown key {key}. {hint}")
        expected = _OTHERS.get(key, str)
        if type(value) is not expected:
            raise RegistryError(f"{where}: {key} = {_shown(key, value)} is not a {_WORDS[expected]}. Write it as one.")


def _shown(key: str, value: Any) -> str:
    return "***" if re.search("secret_access_key|passw|token|^clone$", key) else repr(value)


_WORDS = {str: "text in quotes", bool: "true or false", int: "whole number", dict: "table", list: "list in [ ]"}
