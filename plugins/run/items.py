"""What pytest's items say of themselves: which check they are, and of which target."""

from __future__ import annotations

import pytest

from health.check import Check


def target_name(item: pytest.Item) -> str | None:
    """What stands in an item's brackets: a key of the run's targets."""
    callspec = getattr(item, "callspec", None)
    name: str | None = callspec.params.get("facts") if callspec else None
    return name


def check_of(item: pytest.Item) -> Check | None:
    """The declared check behind an item."""
    found: Check | None = getattr(getattr(item, "function", None), "check", None)
    return found
