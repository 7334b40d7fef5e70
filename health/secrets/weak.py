"""A secret that no redaction can hide."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WeakSecret:
    """A secret by its name; its value is told nowhere.

    Attributes:
        name: which one, and where it is kept.
        reason: why it cannot be hidden.
        others: the other places that keep the same one.
    """

    name: str
    reason: str
    others: tuple[str, ...] = ()
