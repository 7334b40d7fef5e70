"""The migrations directory, as the deploying command sees it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from health.finding import Place
from health.sql.statements import adding_column, leaves_transaction_open

FileProblem = Literal["no file", "UTF-16", "byte order mark", "open transaction"]
ENDS_A_DEPLOY: frozenset[FileProblem] = frozenset({"UTF-16", "byte order mark"})  # with P3018
MOST_MIGRATIONS, LARGEST_MIGRATION = 10_000, 50_000_000  # files, and bytes of one; a layer's archive may hold as much
_REPLACED = "\ufffd"  # stands for bytes that are not UTF-8


@dataclass(frozen=True)
class Migration:
    """One directory of migrations; ``sql`` and ``checksum`` are None where it holds no ``migration.sql``."""

    name: str
    sql: str | None
    checksum: str | None


@dataclass(frozen=True)
class MigrationDirectory:
    """The migrations on disk, in the order in which Prisma applies them.

    Attributes:
        path: where they are.
        source: which setting named that place.
        lock_file: the text of ``migration_lock.toml``; None if there is none.
    """

    path: str
    source: str
    migrations: tuple[Migration, ...]
    lock_file: str | None = None

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all migrations."""
        return frozenset(self.by_name)

    def adding_column(self, table: str, column: str) -> tuple[Migration, str] | None:
        """The first migration that adds a column, with its statement."""
        for migration in self.migrations:
            if (statement := adding_column(migration.sql or "", table, column)) is not None:
                return migration, statement
        return None

    @cached_property
    def by_name(self) -> dict[str, Migration]:
        """Each migration by its name."""
        return {migration.name: migration for migration in self.migrations}


def place_in(name: str, line: int | None = None) -> Place:
    """A line of a migration's file; without one the whole file."""
    return Place(f"{name}/migration.sql", line or 1)


def file_problem(migration: Migration) -> FileProblem | None:
    """Why a deploy cannot apply a migration, as far as its file tells."""
    if migration.sql is None:
        return "no file"
    if utf_16(migration.sql):
        return "UTF-16"  # PostgreSQL takes no NUL
    if migration.sql.startswith("\ufeff"):
        return "byte order mark"  # PostgreSQL takes it for a syntax error
    return "open transaction" if leaves_transaction_open(migration.sql) else None


def utf_16(sql: str) -> str | None:
    """The encoding of a file that is UTF-16, told by its text as it was decoded; None of any other file."""
    marked, half = sql.startswith(2 * _REPLACED), len(sql) // 2
    if "\0" not in sql or sql.count("\0") * 2 < half:  # every other byte of what SQL consists of
        return None
    if marked:
        return "UTF-16"
    return "UTF-16BE" if sql.startswith("\0") else "UTF-16LE"


def first_undecoded(migration: Migration) -> int:
    """The first line with characters that are not UTF-8, from 1."""
    return (migration.sql or "").partition(_REPLACED)[0].count("\n") + 1


def undecoded(migration: Migration) -> int:
    """How many of the file's characters are not UTF-8; a deploy runs it with U+FFFD in their place."""
    return (migration.sql or "").count(_REPLACED)
