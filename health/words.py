"""Counts and lists in words."""

from __future__ import annotations

from collections.abc import Sequence

from health.sanitize import short


def listed(names: Sequence[str], limit: int, separator: str = ", ") -> str:
    """Join the first names; those beyond the limit become "and N more"."""
    more = len(names) - limit
    return separator.join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def plural(number: int, noun: str) -> str:
    """Return the noun as it follows the number: row, rows."""
    return noun if number == 1 else f"{noun}s"


def apart(one: str, other: str, longest: int, before: int) -> tuple[str, str]:
    """Two texts on a line each, as far as it holds them: of long ones, from a little before where they part."""
    if max(len(one), len(other)) <= longest:
        return one, other
    parted = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    start = max(0, next(parted, min(len(one), len(other))) - before)
    sign = "… " if start else ""
    return sign + short(one[start:], longest), sign + short(other[start:], longest)


def numbered_fixes(numbers: Sequence[int]) -> str:
    """Name fixes by their numbers: no fix; fix 1; fixes 1 and 2; fixes 1 to 3; fixes 1, 3 and 4."""
    if not numbers:
        return "no fix"
    first, last = numbers[0], numbers[-1]
    if len(numbers) == 1:
        return f"fix {first}"
    if len(numbers) > 2 and last - first == len(numbers) - 1:  # noqa: PLR2004 - more than a pair
        return f"fixes {first} to {last}"
    return f"fixes {', '.join(map(str, numbers[:-1]))} and {last}"
