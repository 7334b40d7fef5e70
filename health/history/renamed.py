"""Rows of migrations that the directory has under another name: renamed, or spelt alike to the eye alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from health.history.history import History, matches
from health.history.rows import Row

# How two names are alike that a person may take for the same, the nearest first.
_ALIKE: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("in the normal form of Unicode alone", lambda name: unicodedata.normalize("NFC", name)),
    ("in blanks at its end alone", str.strip),
    ("in upper and lower case alone", str.casefold),
)


@dataclass(frozen=True)
class Renamed:
    """The migration of the directory that a row records under another name.

    Attributes:
        name: in the directory.
        differs: in what the two names differ, where the eye may miss it; empty for another name.
    """

    name: str
    differs: str = ""


def renamed(history: History) -> dict[str, Renamed]:
    """The migrations that orphaned rows record, by the row's id; each only where there is no other to choose from."""
    told = {row.id: found for row in history.orphaned if (found := _of(row, history)) is not None}
    names = [found.name for found in told.values()]
    return {id_: found for id_, found in told.items() if names.count(found.name) == 1}


def lost(history: History) -> list[Row]:
    """The rows of migrations that the directory holds under no name."""
    known = renamed(history)
    return [row for row in history.orphaned if row.id not in known]


def _of(row: Row, history: History) -> Renamed | None:
    for differs, form in _ALIKE:
        alike = [each.name for each in history.pending if form(each.name) == form(row.migration_name)]
        if len(alike) == 1:
            return Renamed(alike[0], differs)
    same = [each.name for each in history.pending if each.sql is not None and matches(each, row)]
    return Renamed(same[0]) if len(same) == 1 else None
