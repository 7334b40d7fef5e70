"""What took effect of a migration, by what explains the whole schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from health.catalog.catalog import Key
from health.catalog.changes import Change
from health.history.effects import Extent, MigrationEffect
from health.history.history import History
from health.reconstruction.explanations import named_in
from health.reconstruction.hypotheses import usual
from health.reconstruction.reconstruction import Reconstruction
from health.sanitize import one_line
from health.schema.drift import INVALID
from health.words import listed

_ALONE = re.compile(r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\b", re.IGNORECASE)


def judged(
    effect: MigrationEffect, happened: Reconstruction, history: History, name: str, changes: Collection[Change]
) -> MigrationEffect:
    """What its own objects tell of a migration, put right by what explains the whole schema.

    Args:
        effect: as its objects tell, each by itself.
        happened: what explains the whole schema.
        history: the rows.
        name: of the migration.
        changes: what its script does.
    """
    if happened.problem is not None:
        return effect
    if name in happened.ties:
        tie = happened.ties[name]
        return replace(effect, extent="unknown", reason=_either(tie.names)) if len(tie.names) > 1 else effect
    traceless = effect.extent == "unknown"
    if name not in happened.ran and (traceless or _by_hand(effect, happened, history, name, changes)):
        return effect
    ran = happened.ran.get(name, usual(history, name))
    extent: Extent = "all" if ran is None else "part" if ran else "nothing"
    if extent == effect.extent:
        return replace(effect, ran=ran or ())
    if extent == "nothing":
        none = tuple(change.key for change in changes)
        kept = tuple(change.key for change in changes if change.after is None)
        return replace(effect, extent=extent, done=(), missing=none, differing=(), reason="", kept=kept)
    left = effect.differing if extent == "all" else ()
    return replace(effect, extent=extent, ran=ran or (), differing=left, reason="")


def left_midway(script: str, live: Mapping[Key, str]) -> Iterator[Key]:
    """The indexes that a script has left when it ended in the middle of making them: there, and not valid."""
    if _ALONE.search(script):
        invalid = [key for key, definition in live.items() if key[0] == "index" and definition.endswith(INVALID)]
        yield from (key for key in named_in(script, invalid) if set(named_in(script, [("index", "", key[2])])))


def _by_hand(
    effect: MigrationEffect, happened: Reconstruction, history: History, name: str, changes: Collection[Change]
) -> bool:
    """Whether what the rows say leaves objects of it unexplained, and what these tell by themselves is no less safe.

    Of an applied migration that only makes things, never ran and taken away by hand come to the same; what drops or
    alters is never run again where a hand may have brought back what it dropped.
    """
    if name in history.applied:
        return effect.extent != "nothing" or all(change.before is None for change in changes)
    return not happened.left.isdisjoint(change.key for change in changes)


def _either(names: Collection[str]) -> str:
    return f"one of these ran, and the schema does not tell which: {listed(list(map(one_line, names)), 4)}"
