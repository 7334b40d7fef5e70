"""Partitions come and go with jobs: what differs of them is told of their table, once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from health.catalog.catalog import Key
from health.catalog.parts import PARTITION

_SHAPING = ("constraint", "index", "trigger", "policy", "rule")

Shape = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class PartitionChanges:
    """How the partitions of one table are others than the migrations make.

    Attributes:
        table: whose partitions they are.
        made: those that no migration makes, of the shape that the others have.
        gone: those that are not there any more.
        detached: tables that should be partitions of it.
        attached: tables that should be none.
    """

    table: str
    made: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    detached: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """What they are named by."""
        return "partitions of", "", self.table

    @property
    def keys(self) -> Iterator[Key]:
        """All objects that it stands for, beside their parts."""
        for name in (*self.made, *self.gone, *self.detached, *self.attached):
            yield PARTITION, self.table, name
            yield "table", "", name


def partition_changes(expected: Mapping[Key, str], live: Mapping[Key, str]) -> tuple[PartitionChanges, ...]:
    """What differs of the partitions of tables that are there and should be."""
    wanted, there = parents(expected), parents(live)
    changed: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for child in sorted(wanted.keys() ^ there.keys()):
        if (table := _standing(child, wanted | there, expected, live)) is not None:
            key = ("table", "", child)
            left = "gone" if key not in live else "detached"
            came = "made" if key not in expected else "attached"
            changed[table][left if child in wanted else came].append(child)
    shapes = (_shapes(expected), _shapes(live)) if any("made" in lists for lists in changed.values()) else ({}, {})
    for table, lists in changed.items():
        if made := lists["made"]:
            siblings = [name for name, parent in wanted.items() if parent == table]
            known = {shapes[0][name] for name in siblings} | {shapes[1][name] for name in siblings if name in there}
            known = known or {Counter(shapes[1][name] for name in made).most_common(1)[0][0]}
            lists["made"] = [name for name in made if shapes[1][name] in known]
    told = (
        PartitionChanges(table, **{k: tuple(names) for k, names in each.items()}) for table, each in changed.items()
    )
    return tuple(each for each in told if any(each.keys))


def parents(keys: Iterable[Key]) -> dict[str, str]:
    """The table that each partition is one of."""
    return {name: owner for kind, owner, name in keys if kind == PARTITION}


def _standing(child: str, of: Mapping[str, str], expected: Mapping[Key, str], live: Mapping[Key, str]) -> str | None:
    """The nearest table above a partition that is there and should be."""
    table = of.get(child)
    while table is not None and (("table", "", table) not in expected or ("table", "", table) not in live):
        table = of.get(table)
    return table


def _shapes(catalog: Mapping[Key, str]) -> defaultdict[str, Shape]:
    """What each table has beside its columns, without names."""
    parts: defaultdict[str, Shape] = defaultdict(frozenset)
    for (kind, owner, _), definition in catalog.items():
        if kind in _SHAPING:
            # An index's definition begins with its own name and its table's, and ends with its parent's.
            unnamed = (
                definition.partition(" USING ")[2].partition(" ATTACHED TO ")[0] if kind == "index" else definition
            )
            parts[owner] |= {(kind, unnamed)}
    return parts
