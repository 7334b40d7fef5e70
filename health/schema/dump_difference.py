"""In what one dumped schema is another than the one that it should be, and how a person is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from health.catalog.catalog import Key
from health.prisma.engine import TABLE
from health.sanitize import short
from health.schema.dump_text import GRANTS, TABLES, DumpKey, Pieces
from health.words import apart, plural

_LONGEST, _BEFORE = 120, 30  # characters of a piece that are shown, and how many before what differs
_WITH_OTHERS = (*GRANTS, "INDEX ATTACH")  # grants are no drift, and indexes are attached with their tables
_SECRET = ("SERVER", "USER MAPPING", "SUBSCRIPTION")  # whose options may hold a password
_IDENTITY = re.compile(r'ALTER TABLE (?:.+\.)?("(?:[^"]|"")+"|\w+) ALTER COLUMN .* ADD GENERATED')
_ONE_LINE = str.maketrans("\r\n", "  ")  # as a header has a name
_OF_PRISMA = {("TABLE", TABLE), ("CONSTRAINT", f"{TABLE} {TABLE}_pkey")}


@dataclass(frozen=True)
class SchemaDifference:
    """The pieces that differ.

    Attributes:
        extra: what the schema has beside.
        missing: what it lacks.
    """

    extra: Pieces
    missing: Pieces

    @classmethod
    def of(cls, there: Pieces, expected: Pieces, own: Pieces | None = None) -> SchemaDifference:
        """What differs between a schema and the expected one.

        Args:
            there: the schema.
            expected: as migrations make it.
            own: Prisma's own table as it must stay; without it that may be any.
        """
        if own:
            return cls(there - expected - own, expected + own - there)
        return cls(_without_history(there - expected), _without_history(expected - there))

    def __sub__(self, other: SchemaDifference) -> SchemaDifference:
        """What differs here and not there."""
        return SchemaDifference(self.extra - other.extra, self.missing - other.missing)

    def __bool__(self) -> bool:
        return bool(self.extra or self.missing)

    @property
    def keys(self) -> list[DumpKey]:
        """The objects that differ."""
        return sorted({key for key, _ in (*self.extra, *self.missing)})

    def touched(self, before: Pieces) -> SchemaDifference:
        """What of it was not there before, or was and is gone."""
        return SchemaDifference(self.extra - before, self.missing & before)

    def unnamed(self, names: Collection[str]) -> SchemaDifference:
        """What differs of objects whose names are not among these; what no finding tells by itself left out."""
        tables = {key: found[1].replace('"', "") for key, sql in (*self.extra, *self.missing)
                  if (found := _IDENTITY.match(sql))}  # fmt: skip
        return self.of_objects(
            key
            for key in self.keys
            if key.kind not in _WITH_OTHERS and {*key.names, tables.get(key, key.name)}.isdisjoint(names)
        )

    def outliving(self, expected: Pieces, end: Pieces) -> SchemaDifference:
        """Without what a change from one expected schema to another ends: it drops the object, or the missing piece."""
        going = {key for key, _ in expected} - {key for key, _ in end}
        extra = Counter({each: number for each, number in self.extra.items() if each[0] not in going})
        return SchemaDifference(extra, self.missing - (expected - end))

    def without(self, keys: Collection[DumpKey]) -> SchemaDifference:
        """What differs of other objects."""
        return self.of_objects(key for key in self.keys if key not in keys)

    def of_objects(self, keys: Iterable[DumpKey]) -> SchemaDifference:
        """What differs of some objects."""
        kept = frozenset(keys)
        extra, missing = (
            Counter({each: number for each, number in found.items() if each[0] in kept})
            for found in (self.extra, self.missing)
        )
        return SchemaDifference(extra, missing)

    def described(self) -> str:
        """The first object that differs and in which way, and how many others there are."""
        first, *others = self.keys
        extra, missing = (sorted(piece for of, piece in pieces if of == first) for pieces in (self.extra, self.missing))
        more = f"; {len(others)} more {plural(len(others), 'object')} {'differs' if len(others) == 1 else 'differ'}"
        return _described(first, extra, missing) + (more if others else "")


def beside(there: Pieces, *expected: Pieces) -> frozenset[DumpKey]:
    """The objects that no migration makes: what migrations do to them, as to a partition of a job's, is no mistake."""
    return frozenset(key for key, _ in there) - {key for each in expected for key, _ in each}


def names_of(keys: Iterable[Key]) -> frozenset[str]:
    """The names in keys of the catalog, as the headers of a dump may have them."""
    written = (name.translate(_ONE_LINE) for _, *names in keys for name in names)
    found = {part for name in written for part in (name, *name.split("\0"))}
    routines = {name.partition("(")[0].rstrip() for name in found if "(" in name}  # public.f(integer), + (text, text)
    return frozenset(found | routines | {name.rpartition(".")[2].replace('"', "") for name in routines}) - {""}


def _described(key: DumpKey, extra: list[str], missing: list[str]) -> str:
    if extra and missing and key.kind in _SECRET:
        return f"{key.shown} is not as the migrations make it"
    if extra and missing:
        has, should = apart(_plain(extra[0]), _plain(missing[0]), _LONGEST, _BEFORE)
        return f"{key.shown} has {has}, and should have {should}"
    found = extra or missing
    if key.kind not in (*TABLES, *GRANTS) or any(piece.startswith("CREATE") for piece in found):
        return f"{key.shown} is there, and no migration makes it" if extra else f"{key.shown} is missing"
    named = short(_plain(found[0]), _LONGEST)
    return f"{key.shown} has {named}, which no migration makes" if extra else f"{key.shown} lacks {named}"


def _plain(piece: str) -> str:
    return " ".join(piece.removesuffix(";").split())


def history_of(there: Pieces) -> Pieces:
    """Prisma's own table, which no migration makes, as it is in a schema; what somebody has put on it left out."""
    return there - _without_history(there)


def _without_history(found: Pieces) -> Pieces:
    return Counter({each: number for each, number in found.items() if (each[0].kind, each[0].name) not in _OF_PRISMA})
