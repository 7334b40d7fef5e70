"""Maps a pytest item to its check and its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from health.check import Check

_BY_TARGET = pytest.StashKey[Mapping[str | None, Sequence[pytest.Item]]]()


def target_name(item: pytest.Item) -> str | None:
    """What stands in an item's brackets: a key of the run's targets."""
    callspec = getattr(item, "callspec", None)
    name: str | None = callspec.params.get("facts") if callspec else None
    return name


def by_target(session: pytest.Session) -> Mapping[str | None, Sequence[pytest.Item]]:
    """Group the items that will run by their target; they are walked once."""
    if _BY_TARGET not in session.stash:
        groups: dict[str | None, list[pytest.Item]] = {}
        for item in session.items:
            groups.setdefault(target_name(item), []).append(item)
        session.stash[_BY_TARGET] = groups
    return session.stash[_BY_TARGET]


def check_of(item: pytest.Item) -> Check | None:
    """The declared check behind an item."""
    found: Check | None = getattr(getattr(item, "function", None), "check", None)
    return found
