"""A Prisma application as it was found on disk, and what there is where none can be chosen."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from health.application.package_manager import PackageManager
from health.application.settings import Computed, Variable
from health.application.support import InstalledPrisma
from health.sanitize import safe_line
from health.secrets.secret import Secret

Url = Secret | Variable | Computed | None  # a literal, a variable's name, only by running the configuration, not set


@dataclass(frozen=True)
class Application:
    """A Prisma application; paths are absolute.

    Attributes:
        root: where Prisma runs.
        config: its configuration file; None if there is none.
        schema: the schema's file or directory; None if only the migrations were found.
        schema_files: all files of the schema.
        migrations: the migrations directory, which need not exist.
        provider: of the datasource; empty if there is no schema.
        url: where the database is, by the configuration file, else by the schema.
        direct_url: where it is without a pooler.
        schemas: the PostgreSQL schemas that the models use.
        env_files: the ``.env`` files that Prisma reads there, in its order; a variable that is set wins over both.
        prisma: the application's Prisma.
        package_manager: what runs it.
        is_frigg: whether schema and migrations are those of Frigg's core.
        sources: ``schema``, ``migrations``, ``url`` → where each was found, for a person.
        others: the directories of further applications below, relative to the root.
        notes: what else to say of it, each a sentence without a full stop.
    """

    root: Path
    config: Path | None
    schema: Path | None
    schema_files: tuple[Path, ...]
    migrations: Path
    provider: str
    url: Url
    direct_url: Url
    schemas: tuple[str, ...]
    env_files: tuple[Path, ...]
    prisma: InstalledPrisma
    package_manager: PackageManager
    is_frigg: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def deploy(self) -> tuple[str, ...]:
        """The command that deploys the migrations, to be run in the root."""
        return self.package_manager.deploy

    @property
    def header(self) -> tuple[str, ...]:
        """What was found where, as lines for a person, such as ``prisma.config.ts: migrations at db/migrations``."""
        paths = {"schema": self.schema, "migrations": self.migrations}
        by_source: dict[str, list[str]] = {}
        for what, path in paths.items():
            if path is not None and what in self.sources:
                by_source.setdefault(self.sources[what], []).append(f"{what} at {os.path.relpath(path, self.root)}")
        if "url" in self.sources and isinstance(self.url, Variable):
            by_source.setdefault(self.sources["url"], []).append(f"url in {self.url.name}")
        return tuple(safe_line(f"{source}: {', '.join(found)}") for source, found in by_source.items())


@dataclass(frozen=True)
class Choice:
    """An application that can be chosen.

    Attributes:
        name: its directory, relative to where the search began.
        root: the same, absolute; ``--app`` chooses it by that.
        what: how it was recognised.
        migrations: what ``--migrations`` must name where two applications have the same directory; else None.
    """

    name: str
    root: Path
    what: str
    migrations: Path | None = None

    def option(self, directory: Path) -> str:
        """The option that chooses it, for a shell in a directory."""
        name, path = ("--app", self.root) if self.migrations is None else ("--migrations", self.migrations)
        return f"{name} {shlex.quote(os.path.relpath(path, directory))}"


@dataclass(frozen=True)
class Several:
    """More than one application, none of which is chosen.

    Attributes:
        where: the directory that was searched.
        choices: in the order of their names.
        complete: whether the whole directory was searched.
    """

    where: Path
    choices: tuple[Choice, ...]
    complete: bool = True

    def lines(self, directory: Path) -> tuple[str, ...]:
        """The list to choose from, for a person whose shell is in a directory."""
        first = f"{self.where} has {len(self.choices)} applications; choose one:"
        more = () if self.complete else ("There may be more: the directory is too large, or was not all readable.",)
        listed = (safe_line(f"{choice.option(directory)} ({choice.what})") for choice in self.choices)
        return (safe_line(first), *listed, *more)


@dataclass(frozen=True)
class NoApplication:
    """No application at all.

    Attributes:
        where: where the search began.
        top: up to where it went.
        hints: directories that hold schema files or migrations which nothing names, relative to where.
        complete: whether everything below the top was searched.
    """

    where: Path
    top: Path
    hints: tuple[str, ...] = ()
    complete: bool = True

    @property
    def message(self) -> str:
        """What is missing and what to do, on one line."""
        hints = f" Files of Prisma are in {', '.join(self.hints)}." if self.hints else ""
        below = "" if self.complete else " Not everything below was searched."
        return safe_line(
            f"There is no Prisma application in {self.where}, nor above it up to {self.top}, nor below.{below}{hints} "
            "Name it by --app DIR, or its migrations by --migrations DIR."
        )
