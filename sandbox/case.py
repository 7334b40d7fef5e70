"""Cases: a state of an environment, described by a directory. docs/reference/cases.md has the format."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.clients.filesystem import LARGEST_SMALL_FILE, read, unreadable
from fixtures.migrations.directory import read_migrations
from health.finding import CouldNotCheck
from health.migrations.directory import MigrationDirectory
from health.prisma.version import version_in
from health.sanitize import did_you_mean

FILE = "case.toml"
OF_THE_FILE = "of the file"  # a row's checksum: that of the migration's file
_REQUIRED: Mapping[str, tuple[type, str]] = {
    "gist": (str, "text"),
    "prisma": (str, "text"),
    "applied": (list, "a list of names"),
}
# What is for people and tests has any keys.
_KEYS = {
    **_REQUIRED, "row": (list, "a [[row]]"), "seen": (str, "text"), "open": (str, "text"), "right": (dict, "a table"),
    "first_version": (dict, "a table"), "expected": (dict, "a table"), "extensions": (dict, "a table of SQL by name"),
}  # fmt: skip
_ROW_KEYS: Mapping[str, tuple[type, str]] = {
    "name": (str, "text"), "checksum": (str, "text"), "logs": (str, "text"),
    "finished": (bool, "true or false"), "rolled_back": (bool, "true or false"), "ran": (bool, "true or false"),
}  # fmt: skip
_EXTENSION = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")  # a part of file names
_UNKNOWN_CHECKSUM = "0" * 64
_MOST_ENTRIES, _MOST_BYTES, _LARGEST_SCRIPT = 20_000, 200_000_000, 50_000_000


@dataclass(frozen=True)
class CaseRow:
    """A row of ``_prisma_migrations`` whose file is not run; the fields are the row's columns.

    Attributes:
        ran: whether the engine counted steps of it.
    """

    name: str
    checksum: str = _UNKNOWN_CHECKSUM
    finished: bool = True
    rolled_back: bool = False
    logs: str | None = None
    ran: bool = False


@dataclass(frozen=True)
class Case:
    """A case, as its directory describes it.

    Attributes:
        path: of its directory.
        prisma: the version that the application deploys with.
        applied: the migrations that are run and recorded, in this order.
        rows: those that are recorded beside them.
        migrations: the directory as the application has it.
        scripts: the texts of ``before.sql`` and ``after.sql``, by these names; what does not exist is left out.
        extensions: that the environment's server has and no clone's: by name, the SQL of what each brings.
    """

    path: Path
    prisma: str
    applied: tuple[str, ...]
    rows: tuple[CaseRow, ...]
    migrations: MigrationDirectory
    scripts: Mapping[str, str]
    extensions: Mapping[str, str]


def read_case(path: Path) -> Case:
    """Read a case and everything that can be wrong with its files.

    Raises:
        CouldNotCheck: it cannot be put in place.
    """
    _require_plain_files(path)
    told = _settings(path / FILE)
    if not (path / "migrations").is_dir():
        raise CouldNotCheck("the case has no directory migrations", str(path), "Add it as the application has it.")
    migrations = read_migrations(path / "migrations", "--case")
    rows = tuple(_row(path / FILE, number, row, migrations) for number, row in enumerate(told.get("row", ()), 1))
    scripts = {name: text(path / name) for name in ("before.sql", "after.sql") if _exists(path / name)}
    extensions = told.get("extensions", {})
    case = Case(path, told["prisma"], tuple(told["applied"]), rows, migrations, scripts, extensions)
    _require_applied_files(case)
    return case


def text(file: Path) -> str:
    """Read a text of a case.

    Raises:
        CouldNotCheck: it is not a regular file, too large, or not UTF-8.
    """
    largest = LARGEST_SMALL_FILE if file.name == FILE else _LARGEST_SCRIPT
    data = read(file, largest, file.name, "--case DIR")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CouldNotCheck(f"{file.name} is UTF-16", str(file), "Save it as UTF-8.")
    try:
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CouldNotCheck(f"{file.name} is not UTF-8 at byte {error.start}", str(file), "Save it as UTF-8.") from None
    if "\0" in decoded:
        raise CouldNotCheck(f"{file.name} holds a NUL character", str(file), "Save it as UTF-8.")
    return decoded


def _require_plain_files(path: Path) -> None:
    """Refuse what is neither a file nor a directory, what leads out of the case, and what is too much."""
    if not path.is_dir():
        raise CouldNotCheck("the case is not a directory", str(path), "Name another by --case DIR.")
    entries = size = 0
    try:
        for entry in _entries(path):
            status = os.lstat(entry)
            entries, size = entries + 1, size + status.st_size
            if stat.S_ISLNK(status.st_mode):
                if not entry.resolve().is_relative_to(path.resolve()):
                    raise CouldNotCheck("a link leads out of the case", str(entry), "Copy what it leads to.")
            elif not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                raise CouldNotCheck("neither a file nor a directory", str(entry), "Take it out of the case.")
            if entries > _MOST_ENTRIES or size > _MOST_BYTES:
                limits = f"{_MOST_ENTRIES:,} files or {_MOST_BYTES:,} bytes"
                raise CouldNotCheck(f"the case has more than {limits}", str(path), "Leave out what it does not need.")
    except OSError as error:
        raise unreadable(Path(error.filename or path), "case", "another --case DIR", error) from None


def _entries(path: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for place, directories, files in os.walk(path, onerror=fail):
        yield from (Path(place, name) for name in (*directories, *files))


def _settings(file: Path) -> dict[str, Any]:
    """The content of ``case.toml``, with keys and kinds as they must be."""
    if not _exists(file):
        raise CouldNotCheck(f"the case has no {FILE}", str(file.parent), "docs/reference/cases.md has the format.")
    try:
        told = tomllib.loads(text(file))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CouldNotCheck(f"{FILE} is not TOML: {error}", str(file), "Correct it.") from None
    _require_keys(file, "", told, _KEYS, required=_REQUIRED)
    for name, sql in told.get("extensions", {}).items():
        if not _EXTENSION.fullmatch(name) or not isinstance(sql, str):
            what = f"{FILE}: extensions must be a table of SQL by names of lower-case letters, digits, _ and -"
            raise CouldNotCheck(what, str(file), "Correct it.")
    if not all(isinstance(name, str) for name in told["applied"]):
        raise CouldNotCheck(f"{FILE}: applied must be a list of names", str(file), "Correct it.")
    if version_in(told["prisma"]) is None:
        wanted = f"{FILE}: prisma must be one version, such as 6.19.3, not {told['prisma']!r}"
        raise CouldNotCheck(wanted, str(file), "Correct it.")
    return told


def _require_keys(
    file: Path, at: str, told: Mapping[str, Any], known: Mapping[str, tuple[type, str]], required: Mapping[str, object]
) -> None:
    for key, value in told.items():
        if key not in known:
            hint = did_you_mean(key, known, f"it may have {', '.join(known)}.")
            raise CouldNotCheck(f"{FILE}: {at}there is no key {key}", str(file), hint.capitalize())
        kind, named = known[key]
        if not isinstance(value, kind):
            raise CouldNotCheck(f"{FILE}: {at}{key} must be {named}", str(file), "Correct it.")
    for key in [key for key in required if key not in told]:
        raise CouldNotCheck(f"{FILE}: {at}{key} is missing", str(file), "Add it.")


def _row(file: Path, number: int, told: Any, migrations: MigrationDirectory) -> CaseRow:
    at = f"row {number}: "
    if not isinstance(told, dict):
        raise CouldNotCheck(f"{FILE}: row must be [[row]] tables", str(file), "Correct it.")
    _require_keys(file, at, told, _ROW_KEYS, required={"name": str})
    row = CaseRow(**told)
    if row.checksum != OF_THE_FILE:
        if " " in row.checksum:  # anything else may have been written by hand
            what = f"{FILE}: {at}checksum is {row.checksum!r}; it may be {OF_THE_FILE!r}, or as the row has it"
            raise CouldNotCheck(what, str(file), "Correct it, or leave it out.")
        return row
    known = migrations.by_name.get(row.name)
    if known is None or known.checksum is None:
        what = f"{FILE}: {at}checksum is {OF_THE_FILE!r}, and migrations has no file of {row.name}"
        raise CouldNotCheck(what, str(file), "Write the checksum, or leave it out.")
    return CaseRow(**{**told, "checksum": known.checksum})


def _require_applied_files(case: Case) -> None:
    for number, name in enumerate(case.applied):
        if name in case.applied[:number]:
            raise CouldNotCheck(
                f"{FILE}: applied has {name} twice", str(case.path / FILE), "Add the other as a [[row]]."
            )
        migration = case.migrations.by_name.get(name)
        if migration is not None and migration.sql is None:
            what = f"applied has {name}, whose directory has no migration.sql"
            raise CouldNotCheck(what, str(case.path / "migrations" / name), "Add the file, or take the name away.")
        if migration is None:
            hint = did_you_mean(name, case.migrations.names, "Correct the name, or add the file.")
            what = f"{FILE}: applied has {name}, and migrations has no file of it"
            raise CouldNotCheck(what, str(case.path / FILE), hint[0].upper() + hint[1:])
        if "\0" in (migration.sql or ""):  # other bytes that are no UTF-8 are replaced, as the engine does
            what = "an applied migration is UTF-16, or holds a NUL character"
            file = case.path / "migrations" / name / "migration.sql"
            raise CouldNotCheck(what, str(file), "Save it as UTF-8.")


def _exists(file: Path) -> bool:
    return os.path.lexists(file)
