"""Explanations of why the live schema is not what the rows say, ranked by the cost of what they contradict."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from health.catalog.catalog import Key
from health.catalog.parts import wholes
from health.history.history import History
from health.reconstruction.hypotheses import Hypothesis, cost_of

_WORD = re.compile(r"\w+")
_UNSAID = re.compile(r"\bDROP\b[^;]*\bCASCADE\b|\bEXECUTE\b(?!\s+(?:FUNCTION|PROCEDURE)\b)", re.IGNORECASE)
_RENAMES = re.compile(r'"?(?P<old>\w+)"?\s+RENAME\s+TO\s+"?(?P<new>\w+)"?', re.IGNORECASE)
_GENERIC = ("column", "enum label")  # whose own names tell little
_BY_HAND = 1.05  # each object that a person must have changed
_BY_ANOTHER_FILE = 1.1  # all that a file may have done which is not at hand as it ran
ALIKE = 1e-9  # costs that differ by less are the same


@dataclass(frozen=True)
class Component:
    """Differences that belong together, with the migrations that touch them.

    Attributes:
        keys: the objects that differ.
        names: of those migrations, in the directory's order.
    """

    keys: frozenset[Key]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """What may have happened.

    Attributes:
        supposed: what ran otherwise than the rows say.
        left: the objects that this does not explain: somebody changed them by hand, or a file that is not at hand did.
        cost: of all that it contradicts.
    """

    supposed: tuple[Hypothesis, ...]
    left: frozenset[Key]
    cost: float

    @property
    def complete(self) -> bool:
        """Whether what is supposed leaves nothing, and contradicts no row written after the whole file ran."""
        return bool(self.supposed) and not self.left and not any(each.counted for each in self.supposed)

    @property
    def ran(self) -> tuple[tuple[str, tuple[int, ...] | None], ...]:
        """What ran otherwise, by name."""
        return tuple((each.name, each.ran) for each in self.supposed)


def explanation(supposed: Iterable[Hypothesis], left: Collection[Key], *, others: bool) -> Explanation:
    """Weigh an explanation.

    Args:
        supposed: what ran otherwise.
        left: the objects that still differ then.
        others: whether files ran that are not at hand, which may have done that.
    """
    supposed = tuple(supposed)
    hands = len(tops(left)) * _BY_HAND
    return Explanation(
        supposed, frozenset(left), cost_of(supposed) + (min(hands, _BY_ANOTHER_FILE) if others and left else hands)
    )


def cheapest(explanations: Sequence[Explanation], *, others: bool) -> list[Explanation]:
    """Those that cost least; what another file may have done is no explanation beside one that is complete."""
    whole = [each for each in explanations if each.complete]
    among = whole if others and whole else list(explanations)
    least = min((each.cost for each in among), default=0.0)
    return [each for each in among if each.cost <= least + ALIKE]


def tops(keys: Collection[Key]) -> set[Key]:
    """What a person changed, one for each object that stands by itself: a column stands for its table."""
    return {_top(key) for key in keys}


def _top(key: Key) -> Key:
    """The outermost object that it is a part of; of those that are only possible, the table."""
    above = [whole for whole in wholes(key) if whole[0] in ("table", "enum", "domain")]
    return above[0] if above else key


def components(differing: Collection[Key], touched: Mapping[str, Collection[Key]]) -> list[Component]:
    """Split differences into what belongs together: parts of one object, and what one migration touches.

    Args:
        differing: all objects that differ.
        touched: by the migrations in their order, what each touches.
    """
    group = {key: key for key in differing}

    def root(key: Key) -> Key:
        while group[key] != key:
            group[key] = group[group[key]]
            key = group[key]
        return key

    first: dict[object, Key] = {}
    hits = {name: [key for key in keys if key in group] for name, keys in touched.items()}
    for mark, key in [
        *((name, key) for name, keys in hits.items() for key in keys),
        *((_top(key), key) for key in sorted(differing)),
    ]:
        group[root(key)] = root(first.setdefault(mark, key))
    found: dict[Key, set[Key]] = {}
    for key in differing:
        found.setdefault(root(key), set()).add(key)
    return [
        Component(frozenset(keys), tuple(name for name, hit in hits.items() if keys.intersection(hit)))
        for keys in sorted(found.values(), key=min)
    ]


def named_in(script: str, keys: Iterable[Key]) -> Iterator[Key]:
    """The objects that a script speaks of, by their names or those of what they are parts of.

    What a script makes and takes away again is in none of its effects, and is there where it ended in between.
    """
    words = set(_WORD.findall(script))
    return (key for key in keys if words.issuperset(_WORD.findall(key[1] or key[2])))


def concerned(history: History, differing: Collection[Key]) -> set[str]:
    """The migrations that may have to do with objects that differ.

    Those are what is not applied or was edited, what is applied behind one that is not, and what speaks of such an
    object or of what it is a part of, by a name of today or an earlier one, or of none that it changes (CASCADE).
    """
    names = _names(history, differing)
    found, behind = set[str](), False
    for each in history.directory.migrations:
        unwell = each.name not in history.applied or each.name in history.edited_names
        behind = behind or unwell
        words = _words(each.sql or "")
        if behind or _UNSAID.search(each.sql or "") or any(name <= words for name in names):
            found.add(each.name)
    return found


def _names(history: History, differing: Collection[Key]) -> set[frozenset[str]]:
    """The names of objects and of what they are parts of, those among them that they had before they were renamed."""
    names = {key[1] or key[2] for key in differing} | {key[2] for key in differing if key[0] not in _GENERIC}
    for each in reversed(history.directory.migrations):  # the last first: an earlier one may rename what it named
        for renamed in reversed(list(_RENAMES.finditer(each.sql or ""))):
            if renamed["new"] in names:
                names.add(renamed["old"])
    return {_words(name.partition("(")[0]) for name in names}  # a script may spell the types of arguments otherwise


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))
