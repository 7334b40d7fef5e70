"""What cannot be asked through a transaction pooler, and why."""

from __future__ import annotations

from collections.abc import Mapping

from health.finding import CouldNotCheck

# Not among them: the history, the catalog, rows, and who holds Prisma's advisory lock (pg_locks is the server's).
IMPOSSIBLE: Mapping[str, str] = {
    "pg_dump": "pg_dump sets its session up before its transaction begins, and the pooler may change the session",
    "deploy": "Prisma's advisory lock belongs to a session, and the pooler may change the session after each statement",
}
POOL_OF_ONE = "the pooler has no second session with the server for the data"
POOLER = "the pooler that the database URL leads to"
REMEDY = "Give the direct URL of the database, which Prisma calls directUrl, without pgbouncer=true."


def not_through_pooler(question: str) -> CouldNotCheck:
    """Make the error of a reader that needs a session of its own.

    Args:
        question: a key of :data:`IMPOSSIBLE`.
    """
    return CouldNotCheck(IMPOSSIBLE[question], POOLER, REMEDY)
