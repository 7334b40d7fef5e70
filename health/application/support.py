"""Which versions of Prisma and which kinds of databases are judged, and what is said of the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from health.finding import CouldNotCheck

OLDEST, NEWEST = 5, 7
_RANGE = re.compile(r"[\^~>=v\s]*([0-9]{1,4})(?:\.([0-9]{1,4}|[xX*]))?(?:[.\s-].*)?", re.DOTALL)
_POSTGRESQL = {"postgresql", "postgres"}


@dataclass(frozen=True)
class InstalledPrisma:
    """The application's Prisma.

    Attributes:
        version: such as 6.19.3, or a range such as ^6.16.0 where none is installed; empty if it is not known.
        source: where that stands.
        installed: whether it is the version of an installed package.
    """

    version: str
    source: str
    installed: bool = False

    @property
    def release(self) -> tuple[int, int] | None:
        """Major and minor; None where the version is not known. Of a range it is the lowest."""
        match = _RANGE.fullmatch(self.version)
        return (int(match[1]), int(match[2]) if match[2] and match[2].isdigit() else 0) if match else None

    @property
    def major(self) -> int | None:
        """The first number of the version."""
        return self.release[0] if self.release else None

    @property
    def note(self) -> str:
        """What a person must know of how this version is judged; empty for those that are tested."""
        if self.major == OLDEST:
            return (
                "Prisma 5 is judged by the rules of Prisma 6: its table _prisma_migrations is the same, but nothing "
                "was compared with its own engine"
            )
        return ""


class UnsupportedPrismaError(CouldNotCheck):
    """The application's Prisma is one whose rules are not known."""


def require_supported_version(prisma: InstalledPrisma) -> None:
    """Refuse a version of Prisma whose rules are not known.

    Raises:
        UnsupportedPrismaError: it is older than 5 or newer than 7.
    """
    if prisma.major is None or OLDEST <= prisma.major <= NEWEST:
        return
    reason = "keeps its history in another way" if prisma.major > NEWEST else "is too old"
    raise UnsupportedPrismaError(
        f"Prisma {prisma.version} {reason}; only Prisma {OLDEST} to {NEWEST} can be checked",
        prisma.source,
        f"Use a version of this suite that knows Prisma {prisma.major}."
        if prisma.major > NEWEST
        else f"Upgrade the application to Prisma {NEWEST - 1} or {NEWEST}.",
    )


def require_postgresql(provider: str, source: str) -> None:
    """Refuse a datasource that is not PostgreSQL's.

    Raises:
        CouldNotCheck: it is of another provider, or of none.
    """
    if provider in _POSTGRESQL:
        return
    what = f'the datasource has the provider "{provider}"' if provider else "the datasource names no provider"
    raise CouldNotCheck(f"{what}; only postgresql is supported", source, "Name another application by --app DIR.")


def schema_directory_names(release: tuple[int, int] | None) -> tuple[str, ...]:
    """The directories that are a schema without being named, relative to where Prisma runs."""
    # prismaSchemaFolder, a preview until 6.6 made multi-file schemas general and dropped this default.
    return ("prisma/schema",) if release is not None and release < (6, 6) else ()


def migrations_beside(
    release: tuple[int, int] | None, schema: PurePath, is_directory: bool, datasource: PurePath | None
) -> tuple[PurePath, ...]:
    """Where the migrations are unless a configuration file says so; where the version is not known, all it may be.

    Args:
        release: major and minor of Prisma.
        schema: the schema's file or directory.
        is_directory: which of the two.
        datasource: the file with the datasource.
    """
    # Read in the CLIs 5.22, 6.5, 6.6, 6.19.3 and 7.10.1.
    if not is_directory:
        return (schema.parent / "migrations",)
    of_6 = (datasource.parent if datasource else schema) / "migrations"
    if release is None:
        return tuple(dict.fromkeys((of_6, schema / "migrations", schema.parent / "migrations")))
    if release < (6, 6):
        return (schema.parent / "migrations",)
    return (of_6,) if release < (NEWEST, 0) else (schema / "migrations",)
