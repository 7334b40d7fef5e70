"""Which migrations a database without a history has seen."""

from __future__ import annotations

from dataclasses import dataclass

from health.catalog.catalog import Catalog, Key
from health.catalog.changes import Replay, changed_by
from health.migrations.directory import MigrationDirectory


@dataclass(frozen=True)
class Prefix:
    """The first ``count`` migrations, and in what the database differs from what they leave."""

    count: int
    missing: tuple[Key, ...]
    differing: tuple[Key, ...]


def best_prefix(directory: MigrationDirectory, replay: Replay, catalog: Catalog) -> Prefix:
    """The prefix of the directory that leaves what is most like the database, the longest of equals.

    Only objects count that some migration touches. Every migration must have been replayed.
    """
    live = catalog.objects
    touched = changed_by(replay.changes.values())
    expected: dict[Key, str | None] = dict.fromkeys(touched)
    wrong = {key for key in touched if key in live}
    best, best_expected = (0, len(wrong)), dict(expected)
    for count, migration in enumerate(directory.migrations, 1):
        for change in replay.changes[migration.name]:
            expected[change.key] = change.after
            if live.get(change.key) == change.after:
                wrong.discard(change.key)
            else:
                wrong.add(change.key)
        if len(wrong) <= best[1]:
            best, best_expected = (count, len(wrong)), dict(expected)
    differences = [key for key in sorted(touched) if live.get(key) != best_expected[key]]
    return Prefix(
        best[0],
        tuple(key for key in differences if key not in live),
        tuple(key for key in differences if key in live),
    )
