"""A Prisma application as it was found on disk, and what there is where none can be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from health.application.package_manager import PackageManager
from health.application.settings import Computed, Variable
from health.application.support import InstalledPrisma
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
