"""The migration API's word held against the database: where they differ, and what the API cannot see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from health.api.status import NAME, ApiStatus, State
from health.catalog.catalog import Catalog
from health.history.history import History

COMPARED: frozenset[State | None] = frozenset({"up-to-date", "pending", "failed", "diverged", "no-history"})


@dataclass(frozen=True)
class UnseenState:
    """A state of the database that the API passes over in silence; ``names`` are the migrations concerned."""

    what: str
    names: tuple[str, ...] = ()


def meant(history: History) -> tuple[State, frozenset[str]]:
    """What ``migrate status`` says of a database, and the migrations that it then names where the API shows them.

    The order is the command's own. It ends with what is pending before it looks for failed rows.
    """
    diagnosis = history.diagnosis
    if diagnosis.error is not None:
        return "refused", frozenset()
    if diagnosis.diverged:
        return "diverged", frozenset(diagnosis.unapplied + diagnosis.unpersisted)
    if diagnosis.unapplied:
        return "pending", frozenset()
    if not history.recorded.table_exists:
        return "no-history", frozenset()
    if diagnosis.failed:
        return "failed", frozenset(diagnosis.failed)
    return "up-to-date", frozenset()


def agrees(status: ApiStatus, history: History) -> bool:
    """Whether both sides say the same, as far as they can be compared."""
    state, names = meant(history)
    if status.state not in COMPARED or state not in COMPARED:
        return True
    plain = {name for name in names if re.fullmatch(NAME, name)}  # others cannot be told from the text around them
    return status.state == state and (status.state == "pending" or plain == set(status.names))


def layer_is_behind(status: ApiStatus, history: History) -> bool:
    """Whether the API may be right about a layer that lacks no more than the migrations which are pending here."""
    return status.state == "up-to-date" and meant(history)[0] == "pending" and history.recorded.table_exists


def unseen(history: History, edited: Iterable[str], catalog: Catalog) -> Iterator[UnseenState]:
    """The states of this database that ``migrate status`` never tells of, each with the migrations in it.

    Args:
        history: of the database.
        edited: applied migrations whose SQL was edited since.
        catalog: what is in it.
    """
    if not history.recorded.table_exists:
        yield UnseenState("it has no migration history")
    shown = history.diagnosis.unapplied
    if shown and history.failed_by_name:
        yield UnseenState("failed rows stand behind what is pending", tuple(history.failed_by_name))
    again = tuple(m.name for m in history.pending if m.name in history.by_name and m.name not in shown)
    if again:
        yield UnseenState("a migration was rolled back and not applied again", again)
    if orphaned := tuple(row.migration_name for row in history.orphaned):
        yield UnseenState("it records migrations that the directory does not hold", orphaned)
    if names := tuple(edited):
        yield UnseenState("files were edited after they had been applied", names)
    if hand_made := tuple(row.migration_name for row in history.recorded.rows if row.in_force and not row.engine_made):
        yield UnseenState("a row was written by hand", hand_made)
    added = history.directory.adding_column("Entity", "data") if catalog.column("Entity", "data") is None else None
    if added is not None and added[0].name in history.applied:
        yield UnseenState("its schema is not what the applied migrations make", (added[0].name,))
