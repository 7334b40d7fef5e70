"""Counts and lists in words."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str], limit: int, separator: str = ", ") -> str:
    """Join the first names; those beyond the limit become "and N more"."""
    more = len(names) - limit
    return separator.join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def plural(number: int, noun: str) -> str:
    """Return the noun as it follows the number: row, rows."""
    return noun if number == 1 else f"{noun}s"
