"""The order in which migrations ran, as their rows tell; a deploy also applies what stands before others that ran."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from health.history.history import History
from health.migrations.directory import Migration


def by_start(history: History) -> History | None:
    """The same history with the directory in the order in which it ran; None where that is the directory's own.

    Only a row that the engine wrote after the whole file ran (``applied_steps_count`` of 1) tells when that was: one of
    ``migrate resolve`` tells when somebody typed it. What has no such row keeps its place behind what it stands behind.
    """
    listed = history.directory.migrations
    begun = {name: at for name, rows in history.applied.items() if (at := _ran_at(history, name)) is not None and rows}
    timed = [each for each in listed if each.name in begun]
    ran = sorted(timed, key=lambda each: begun[each.name])
    if ran == timed:
        return None
    return replace(history, directory=replace(history.directory, migrations=tuple(_put_behind(ran, listed, begun))))


def _ran_at(history: History, name: str) -> datetime | None:
    rows = (row.started_at for row in history.applied[name] if row.engine_made and row.applied_steps_count > 0)
    return min(rows, default=None)


def _put_behind(ran: Iterable[Migration], listed: Iterable[Migration], begun: dict[str, datetime]) -> list[Migration]:
    """The migrations that ran, each followed by what stands behind it in the directory and has no time."""
    followers: dict[str | None, list[Migration]] = {None: []}
    last: str | None = None
    for each in listed:
        if each.name in begun:
            last = each.name
            followers[last] = []
        else:
            followers[last].append(each)
    return [*followers[None], *(one for each in ran for one in (each, *followers[each.name]))]
