"""Reading ``environments.toml``: which environments there are, and the settings of one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from health.clone.row_limit import RowLimitError
from health.clone.row_limit import parse as parse_rows
from health.clone.server_choice import CloneOption, CloneOptionError
from health.clone.server_choice import parse as parse_clone
from health.config.environment import LOG_MINUTES, Environment, Limits
from health.config.expansion import Expansion
from health.config.validation import NAME, RegistryError, Settings, shown, validate, validate_url
from health.foreign_text import parse_toml
from health.parts import Part
from health.sanitize import did_you_mean, one_line
from health.secrets.secret import Secret

_PATHS = {"app", "ssh_key", "known_hosts", "tunnel_script", "migrations", "schema_file", "invariants"}
_SECRETS = {"aws_secret_access_key", "aws_session_token"}
_WAY = ("secret", "cluster_prefix", "ssh_key")
_FUNCTIONS = ("auth", "worker")
# Settings that [defaults] gives an environment with a database_url too; the others describe parts, which are its own.
_GENERAL = {
    "accepted_checksums", "app", "baselines", "clone", "confirm", "deploy", "invariants", "known_differences", "limits",
    "migrations", "prisma", "rows", "schema_file",
}  # fmt: skip
_PRODUCTION = re.compile(r"(?<![a-z])(prod|production|live)(?![a-z])", re.IGNORECASE)  # --migrate asks twice there


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
        tables = parse_toml(text)
    except ValueError as error:
        raise RegistryError(f"{file}: not valid TOML: {one_line(str(error))}. Mend that line.") from None
    for name, table in tables.items():
        if not isinstance(table, dict):
            remedy = "Move it under [defaults] or the table of an environment."
            raise RegistryError(f"{file}: {name} = {shown(name, table)} stands outside a table. {remedy}")
        if not NAME.fullmatch(name):
            raise RegistryError(f"{file}: [{name}]: use letters, digits, - and _ in an environment's name.")
        validate(table, f"{file}: [{name}]")
    defaults = tables.pop("defaults", {})
    if "database_url" in defaults:
        raise RegistryError(f"{file}: [defaults]: a database_url is of one environment. Move it to that one's table.")
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
    validate(own, where)
    inherited = _inherited(registry.defaults, own, variables) if entry is None else {}
    raw = {**inherited, **own}
    # Also of the embedded environment, whose other settings the sandbox supplies.
    for key, usual in (("clone", "auto"), ("rows", "0")):
        raw[key] = {key: usual, **registry.defaults, **registry.entries[name], **own}[key]
    for table in ("limits", "accepted_checksums", "baselines"):
        raw[table] = {**registry.defaults.get(table, {}), **own.get(table, {})}
    for table in ("functions", "variables", "log_minutes"):
        raw[table] = {**inherited.get(table, {}), **own.get(table, {})}
    sources = dict.fromkeys(raw, registry.file if entry is None else "sandbox")
    if inherited.get("profile") not in {None, registry.defaults.get("profile")} and "profile" not in own:
        sources["profile"] = "AWS_PROFILE"

    stage = str(raw.get("stage", name))
    expansion = Expansion(where, {**variables, "env": stage})
    database_url = raw.pop("database_url", "")  # its variables may stand in a file of the application's
    values = {key: expansion.expand(key, value) for key, value in raw.items()}
    parts = _parts({**values, "database_url": database_url}, where)

    app = overrides["app"][1] if "app" in overrides else registry.directory / values.get("app", ".")
    paths = {key: app / values[key] for key in _PATHS - {"app"} if values.get(key)}
    paths.setdefault("known_hosts", Path(variables.get("HOME", "/")) / ".ssh" / "known_hosts")
    for key, (source, path) in overrides.items():
        sources[key] = source
        if key != "app":
            paths[key] = path
    values |= {key: Secret(values[key]) for key in _SECRETS & values.keys()}
    stages = {str(each.get("stage", n)) for n, each in registry.entries.items()} | {stage}
    for each in (registry.defaults, *registry.entries.values(), own):
        stages.update(each.get("script_stages", ()))
    values["script_stages"] = {
        each: Expansion(where, {**variables, "env": each}).expand("cluster_prefix", raw["cluster_prefix"])
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
    fixed |= {"stages": tuple(sorted(stages)), "parts": parts, "database_url": database_url}
    return Environment(**{**values, **paths, **fixed})


def _inherited(defaults: Settings, own: Settings, variables: Mapping[str, str]) -> Settings:
    """What [defaults] gives an environment: of one with a URL of its own, nothing that describes a part."""
    if not own.get("database_url"):
        chosen = variables.get("AWS_PROFILE")  # whoever exports it means it; [defaults] is everybody's
        return {**defaults, "profile": chosen} if chosen else defaults
    # With an application of its own, not those of the defaults'.
    application = {"migrations", "deploy", "schema_file"} if "app" in own else set()
    return {key: value for key, value in defaults.items() if key in _GENERAL - application}


def _parts(values: Settings, where: str) -> frozenset[Part]:
    """What the settings describe.

    Raises:
        RegistryError: a setting is missing that a part cannot do without.
    """
    functions, by_url = values.get("functions", {}), bool(values.get("database_url"))
    missing = [] if by_url else [key for key in _WAY if not values.get(key)]
    if missing == [*_WAY]:
        raise RegistryError(
            f'{where}: nothing says how to reach its database. Add database_url = "${{VARIABLE}}", or what AWS has of '
            f"it: {', '.join(_WAY)}."
        )
    if functions or values.get("api_url") or values.get("layer"):
        missing += [f"functions.{purpose}" for purpose in _FUNCTIONS if purpose not in functions]
    validate_url(str(values.get("api_url", "")), where)
    if missing:
        raise RegistryError(f"{where}: {', '.join(missing)} missing. Add {missing[0]} = … there or in [defaults].")
    others = [key for key in (*_WAY, "bastion_address", "tunnel_script") if values.get(key)]
    if by_url and others:
        raise RegistryError(
            f"{where}: database_url is one way to the database, and {others[0]} is of another. Leave one of them out."
        )
    described = {
        Part.AWS: bool(functions) or not by_url,
        Part.TUNNEL: not by_url,
        Part.SCRIPT: bool(values.get("tunnel_script")),
        Part.FUNCTIONS: bool(functions),
        Part.API: bool(values.get("api_url")),
        Part.LOGS: bool(functions),
        Part.LAYER: bool(values.get("layer")),
        Part.FRIGG: values.get("frigg", bool(functions)),
    }
    return frozenset(part for part, there in described.items() if there)


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
