"""Finds ``environments.toml``: the file that is named, else that of where the user stands, else the suite's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from health.config import registry
from health.config.registry import Registry
from health.config.validation import RegistryError, Settings
from migration_health import INSTALLED
from plugins.paths import ROOT
from plugins.run.user_files import from_here, read_text, shown

NAME = "environments.toml"
_NAMED = "--environments"
_URL = "--database-url"


@dataclass(frozen=True)
class RegistryFile:
    """The registry of a run.

    Attributes:
        file: where it is.
        source: what named it; empty if it was found where the user stands, or is the suite's own.
        name: how to name it to a person.
        directory: where its relative paths start.
    """

    file: Path
    source: str
    name: str
    directory: Path

    @property
    def shipped(self) -> bool:
        """Whether it is only the template of an installed suite, of which the embedded environment can be judged."""
        return INSTALLED and self.file == ROOT / NAME

    def read(self) -> Registry:
        """The registry in the file.

        Raises:
            RegistryError: its text is none.
            pytest.UsageError: it cannot be read.
        """
        text = read_text(self.file, self.source or self.name, "registry", _NAMED)
        return registry.parse(text, self.name, self.directory)


def find(config: pytest.Config) -> RegistryFile:
    """The registry that is named by ``--environments`` or in pytest.ini, else the nearest one, else the suite's own."""
    here = config.invocation_params.dir
    if value := config.getoption("environments"):
        file = from_here(config, value)
        return RegistryFile(file, _NAMED, shown(file), file.parent)
    if value := config.getini("environments"):
        file = config.rootpath / value
        return RegistryFile(file, "pytest.ini", shown(file), file.parent)
    if (found := nearest(here)) is not None:
        return RegistryFile(found, "", os.path.relpath(found, here), found.parent)
    if INSTALLED:
        return RegistryFile(ROOT / NAME, "", f"migration-health's own {NAME}", here)
    return RegistryFile(ROOT / NAME, "", NAME, ROOT)


def nearest(here: Path) -> Path | None:
    """The registry of a directory, or of one above it in its repository, apart from the suite's own."""
    files = (directory / NAME for directory in _upwards(here) if directory != ROOT)
    return next((file for file in files if file.is_file()), None)


def load(config: pytest.Config) -> Registry:
    """The environments of the run; the suite's embedded one is among them if the registry has none, nor its name.

    Raises:
        RegistryError: its text is no registry.
        pytest.UsageError: it cannot be read.
    """
    found = find(config)
    known = found.read()
    if found.shipped:
        return replace(known, entries=_embedded(known.entries))
    if _embedded(known.entries):
        return known
    own = registry.parse((ROOT / NAME).read_text(encoding="utf-8"), NAME, ROOT)
    # A database of the user's own may be named local too: that one is meant, never ours in its place.
    added = {name: entry for name, entry in _embedded(own.entries).items() if name not in known.entries}
    return replace(known, entries={**known.entries, **added})


def asked(config: pytest.Config) -> tuple[Registry | None, tuple[str, ...]]:
    """The registry of the run and the environments that are to be judged; None and none where none was asked for.

    Raises:
        RegistryError: it cannot be used, or has none of a name.
        pytest.UsageError: it cannot be read.
    """
    names, url = config.getoption("env"), config.getoption("database_url")
    if url is not None:
        if names is not None:
            raise RegistryError("--database-url makes an environment of its own. Leave out --env, or --database-url.")
        known = Registry(_URL, config.invocation_params.dir, {}, {"database": {"database_url": url}})
        return known, ("database",)
    if names is None:
        return None, ()
    known = load(config)
    return known, select(config, known, names)


def waivable(config: pytest.Config, known: Registry) -> tuple[str, ...]:
    """The environments that a waiver may name: also those of the registry beside which a URL is judged."""
    if known.file != _URL:
        return known.names
    try:
        return (*known.names, *load(config).names)
    except (RegistryError, pytest.UsageError):  # it is not what this run was asked for
        return known.names


def select(config: pytest.Config, known: Registry, names: str) -> tuple[str, ...]:
    """The environments of ``--env``.

    Raises:
        RegistryError: there is none of a name; where there is no registry, how to make one.
    """
    try:
        return known.select(names)
    except RegistryError:
        if find(config).shipped:
            raise RegistryError(f"--env: {choice(config)}") from None
        raise


def choice(config: pytest.Config) -> str:
    """Which environments there are, for a person; where there is no registry, how to make one.

    Raises:
        RegistryError: the registry's text is none.
        pytest.UsageError: it cannot be read.
    """
    known = load(config)
    if not find(config).shipped:
        return f"{known.file} has {', '.join(known.names)}."
    return (
        f"there is no {NAME} in {config.invocation_params.dir}, nor above it in its repository. Write one by "
        f"migration-health init, or name one by {_NAMED} FILE; only {', '.join(known.names)} needs none."
    )


def _embedded(entries: Mapping[str, Settings]) -> dict[str, Settings]:
    return {name: entry for name, entry in entries.items() if entry.get("embedded")}


def _upwards(directory: Path) -> list[Path]:
    """A directory, and those above it up to the top of its repository: what is beyond may be anybody's."""
    above = [directory, *directory.parents]
    tops = [number for number, each in enumerate(above) if os.path.lexists(each / ".git")]
    return above[: tops[0] + 1] if tops else above[:1]
