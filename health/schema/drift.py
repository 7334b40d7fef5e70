"""Where the live schema is not what the applied migrations make."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from health.catalog.catalog import Catalog, Key, describe, schema_of
from health.catalog.changes import Change, Replay, differing
from health.catalog.parts import COMMENT, wholes
from health.catalog.spelling import same
from health.history.history import History
from health.prisma.engine import TABLE
from health.schema.partitions import PartitionChanges, parents, partition_changes

DifferenceKind = Literal["missing", "extra", "different"]
INVALID, _NOT_VALID = " INVALID", " NOT VALID"  # as fixtures.database.kinds and PostgreSQL spell them
# What of a definition changes no statement's result, as fixtures.database.kinds spells it.
_TUNED = {
    "table": re.compile(r"(?:^|, )(?:replica identity |clustered on |with \(|with toast \().*"),
    "column": re.compile(r" (?:STORAGE \w+|COMPRESSION \w+|STATISTICS \d+|SET \([^)]*\))"),
    "statistics": re.compile(r" STATISTICS \d+$"),
}


@dataclass(frozen=True)
class Difference:
    """One object that is not as it should be.

    Attributes:
        expected: its definition as the migrations make it; None where they make none.
        live: its definition in the database; None where it is not there.
        migration: the last one that touches it; None where none of the directory does.
        coming: what the pending migrations leave of it, where one of them changes it.
        orphan: a recorded migration that the directory has not and that may have done it, where nothing else explains
            it.
    """

    key: Key
    expected: str | None
    live: str | None
    migration: str | None = None
    coming: Change | None = None
    orphan: str | None = None

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
        return self.key[0] == "index" and self.live == f"{self.expected}{INVALID}"

    @property
    def not_validated(self) -> bool:
        """Whether it is the right constraint, but nobody has looked at the rows that were there before it."""
        return self.key[0] == "constraint" and self.live == f"{self.expected}{_NOT_VALID}"

    @property
    def harmless(self) -> bool:
        """Whether no statement runs otherwise for it: a comment, how something is stored, where an extension is."""
        kind = self.key[0]
        if kind.startswith(COMMENT):
            return True
        if self.live is None or self.expected is None:
            return False
        return kind == "extension" or _untuned(kind, self.live) == _untuned(kind, self.expected)


@dataclass(frozen=True)
class Drift:
    """All that differs.

    Attributes:
        differences: by object, without those that the registry declares; a table stands for its parts.
        unused: what the registry declares and does not differ.
        partitions: by table, how its partitions differ; they are in no difference.
        fresh: how a fresh database would differ, where the migrations ran in another order than the directory's.
    """

    differences: tuple[Difference, ...] = ()
    unused: tuple[str, ...] = ()
    partitions: tuple[PartitionChanges, ...] = ()
    fresh: FreshDatabase | None = None


@dataclass(frozen=True)
class FreshDatabase:
    """What the directory's order makes of an empty database, where the environment's migrations ran in another.

    Attributes:
        earlier: a migration that ran before one that the directory has before it.
        later: that one.
        refused: what PostgreSQL says where one of them does not run in the directory's order; else None.
        keys: the objects that differ.
    """

    earlier: str
    later: str
    refused: str | None
    keys: tuple[Key, ...]


def drift(
    history: History,
    replay: Replay,
    live: Catalog,
    known: tuple[str, ...] = (),
    *,
    unexplained: Collection[Key] = (),
    orphan: str | None = None,
) -> Drift:
    """The live catalog against what the applied migrations of the directory make of an empty database.

    Args:
        history: tells which are applied.
        replay: what each of them changes; all of these must be known.
        live: the environment's catalog.
        known: the objects that may differ, as :func:`health.catalog.catalog.describe` names them.
        unexplained: the objects whose difference no script of the directory explains.
        orphan: a recorded migration that the directory has not.
    """
    expected = replay.made(each.name for each in history.applied_files)
    touched: dict[Key, str] = {}
    for migration in history.directory.migrations:
        for change in replay.changes.get(migration.name, ()):
            if migration.name in history.applied:
                touched[change.key] = migration.name
            else:  # what it has left is its own finding's
                touched.setdefault(change.key, migration.name)
    # What a pending migration drops needs to be there only, and valid.
    coming = {change.key: change for each in history.pending for change in replay.changes.get(each.name, ())}
    going = {key for key, change in coming.items() if change.after is None}
    objects = {key: definition for key, definition in live.objects.items() if not of_prisma(key)}
    partitions = partition_changes(expected, objects)
    found = [
        Difference(
            key,
            expected.get(key),
            objects.get(key),
            _blamed(key, history, replay, touched),
            coming.get(key),
            orphan if key in unexplained else None,
        )
        for key in sorted(differing(expected, objects))
        if not (key in objects and key in going) or objects[key].endswith(INVALID)
    ]
    found = [each for each in found if not same(each.expected, each.live)]
    found += _schemas_of_others(expected, objects)
    wholly = _Wholes(found, {key for each in partitions for key in each.keys}, parents(expected) | parents(objects))
    subjects = {each.subject for each in wholly.alone()} | {describe(each.key) for each in partitions}
    return Drift(
        tuple(each for each in wholly.alone() if each.subject not in known),
        tuple(subject for subject in known if subject not in subjects),
        tuple(each for each in partitions if describe(each.key) not in known),
    )


def invalid_indexes(objects: Mapping[Key, str]) -> Iterator[tuple[str, str]]:
    """The indexes that are there and not valid, which no dump tells: name and definition."""
    for (kind, _, name), definition in objects.items():
        if kind == "index" and definition.endswith(INVALID) and schema_of(name) is None:
            yield name, definition.removesuffix(INVALID)


def undeclared(found: Sequence[Difference], known: Container[str]) -> tuple[Difference, ...]:
    """Those that the registry does not declare; a table stands for its parts, and an enum for its labels."""
    return tuple(each for each in _Wholes(found).alone() if each.subject not in known)


def _schemas_of_others(expected: Iterable[Key], live: Mapping[Key, str]) -> Iterator[Difference]:
    """The schemas in which nothing is the migrations'; each stands for all that is in it."""
    ours = {_schema(key) for key in expected}
    for schema in sorted({schema for key in live if (schema := _schema(key)) is not None} - ours):
        if (key := ("schema", "", schema)) not in live:  # the one that every database has
            yield Difference(key, None, "")


