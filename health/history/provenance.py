"""Where recorded migrations come from: what the git history of the application's checkout tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from health.history.history import History, matches
from health.history.rows import Row
from health.prisma.engine import same_checksum
from health.prisma.version import LOCK_FILES
from health.sanitize import one_line

MOST_NAMES = 50
MOST_ROWS = 200


@dataclass(frozen=True)
class Version:
    """A migration's file as one commit holds it.

    Attributes:
        commit: the newest that wrote this text.
        committed_at: in UTC.
        path: from the top of the repository.
        checksum: as Prisma would record it.
        sql: the text.
    """

    commit: str
    committed_at: datetime
    path: str
    checksum: str
    sql: str


@dataclass(frozen=True)
class Package:
    """The version of the package with the migrations that a commit's lock file pins."""

    name: str
    version: str
    commit: str


@dataclass(frozen=True)
class GitChange:
    """A file that a commit wrote; ``blob`` is None where it removed it or made it something else than a file."""

    commit: str
    committed_at: datetime
    path: bytes
    blob: str | None

    @property
    def parts(self) -> list[bytes]:
        """The names on its path."""
        return self.path.split(b"/")


@dataclass(frozen=True)
class Provenance:
    """What git told, for the rows that :func:`unexplained` names.

    Attributes:
        versions: migration → its stored files, newest first.
        packages: id of a row → the package that was in force when the row was started.
        unavailable: why git could not be asked, or not for all; without a full stop.
    """

    versions: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)
    packages: Mapping[str, Package] = field(default_factory=dict)
    unavailable: str | None = None

    def sentence(self, row: Row) -> str:
        """What is known of a row's file, to stand behind another sentence; empty where nothing is known."""
        said = []
        versions = self.versions.get(row.migration_name, ())
        if version := applied_version(versions, row.checksum):
            said.append(f" The file that it records is in {_place(version)}.")
        elif versions:
            said.append(f" A file of that name, with another text, is in {_place(versions[0])}.")
        if package := self.packages.get(row.id):
            name, pinned = one_line(package.name, 100), one_line(package.version, 60)
            said.append(f" When it was started, {name} {pinned} was locked (commit {package.commit[:10]}).")
        if not said and self.unavailable is not None:
            said.append(f" Where it comes from could not be looked up: {self.unavailable}.")
        return "".join(said)


def applied_version(versions: Iterable[Version], checksum: str) -> Version | None:
    """The newest stored version that the engine takes as the one with a row's checksum."""
    return next((each for each in versions if same_checksum(each.sql, each.checksum, checksum)), None)


def unexplained(history: History) -> tuple[Row, ...]:
    """The rows whose file is not at hand: it is not in the directory, or has another checksum. In force first."""
    with_file = {migration.name: migration for migration in history.directory.migrations if migration.sql is not None}
    rows = [row for row in history.recorded.rows if row.migration_name not in with_file]
    rows += [
        history.seen[name][0]
        for name, migration in with_file.items()
        if name in history.seen and not matches(migration, history.seen[name][0])
    ]
    rows.sort(key=lambda row: not row.in_force)
    names = list(dict.fromkeys(row.migration_name for row in rows))[:MOST_NAMES]
    return tuple(row for row in rows if row.migration_name in names)[:MOST_ROWS]


def in_force(changes: Iterable[GitChange], moment: datetime) -> tuple[GitChange, ...]:
    """Of changes, newest first, the one of each lock file that held at a moment; in the order in which they count."""
    newest: dict[bytes, GitChange] = {}
    for change in changes:
        if change.committed_at <= moment:
            newest.setdefault(change.parts[-1], change)
    return tuple(newest[key] for name in LOCK_FILES if (key := name.encode()) in newest)


def parse_log(log: bytes) -> Iterator[GitChange]:
    """The changes that ``git log -z --raw --no-abbrev --no-renames --format='%H %ct'`` prints."""
    tokens = iter(log.split(b"\0"))
    commit, committed_at = "", None
    for token in tokens:
        line = token.lstrip(b"\n")
        if line.startswith(b":"):  # a colon for each parent; modes, ids and a letter; then the path
            parents = len(line) - len(line.lstrip(b":"))
            told = line.lstrip(b":").split()
            path = next(tokens)
            if committed_at is not None:
                regular = told[parents].startswith(b"100")
                yield GitChange(commit, committed_at, path, told[2 * parents + 1].decode() if regular else None)
        elif line:
            commit, _, seconds = line.decode("ascii", "replace").partition(" ")
            try:
                committed_at = datetime.fromtimestamp(int(seconds), UTC)
            except (ValueError, OverflowError, OSError):  # no such time
                committed_at = None


def _place(version: Version) -> str:
    return f"commit {version.commit[:10]} of {version.committed_at:%Y-%m-%d}, {one_line(version.path)}"
