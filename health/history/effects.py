"""What of a migration's script took effect, told by the objects in the database; the row does not tell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from health.catalog.catalog import Catalog, Key, describe_some
from health.catalog.changes import Change, Replay
from health.history.history import History, matches
from health.migrations.directory import ENDS_A_DEPLOY, file_problem
from health.sql.statements import harmless

Extent = Literal["nothing", "all", "part", "unknown"]


@dataclass(frozen=True)
class MissingStatements:
    """The statements of a script that have not taken effect yet.

    Attributes:
        numbers: their places in the script, from 0.
        statements: in their order; empty where they could not be told, which ``reason`` explains.
        atomic: whether they run together in one transaction.
        traceless: statements of the script that change data only: whether they ran cannot be seen.
    """

    numbers: tuple[int, ...] = ()
    statements: tuple[str, ...] = ()
    atomic: bool = True
    traceless: int = 0
    reason: str = ""


@dataclass(frozen=True)
class MigrationEffect:
    """How much of a migration is in the catalog.

    Attributes:
        extent: of its effects that no later migration has overwritten.
        done: the objects that are as the script leaves them.
        missing: those that are as they were before it.
        kept: those of the missing ones that the script drops, and that are still there.
        differing: those that are neither.
        reason: why ``extent`` is unknown.
        repair: what would complete it, where a part is there.
        again: why the whole script fails when it is run on top of what is there; None if it does not.
        unseen: statements that leave no trace in the catalog and may have run, as they commit by themselves.
        ran: where a part is there, the statements that ran, by their places, as the whole schema tells.
        midway: the invalid indexes that it has left, as it ended in the middle of making them.
    """

    extent: Extent
    done: tuple[Key, ...] = ()
    missing: tuple[Key, ...] = ()
    differing: tuple[Key, ...] = ()
    reason: str = ""
    repair: MissingStatements = MissingStatements()
    again: str | None = None
    unseen: tuple[str, ...] = ()
    ran: tuple[int, ...] = ()
    midway: tuple[Key, ...] = ()
    kept: tuple[Key, ...] = ()


NOT_LOOKED_FOR = MigrationEffect("unknown", reason="it was not looked for")


@dataclass(frozen=True)
class FailedMigration:
    """A migration with a failed row, and what its script left behind."""

    history: History
    name: str
    effect: MigrationEffect = NOT_LOOKED_FOR

    @property
    def kind(self) -> Literal["failed and applied", "half applied", "failed", "crashed"]:
        """How it failed: ``crashed`` without an error text, which a killed worker leaves."""
        if self.name in self.history.applied:
            return "failed and applied"
        if self.effect.extent == "part":
            return "half applied"
        return "failed" if any(row.logs for row in self.history.failed_by_name[self.name]) else "crashed"

    @property
    def edited_since(self) -> bool:
        """Whether the file that a deploy would run is no longer the one that failed."""
        migration, row = self.history.directory.by_name.get(self.name), self.history.failed_by_name[self.name][-1]
        if migration is None or migration.sql is None or self.name in self.history.applied:
            return False
        return not matches(migration, row)


class EffectReader:
    """Tells of any migration what of it took effect: the directory, its replay and the live catalog held together."""

    def __init__(self, history: History, replay: Replay, catalog: Catalog) -> None:
        self._replay, self._objects, self._applied = replay, catalog.objects, history.applied
        self._places = {migration.name: place for place, migration in enumerate(history.directory.migrations)}
        # What an applied migration has overwritten tells nothing of earlier ones.
        self._last_writer = {
            change.key: place
            for name, place in self._places.items()
            if name in history.applied
            for change in replay.changes.get(name, ())
        }

    def of(self, name: str) -> MigrationEffect:
        """What of one migration took effect."""
        unknown = self._replay.unknown(name)
        if unknown is not None:
            return MigrationEffect("unknown", reason=unknown)
        return self.of_changes(name, self._replay.changes[name])

    def of_changes(self, name: str, changes: Sequence[Change]) -> MigrationEffect:
        """What of these effects of a migration is to be seen."""
        standing: dict[str, list[Key]] = {"done": [], "missing": [], "differing": []}
        for change in changes:
            if not self._overwritten(name, change):
                standing[_standing(change, self._objects)].append(change.key)
        done, missing, differing = (tuple(keys) for keys in standing.values())
        if not (done or missing or differing):
            return MigrationEffect("unknown", reason="its script leaves no trace of its own in the catalog")
        dropped = {change.key for change in changes if change.after is None}
        extent: Extent = "part" if differing or (done and missing) else "all" if done else "nothing"
        return MigrationEffect(extent, done, missing, differing, kept=tuple(key for key in missing if key in dropped))

    def _overwritten(self, name: str, change: Change) -> bool:
        if self._last_writer.get(change.key, -1) > self._places[name]:
            return True
        made = self._replay.expected
        return made is not None and name in self._applied and made.get(change.key) != change.after


def foreseen(history: History, *failing: Mapping[str, str]) -> History:
    """The history with the migrations in which a deploy is known to fail, and its codes."""
    marked = {each.name: "P3018" for each in history.pending if file_problem(each) in ENDS_A_DEPLOY}
    known = dict(history.failing)
    for each in (marked, *failing):
        known |= {name: code for name, code in each.items() if name not in known}
    return replace(history, failing=known)


def repair(steps: Sequence[tuple[str, tuple[Change, ...]]], objects: Mapping[Key, str]) -> MissingStatements:
    """Which statements of a script are still to be run.

    Args:
        steps: each statement with what it changed when the script was run one statement at a time.
        objects: the live catalog.
    """
    reached = _reached(steps, objects)
    if reached is None:
        return MissingStatements(reason="an object of it is neither as before its script nor as after it")
    remaining = []
    traceless = 0
    for number, (statement, changes) in enumerate(steps):
        standing = {reached[change.key] >= number for change in changes if change.key in reached}
        if not standing:
            traceless += 1
        elif standing == {False}:
            remaining.append((number, statement))
        elif standing == {True, False}:
            return MissingStatements(reason="one of its statements has taken effect in part")
    if remaining and traceless:
        reason = "statements of it change data only: whether they ran cannot be seen"
        return MissingStatements(traceless=traceless, reason=reason)
    return MissingStatements(
        tuple(number for number, _ in remaining),
        tuple(statement for _, statement in remaining),
        traceless=traceless,
    )


def missing(statements: Sequence[str], ran: Collection[int]) -> MissingStatements:
    """All statements but those that ran, by their places."""
    left = [number for number in range(len(statements)) if number not in ran]
    return MissingStatements(tuple(left), tuple(statements[number] for number in left))


def unseen(
    steps: Sequence[tuple[str, tuple[Change, ...]]], transactions: Sequence[int], objects: Mapping[Key, str]
) -> tuple[str, ...]:
    """Which statements of a script may have run, or not, without the catalog telling.

    They change nothing in it, nor does anything that commits with them, and they stand behind all that has taken
    effect and before all that has not.

    Args:
        steps: each statement with what it changed when the script was run one statement at a time.
        transactions: the number of the transaction in which each of them commits.
        objects: the live catalog.
    """
    reached = _reached(steps, objects)
    seen, missing, telling = -1, len(steps), set()
    for number, (_, changes) in enumerate(steps):
        keys = [change.key for change in changes if reached is not None and change.key in reached]
        if keys or (changes and reached is None):
            telling.add(transactions[number])
        if keys and all(reached is not None and reached[key] >= number for key in keys):
            seen = max(seen, transactions[number])
        elif keys:
            missing = min(missing, transactions[number])
    return tuple(
        statement
        for number, (statement, _) in enumerate(steps)
        if transactions[number] not in telling
        and (seen < transactions[number] < missing or seen > missing)
        and not harmless(statement)
    )


def _standing(change: Change, objects: Mapping[Key, str]) -> str:
    live = objects.get(change.key)
    if live == change.after:
        return "done"
    # What the script drops is simply still there, whatever it looks like by now.
    return "missing" if live is None or live == change.before or change.after is None else "differing"


def _reached(steps: Iterable[tuple[str, tuple[Change, ...]]], objects: Mapping[Key, str]) -> dict[Key, int] | None:
    """For each object, the number of the last statement whose effect on it can be seen; -1 for none."""
    chains: dict[Key, list[tuple[int, Change]]] = {}
    for number, (_, changes) in enumerate(steps):
        for change in changes:
            chains.setdefault(change.key, []).append((number, change))
    reached = {}
    for key, chain in chains.items():
        live = objects.get(key)
        before = chain[0][1].before
        seen = [number for number, change in chain if change.after == live]
        if seen and live == before:
            continue  # made and dropped again by the same script: it tells nothing
        if not seen and live not in (before, None):
            return None
        reached[key] = seen[-1] if seen else -1
    return reached


def objects_in_words(told: MigrationEffect) -> str:
    """Say how many of the objects of a migration are as it leaves them, and which are missing or different."""
    total = len(told.done) + len(told.missing) + len(told.differing)
    parts = [f"{len(told.done)} of its {total} objects {'is' if len(told.done) == 1 else 'are'} there"]
    if (missing := [key for key in told.missing if key not in told.kept]) and told.done:
        parts.append(f"missing: {describe_some(missing)}")
    if told.kept:
        parts.append(f"not dropped: {describe_some(told.kept)}")
    if told.differing:
        parts.append(f"different: {describe_some(told.differing)}")
    return "; ".join(parts) + "."
