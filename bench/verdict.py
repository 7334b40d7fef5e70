"""``python bench/verdict.py [--runs N] [--migrations N …]``: what it costs to find out what happened.

Nothing wrong, one thing wrong, and two, in directories of several sizes, each held against one replay of all files on
the same server. Exit status 4 is a failed set-up; otherwise 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the file may be started by its path

from bench.interleave import held, interleave, ratio
from bench.start import at_home

if TYPE_CHECKING:
    from fixtures.clone.server import CloneServer
    from health.migrations.directory import MigrationDirectory
    from tests.support.lineage import Live

_EXTRAS = ["test"]
_SIZES = (10, 100, 400, 800)
_NOTHING, _SEARCH_S = 1.5, 30.0  # wanted at most: replays where nothing is wrong, seconds of a search


def main() -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python bench/verdict.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="repetitions that count (default: 3)")
    parser.add_argument("--migrations", type=int, nargs="+", default=_SIZES, metavar="N", help="of each directory")
    options = parser.parse_args()
    at_home("bench.verdict", _EXTRAS)
    from fixtures.clone.server import clone

    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{options.runs} interleaved repetitions after one that does not count, medians; load {load}\n")
    with TemporaryDirectory() as place, clone("public") as server:
        for size in options.migrations:
            _measure(server, Path(place), max(size, 10), max(options.runs, 1))
    return 0


def _measure(server: CloneServer, place: Path, size: int, runs: int) -> None:
    from tests.support.lineage import directory
    from tests.support.real_shape import scripts

    made = directory(scripts(size, growing=True))
    with ExitStack() as states:
        well, hand, two = (states.enter_context(_state(server, made, wrong)) for wrong in range(3))
        told = interleave(
            {
                "replay": lambda: _replay(server, made),
                "nothing": lambda: _judge(well, place),
                "one": lambda: _judge(hand, place),
                "two": lambda: _judge(two, place),
            },
            runs,
        )
    print(f"{size} migrations")
    for name, label in (
        ("replay", "one replay, and one look at the schema"),
        ("nothing", "cold: nothing is wrong"),
        ("one", "cold: a column was dropped by hand"),
        ("two", "cold: and the row of another migration was deleted"),
    ):
        print(f"  {label:60} {median(told[name]):7.3f} s")
    print(f"  nothing wrong × one replay: {held(ratio(told, 'nothing', 'replay'), _NOTHING)}")
    print(f"  seconds with two: {held(median(told['two']), _SEARCH_S)}\n")


@contextmanager
def _state(server: CloneServer, made: MigrationDirectory, wrong: int) -> Iterator[Live]:
    """All are applied, and so many things are wrong."""
    from psycopg.sql import SQL, Identifier

    from tests.support.lineage import applied

    with applied(server, made) as live:
        if wrong:
            column = next(each for each in live.copy.catalog().columns if each.name.startswith("field"))
            drop = SQL("ALTER TABLE {} DROP COLUMN {}").format(Identifier(column.table), Identifier(column.name))
            live.run(drop.as_string(None))
        if wrong > 1:
            gone = SQL("DELETE FROM _prisma_migrations WHERE migration_name = {}").format(made.migrations[-1].name)
            live.run(gone.as_string(None))
        yield live


def _replay(server: CloneServer, made: MigrationDirectory) -> None:
    with server.database("replay") as copy:
        for migration in made.migrations:
            copy.run(migration.sql or "")
        copy.catalog()


def _judge(live: Live, place: Path) -> None:
    """Nothing is kept from before."""
    os.environ["XDG_CACHE_HOME"] = str(place / f"kept-{uuid4()}")
    read = live.read()
    try:
        read["applied_effects"]
        read["migration_effects"]
    finally:
        read.close()


if __name__ == "__main__":
    sys.exit(main())
