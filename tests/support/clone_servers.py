"""Servers of clones for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fixtures.clone.server import CloneServer, Take, clone, embedded


@contextmanager
def started(take: Take = embedded) -> Iterator[CloneServer]:
    """A server that runs already, until the block ends."""
    with clone("public", take) as made:
        with made.database("first"):
            pass  # a server starts with the first one
        yield made
