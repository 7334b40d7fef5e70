"""An application on disk with a real Prisma in its ``node_modules``, by which its schema file is compared."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from fixtures.clone.replays import Replays
from fixtures.migrations.directory import read_migrations
from fixtures.schema_file.diff import schema_file_diff
from health.config.environment import Environment
from health.schema_file.difference import SchemaFileDiff
from tests.engine import prisma

Engine = Literal["6 native", "6 js", "7 native", "6 stock", "7 stock"]

_NATIVE = "schema-engine-debian-openssl-3.0.x"


class PrismaApplication:
    """An application with ``prisma/schema.prisma`` and ``prisma/migrations``.

    Args:
        directory: where it is made.
        engine: the CLI, and what it reads databases with. In place of the native engine stands its WebAssembly build
            behind the same protocol; ``stock`` has neither.
    """

    def __init__(self, directory: Path, engine: Engine) -> None:
        self.directory, self.engine = directory, engine
        self.modules, self.prisma = directory / "node_modules", directory / "prisma"
        self.migrations = self.prisma / "migrations"
        self.migrations.mkdir(parents=True)
        (directory / "package.json").write_text("{}")
        (self.migrations / "migration_lock.toml").write_text('provider = "postgresql"\n')
        lab = prisma.install() if engine.startswith("6") else prisma.install_cli7()
        _link_all(lab / "node_modules", self.modules, ours={"prisma", "@prisma/engines"} | _without(engine))
        if engine.endswith("native"):
            file = self.modules / "@prisma" / "engines" / _NATIVE
            version = "6.19.3" if engine.startswith("6") else "7.10.1"
            program = prisma.install() / "native.mjs"
            file.write_text(f'#!/bin/sh\nexec node {program} {version} "$@"\n')
            file.chmod(0o755)

    def schema(self, models: str, name: str = "schema.prisma", datasource: str = "") -> Path:
        """Write a file of the schema, with a datasource."""
        url = 'url = env("DATABASE_URL")' if self.engine.startswith("6") else ""
        file = self.prisma / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'datasource db {{\n  provider = "postgresql"\n  {datasource or url}\n}}\n{models}')
        return file

    def migration(self, name: str, sql: str) -> None:
        """Write a migration."""
        (self.migrations / name).mkdir()
        (self.migrations / name / "migration.sql").write_text(sql)

    def environment(self, known: tuple[str, ...] = (), schema_file: Path = Path()) -> Environment:
        """The application's environment."""
        return Environment(
            "plain", "plain", app=self.directory, migrations=self.migrations, known_differences=known,
            schema_file=schema_file,
        )  # fmt: skip

    def compare(self, replays: Replays, known: tuple[str, ...] = (), schema_file: Path = Path()) -> SchemaFileDiff:
        """What the fact says."""
        environment = self.environment(known, schema_file)
        return schema_file_diff(environment, read_migrations(self.migrations, "test"), replays)

    def listing(self) -> Mapping[str, tuple[int, int, int]]:
        """Every file of the application and of its Prisma, with what a change of it would change."""
        found = {}
        for top in (self.directory, (self.modules / "@prisma" / "config").resolve().parents[1]):
            for place, directories, files in os.walk(top):
                for name in (*directories, *files):
                    path = Path(place, name)
                    status = path.lstat()
                    found[str(path)] = (status.st_size, status.st_mtime_ns, status.st_mode)
        return found


def _without(engine: Engine) -> set[str]:
    """What the other ways of reading a database need, which this application shall not have."""
    return set() if engine == "6 js" else {"-pg"}


def _link_all(source: Path, target: Path, ours: set[str], scope: str = "") -> None:
    target.mkdir()
    for entry in source.iterdir():
        name = f"{scope}{entry.name}"
        if f"-{name}" in ours or entry.name.startswith("."):
            continue
        if entry.name.startswith("@"):
            _link_all(entry, target / entry.name, ours, f"{name}/")
        elif name in ours:
            shutil.copytree(entry, target / entry.name, copy_function=os.link)
        else:
            (target / entry.name).symlink_to(entry)
