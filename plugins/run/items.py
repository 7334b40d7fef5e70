"""What pytest's items say of themselves: which check they are, and of which turn."""

from __future__ import annotations

import pytest

from health.check import Check


def turn_name(item: pytest.Item) -> str | None:
    """What stands in an item's brackets: a key of the run's turns."""
    callspec = getattr(item, "callspec", None)
    name: str | None = callspec.params.get("facts") if callspec else None
    return name


def check_of(item: pytest.Item) -> Check | None:
    """The declared check behind an item."""
    found: Check | None = getattr(getattr(item, "function", None), "check", None)
    return found