def _schema(key: Key) -> str | None:
    return schema_of(key[1] or key[2])


def _untuned(kind: str, definition: str) -> str:
    return _TUNED[kind].sub("", definition) if kind in _TUNED else definition


def _blamed(key: Key, history: History, replay: Replay, touched: Mapping[Key, str]) -> str | None:
    """The migration that an object's difference is to be told of: one that has not been applied well comes first."""
    unwell = [name for name in replay.changes if name not in history.applied or name in history.edited_names]
    for name in unwell:
        if any(change.key == key for change in replay.changes[name]):
            return name
    return touched.get(key)


def apart(expected: Mapping[Key, str], live: Mapping[Key, str]) -> set[Key]:
    """The objects that differ, but for the history's own and for what only a load spells otherwise."""
    return {
        key for key in differing(expected, live) if not of_prisma(key) and not same(expected.get(key), live.get(key))
    }


def of_prisma(key: Key) -> bool:
    """Whether an object is Prisma's own table, or a part of it."""
    return TABLE in key[1:] or key[2].startswith(f"{TABLE}_")


class _Wholes:
    """Differences, less those that others stand for.

    Args:
        found: all of them.
        covered: objects that something else stands for, with their parts.
        partition_of: the table that each partition is one of.
    """

    def __init__(
        self, found: Sequence[Difference], covered: Collection[Key] = (), partition_of: Mapping[str, str] | None = None
    ) -> None:
        self._found, self._covered, self._partition_of = found, covered, partition_of or {}
        self._whole = {(each.key, each.kind) for each in found if each.kind != "different"}
        self._told = {self._as_part(each, each.key[1]) for each in found}
        self._labelled = {each.key[1] for each in found if each.key[0] == "enum label" and each.kind != "different"}

    def alone(self) -> Iterator[Difference]:
        """Those that stand for themselves."""
        return (each for each in self._found if not self._comes_with_another(each))

    def _comes_with_another(self, each: Difference) -> bool:
        kind, owner, _ = each.key
        definition = (each.live if each.expected is None else each.expected) or ""
        above = self._above(each.key, definition)
        if each.key in self._covered or not above.isdisjoint(self._covered):
            return True
        if any((key, each.kind) in self._whole for key in above):
            return True
        if kind == "enum label" and each.kind == "different":
            return owner in self._labelled  # it only has another neighbour
        parent = self._partition_of.get(owner)
        return parent is not None and self._as_part(each, parent) in self._told

    def _above(self, key: Key, definition: str) -> set[Key]:
        """Everything that it is a part of, and what that is a part of."""
        found: set[Key] = set()
        waiting = self._next_above(key, definition)
        while waiting:
            if (whole := waiting.pop()) not in found:
                found.add(whole)
                waiting += self._next_above(whole)
        return found

    def _next_above(self, key: Key, definition: str = "") -> list[Key]:
        parent = self._partition_of.get(key[2]) if key[0] == "table" else None
        return [*wholes(key, definition), *([("table", "", parent)] if parent is not None else [])]

    @staticmethod
    def _as_part(each: Difference, owner: str) -> tuple[str, str, str, str | None, str | None]:
        """A part of a table, alike for its partitions: their names may be others."""
        if each.key[0] == "column":
            return "column", owner, each.kind, each.key[2], None
        return each.key[0], owner, each.kind, _unnamed(each.expected), _unnamed(each.live)


def _unnamed(definition: str | None) -> str | None:
    """Without what names an index and its table, and the index that it is attached to."""
    return definition and definition.rpartition(" USING ")[2].partition(" ATTACHED TO ")[0]
