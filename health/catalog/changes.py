"""What each migration does to the catalog, learnt by running the directory on an empty database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from health.catalog.catalog import Key
from health.sanitize import one_line


@dataclass(frozen=True)
class Change:
    """One object that a script makes (``before`` is None), drops (``after`` is None) or alters."""

    key: Key
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Replay:
    """What running the migrations one after the other showed.

    Attributes:
        changes: by the name of each migration that ran, what it changed in the catalog.
        failed: by the name of each that did not, what PostgreSQL said; those after it ran all the same.
        problem: why those that are in neither could not be run at all.
        limited: whether a limit of the clone ended one of them, which another hour may not do.
        expected: what the applied ones make; None where all are in ``changes`` or ``failed``, which tell it.
    """

    changes: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    limited: bool = False
    expected: Mapping[Key, str] | None = None

    def made(self, applied: Iterable[str]) -> dict[Key, str]:
        """The objects that the applied migrations make, each with its definition.

        Args:
            applied: their names, in the order in which they run.
        """
        if self.expected is not None:
            return dict(self.expected)
        made: dict[Key, str] = {}
        for change in chain.from_iterable(self.changes.get(name, ()) for name in applied):
            if change.after is None:
                made.pop(change.key, None)
            else:
                made[change.key] = change.after
        return made

    def unknown(self, name: str) -> str | None:
        """Why it is not known what a migration does; None if it is."""
        if name in self.changes:
            return None
        if name in self.failed:
            return f"its script does not run on an empty database: {self.failed[name]}"
        return self.problem or f"the directory does not hold {one_line(name)}"


def difference(before: Mapping[Key, str], after: Mapping[Key, str]) -> tuple[Change, ...]:
    """What changed between two catalogs."""
    return tuple(Change(key, before.get(key), after.get(key)) for key in sorted(differing(before, after)))


def differing(one: Mapping[Key, str], other: Mapping[Key, str]) -> set[Key]:
    """The objects whose definition is not the same in two catalogs."""
    return {key for key, _ in one.items() ^ other.items()}


def changed_by(changes: Iterable[Iterable[Change]]) -> set[Key]:
    """The objects that any of these touched."""
    return {change.key for each in changes for change in each}
