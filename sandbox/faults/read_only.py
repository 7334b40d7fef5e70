"""Faults of the cluster's servers and of what stands before them."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import Plan


@fault()
def reader(plan: Plan) -> None:
    """The cluster has a reader, a hot standby: healthy, and the catalog is read from it."""
    plan.reader = True


@fault()
def reader_down(plan: Plan) -> None:
    """The cluster has a reader that cannot be reached: healthy, as the writer answers in its place."""
    plan.reader, plan.reader_reachable = True, False


@fault("write-not-refused")
def guard_dropped(plan: Plan) -> None:
    """A pooler before the database drops what makes a session read only."""
    plan.pooler = True
