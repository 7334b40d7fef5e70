"""Sequences, and whether what they give next is free."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SequenceState:
    """A sequence that a column owns.

    Attributes:
        following: the value that it gives next.
        largest: the largest value of its column; None where the table is empty.
    """

    name: str
    table: str
    column: str
    following: int
    largest: int | None

    @property
    def behind(self) -> bool:
        """Whether it gives values that are taken already: an INSERT then fails with 23505."""
        return self.largest is not None and self.following <= self.largest
