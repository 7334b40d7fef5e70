"""``python bench/drift.py [--runs N] [--tables N]``: what it costs to hold a large schema against its migrations.

A drift answer is measured beside the bare question that it rests on, asked in the same session: the fingerprint's where
nothing differs, the catalog's where one column does. Exit status 4 is a failed set-up; otherwise 0 whatever the
figures are.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the file may be started by its path

from bench.interleave import held, interleave, ratio
from bench.start import at_home

if TYPE_CHECKING:
    from fixtures.facts import Facts
    from tests.support.lineage import Live

_EXTRAS: list[str] = []
_EQUAL, _DIFFERENT = 1.5, 3.0  # wanted at most
_SMALL = 1_000  # tables that a script makes in time, also on a busy machine

# In transactions of 50 tables: more would be more locks than a server has room for.
_TABLES = """
DO $$ BEGIN
  FOR i IN {first}..{last} LOOP
    EXECUTE format('CREATE TABLE "Table%s" (id serial PRIMARY KEY, name text NOT NULL DEFAULT '''', number int,
                    at timestamptz DEFAULT now(), CHECK (number > 0))', i);
    EXECUTE format('CREATE INDEX "Table%s_name" ON "Table%s" (lower(name)) WHERE number > 1', i, i);
    EXECUTE format('ALTER TABLE "Table%s" ADD FOREIGN KEY (number) REFERENCES "Table%s" ON DELETE CASCADE', i, i);
    IF i % 50 = 0 THEN COMMIT; END IF;
  END LOOP;
END $$
"""
_CHANGE = 'ALTER TABLE "Table1" ADD COLUMN own int'


def main() -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python bench/drift.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="repetitions that count (default: 5)")
    parser.add_argument("--tables", type=int, default=10_000, metavar="N", help="in the schema (default: 10000)")
    options = parser.parse_args()
    at_home("bench.drift", _EXTRAS)
    with TemporaryDirectory() as kept:
        os.environ["XDG_CACHE_HOME"] = kept  # what a run keeps is not this program's to fill
        _measure(max(options.runs, 1), max(options.tables, 1))
    return 0


def _measure(runs: int, tables: int) -> None:
    from fixtures.clone.replay import replay as replayed
    from fixtures.clone.server import clone
    from fixtures.database.catalog_queries import fingerprint_question, questions
    from tests.support.lineage import applied, directory

    scripts = {
        f"{number:04}_tables": _TABLES.format(first=first, last=min(first + _SMALL - 1, tables))
        for number, first in enumerate(range(1, tables + 1, _SMALL))
    }
    began = time.monotonic()
    with clone("public") as server, applied(server, directory(scripts)) as live:
        made_s, schema = time.monotonic() - began, "public"
        live.run("VACUUM ANALYZE")  # as a server's own would have been
        print(f"{tables} tables, made in {made_s:.0f} s; {runs} repetitions after one that does not count\n")

        def ask(*asked: Any) -> Callable[[], object]:
            return lambda: live.copy.session.read(*asked)

        read = live.read()
        began = time.monotonic()
        replay = replayed(live.directory, read["replays"])  # itself: a fact must be read within a minute
        print(f"  {'the replay, once for these migrations':44} {time.monotonic() - began:8.2f} s")
        if replay.problem or replay.failed:
            raise SystemExit(f"bench: {replay.problem or replay.failed}")
        if read["replays"].fingerprint(live.directory.migrations) is None:
            raise SystemExit("bench: what the migrations make is not known")
        read = read.derive({"replay": replay})
        print("\n  nothing differs")
        _compare("fingerprint", runs, ask(fingerprint_question(schema)), lambda: _answer(live, read, 0), _EQUAL)
        live.run(_CHANGE)
        print("  a column differs")
        _compare("catalog", runs, ask(*questions(schema)), lambda: _answer(live, read, 1), _DIFFERENT)
        read.close()


def _compare(name: str, runs: int, bare: Callable[[], object], answer: Callable[[], object], wanted: float) -> None:
    """Take turns, and print the medians with the median of the turns' own ratios."""
    told = interleave({"bare": bare, "answer": answer}, runs)
    print(f"  {f'the bare query of the {name}':44} {median(told['bare']):8.3f} s")
    print(f"  {'a drift answer':44} {median(told['answer']):8.3f} s")
    print(f"  ratio {held(ratio(told, 'answer', 'bare'), wanted)}\n")


def _answer(live: Live, read: Facts, found: int) -> None:
    """The fact read anew, with what it needs from the database."""
    anew = read.derive({"catalog_session": live.copy.session})
    differences = len(anew["drift"].differences)
    anew.close()
    if differences != found:
        raise SystemExit(f"bench: {differences} differences were found, and {found} made")


if __name__ == "__main__":
    sys.exit(main())
