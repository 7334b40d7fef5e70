"""Where the live schema is not what the applied migrations make."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from health.catalog.catalog import Catalog, Key, describe
from health.catalog.changes import Change, Replay, differing
from health.history.history import History
from health.prisma.engine import TABLE

DifferenceKind = Literal["missing", "extra", "different"]
_PARTS = ("column", "constraint", "index", "trigger", "policy")  # of a table: with it they come and go
_INVALID, _NOT_VALID = " INVALID", " NOT VALID"  # as fixtures.database.catalog_queries and PostgreSQL spell them


@dataclass(frozen=True)
class Difference:
    """One object that is not as it should be.

    Attributes:
        expected: its definition as the migrations make it; None where they make none.
        live: its definition in the database; None where it is not there.
        migration: the last one that touches it; None where none of the directory does.
        coming: what the pending migrations leave of it, where one of them changes it.
    """

    key: Key
    expected: str | None
    live: str | None
    migration: str | None = None
    coming: Change | None = None

    @property
    def kind(self) -> DifferenceKind:
        """What is wrong with it."""
        if self.live is None:
            return "missing"
        return "extra" if self.expected is None else "different"

    @property
    def subject(self) -> str:
        """The object as a person names it."""
        return describe(self.key)

    @property
    def invalid(self) -> bool:
        """Whether it is the right index, but PostgreSQL does not use it."""
        return self.key[0] == "index" and self.live == f"{self.expected}{_INVALID}"

    @property
    def not_validated(self) -> bool:
        """Whether it is the right constraint, but nobody has looked at the rows that were there before it."""
        return self.key[0] == "constraint" and self.live == f"{self.expected}{_NOT_VALID}"


@dataclass(frozen=True)
class Drift:
    """All that differs.

    Attributes:
        differences: by object, without those that the registry declares; a table stands for its parts.
        unused: what the registry declares and does not differ.
    """

    differences: tuple[Difference, ...] = ()
    unused: tuple[str, ...] = ()


def drift(history: History, replay: Replay, live: Catalog, known: tuple[str, ...] = ()) -> Drift:
    """The live catalog against what the applied migrations of the directory make of an empty database.

    Args:
        history: tells which are applied.
        replay: what each of them changes; all of these must be known.
        live: the environment's catalog.
        known: the objects that may differ, as :func:`health.catalog.catalog.describe` names them.
    """
    expected: dict[Key, str] = {}
    touched: dict[Key, str] = {}
    for migration in history.directory.migrations:
        for change in replay.changes.get(migration.name, ()):
            if migration.name in history.applied:
                touched[change.key] = migration.name
                if change.after is None:
                    expected.pop(change.key, None)
                else:
                    expected[change.key] = change.after
            else:  # what it has left is its own finding's
                touched.setdefault(change.key, migration.name)
    # What a pending migration drops needs to be there only.
    coming = {change.key: change for each in history.pending for change in replay.changes.get(each.name, ())}
    going = {key for key, change in coming.items() if change.after is None}
    objects = {key: definition for key, definition in live.objects.items() if not _of_prisma(key)}
    found = [
        Difference(key, expected.get(key), objects.get(key), _blamed(key, history, replay, touched), coming.get(key))
        for key in sorted(differing(expected, objects))
        if not (key in objects and key in going) or objects[key].endswith(_INVALID)
    ]
    subjects = {each.subject for each in _without_parts(found)}
    return Drift(undeclared(found, known), tuple(subject for subject in known if subject not in subjects))


def invalid_indexes(objects: Mapping[Key, str]) -> Iterator[tuple[str, str]]:
    """The indexes that are there and not valid, which no dump tells: name and definition."""
    for (kind, _, name), definition in objects.items():
        if kind == "index" and definition.endswith(_INVALID):
            yield name, definition.removesuffix(_INVALID)


def undeclared(found: Sequence[Difference], known: Container[str]) -> tuple[Difference, ...]:
    """Those that the registry does not declare; a table stands for its parts, and an enum for its labels."""
    return tuple(each for each in _without_parts(found) if each.subject not in known)


def _blamed(key: Key, history: History, replay: Replay, touched: Mapping[Key, str]) -> str | None:
    """The migration that an object's difference is to be told of: one that has not been applied well comes first."""
    unwell = [name for name in replay.changes if name not in history.applied or name in history.edited_names]
    for name in unwell:
        if any(change.key == key for change in replay.changes[name]):
            return name
    return touched.get(key)


def _of_prisma(key: Key) -> bool:
    return TABLE in key[1:] or key[2].startswith(f"{TABLE}_")


def _without_parts(found: Sequence[Difference]) -> Iterator[Difference]:
    """Without what comes and goes with a table or an enum that is missing, or too many, itself."""
    whole = {
        (each.key[2], each.kind) for each in found if each.key[0] in ("table", "enum") and each.kind != "different"
    }
    tables = {name for name, _ in whole}
    for each in found:
        kind, owner, name = each.key
        if (kind in _PARTS or kind == "enum label") and (owner, each.kind) in whole:
            continue
        if kind == "sequence" and any(name.startswith(f"{table}_") for table in tables):
            continue
        yield each
