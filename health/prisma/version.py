"""Which of Prisma's engines an application deploys with, and what the lock files of package managers pin."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import PurePath
from typing import Any

LOCK_FILES = ("npm-shrinkwrap.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml")  # npm's own precedence

_SEMVER = r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(?:-[0-9A-Za-z.-]{1,200})?(?:\+[0-9A-Za-z.-]{1,200})?"
_VERSION = re.compile(_SEMVER)
_YARN_VERSION = re.compile(rf'  version:? "?({_SEMVER})"?\r?$')


class Generation(Enum):
    """The engines that judge histories alike."""

    UP_TO_7_8 = "up to 7.8"
    FROM_7_9 = "from 7.9"


@dataclass(frozen=True)
class PrismaVersion:
    """The version of Prisma that an application deploys with.

    Attributes:
        version: such as 6.19.3; None if it is not known.
        source: where it was found and what else says otherwise, or why it is not known.
    """

    version: str | None
    source: str

    @property
    def generation(self) -> Generation:
        """The engine's generation; of an unknown version the older one, since Frigg pins Prisma 6."""
        if self.version is None:
            return Generation.UP_TO_7_8
        return Generation.FROM_7_9 if self._release >= (7, 9) else Generation.UP_TO_7_8

    @property
    def one_query(self) -> bool:
        """Whether the engine sends every file as one query; :mod:`.statement_batches` tells which from 7.4 on."""
        return self.version is None or self._release < (7, 4)

    @property
    def _release(self) -> tuple[int, int]:
        assert self.version is not None  # noqa: S101 - asked of a known one
        major, minor, _ = self.version.split(".", 2)  # a prerelease already has the new engine
        return int(major), int(minor)


def version_in(value: object) -> str | None:
    """The value, if it is one exact version and not a range or anything else."""
    return value if isinstance(value, str) and _VERSION.fullmatch(value) else None


def carrier(path: PurePath) -> tuple[PurePath, str] | None:
    """The directory beside ``node_modules`` and the package's name, for a path inside a package; else None."""
    parts = path.parts
    if "node_modules" not in parts:
        return None
    # pnpm's store is a node_modules within the application's own: the package follows the last one.
    last = len(parts) - 1 - parts[::-1].index("node_modules")
    name = parts[last + 1 : last + (3 if parts[last + 1 : last + 2] and parts[last + 1].startswith("@") else 2)]
    return (PurePath(*parts[: parts.index("node_modules")]), "/".join(name)) if name else None


def places(path: PurePath, directory: PurePath, package: str) -> tuple[str, ...]:
    """Where Node looks for a package from a path, nearest first, relative to a directory above that path."""
    if not path.is_relative_to(directory):
        return (f"node_modules/{package}",)
    above = [parent for parent in path.parents if parent.is_relative_to(directory) and parent.name != "node_modules"]
    return tuple((parent / "node_modules" / package).relative_to(directory).as_posix() for parent in above)


def pinned(lock_file: str, data: bytes, package: str, where: Sequence[str]) -> str | None:
    """The version of a package that a lock file pins; None if it names none, or several with nothing to choose by.

    Args:
        lock_file: its name, one of :data:`LOCK_FILES`.
        data: its content, which may be anything.
        package: the package's name.
        where: what :func:`places` says, for the lock files that tell places apart.
    """
    if lock_file.endswith(".json"):
        return _pinned_by_npm(read_json(data), package, where)
    lines = data.decode("utf-8", errors="replace").split("\n")
    found = _pinned_by_yarn(lines, package) if lock_file == "yarn.lock" else _pinned_by_pnpm(lines, package)
    return found.pop() if len(found) == 1 else None


def read_json(data: bytes) -> dict[str, Any]:
    """A JSON object; an empty one where the text is anything else."""
    try:
        value = json.loads(data.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _pinned_by_npm(lock: dict[str, Any], package: str, where: Sequence[str]) -> str | None:
    for listed, names in (("packages", where), ("dependencies", (package,))):  # the second: npm up to 6
        entries = lock.get(listed)
        if not isinstance(entries, dict):
            continue
        for name in names:
            entry = entries.get(name)
            if isinstance(entry, dict) and (version := version_in(entry.get("version"))):
                return version
    return None


def _pinned_by_yarn(lines: Sequence[str], package: str) -> set[str]:
    found = set()
    for header, line in pairwise(lines):
        if header[:1] in {"", " ", "#"} or package not in header:
            continue
        wanted = header.rstrip().rstrip(":").replace('"', "").split(", ")
        if any(each.startswith(f"{package}@") for each in wanted) and (version := _YARN_VERSION.match(line)):
            found.add(version[1])
    return found


def _pinned_by_pnpm(lines: Sequence[str], package: str) -> set[str]:
    # A key of its packages: /prisma/6.19.3_peer: up to pnpm 7, /prisma@6.19.3(peer): in 8, prisma@6.19.3: since 9.
    key = re.compile(rf"  '?/?{re.escape(package)}[@/]({_SEMVER})(?=[_(':])")
    return {match[1] for line in lines if (match := key.match(line))}
