"""Which package manager an application uses, and the command that deploys its migrations with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

# A package-lock.json is often left behind by an npm that was run once, so npm's own files are the last.
LOCK_FILES = {
    "pnpm-lock.yaml": "pnpm",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "yarn.lock": "yarn",
    "npm-shrinkwrap.json": "npm",
    "package-lock.json": "npm",
}
_RUN = {"npm": ("npx",), "pnpm": ("pnpm", "exec"), "yarn": ("yarn",), "bun": ("bunx",)}
_FIELD = re.compile(r"(npm|pnpm|yarn|bun)(@[\w.+-]+)?")


@dataclass(frozen=True)
class PackageManager:
    """A package manager.

    Attributes:
        name: npm, pnpm, yarn or bun.
        source: what names it, for a person.
    """

    name: str
    source: str

    def prisma(self, *words: str) -> tuple[str, ...]:
        """The command that runs the application's own Prisma."""
        return (*_RUN[self.name], "prisma", *words)

    @property
    def install(self) -> tuple[str, ...]:
        """The command that installs what the lock file names."""
        return (self.name, "ci" if self.name == "npm" else "install")

    @property
    def deploy(self) -> tuple[str, ...]:
        """The command that deploys the migrations."""
        return self.prisma("migrate", "deploy")


def package_manager(directories: Sequence[tuple[str, object, Collection[str]]]) -> PackageManager:
    """Choose the package manager.

    Args:
        directories: from the application up to the top: how to name the directory, the ``packageManager`` of its
            package.json, and the names of its files.
    """
    for name, field, _ in directories:
        if isinstance(field, str) and (match := _FIELD.fullmatch(field)):
            return PackageManager(match[1], f"{_in(name, 'package.json')}: packageManager")
    for name, _, files in directories:
        if found := [file for file in LOCK_FILES if file in files]:
            others = [file for file in found[1:] if LOCK_FILES[file] != LOCK_FILES[found[0]]]
            beside = f" (beside it {', '.join(others)})" if others else ""
            return PackageManager(LOCK_FILES[found[0]], f"{_in(name, found[0])}{beside}")
    return PackageManager("npm", "default: no lock file")


def _in(directory: str, file: str) -> str:
    return file if directory in {"", "."} else f"{directory}/{file}"
