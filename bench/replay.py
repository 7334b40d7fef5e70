"""``python bench/replay.py [--runs N] [--migrations N]``: what running the migrations of a large directory costs.

The sides take turns on one server: this suite, and Prisma's own engine with the same files where npm brings it, else
``psql``. Exit status 4 is a failed set-up; otherwise 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the file may be started by its path

from bench.interleave import Samples, held, interleave, ratio
from bench.start import at_home

if TYPE_CHECKING:
    from fixtures.clone.server import CloneServer
    from fixtures.clone.servers import RunningServer
    from fixtures.facts import Facts
    from health.migrations.directory import MigrationDirectory
    from tests.support.lineage import Live

_EXTRAS = ["test"]
_ROWS, _SQUASHED = 20_000, 300
_COLD, _WARM_S, _PENDING, _INSERTS, _SQUASH_S = 2.0, 0.3, 3.0, 2.0, 10.0  # wanted at most
_INSERT = "INSERT INTO \"T\" VALUES ({number}, 'row {number}');\n"
_ANSWERS = ("as_migrated", "drift", "migration_effects", "applied_effects")


def main() -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python bench/replay.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="repetitions that count (default: 3)")
    parser.add_argument("--migrations", type=int, default=800, metavar="N", help="of the directory (default: 800)")
    options = parser.parse_args()
    at_home("bench.replay", _EXTRAS)
    from fixtures.clone.server import clone, embedded

    with TemporaryDirectory() as place, ExitStack() as owned:
        running, description = embedded(owned)
        server = owned.enter_context(clone("public", lambda _: (running, description)))
        bench = _Bench(server, running, Path(place), max(options.runs, 1))
        bench.whole(max(options.migrations, 4))
        bench.pending(max(options.migrations, 4), max(options.migrations // 4, 1))
        bench.inserts()
        bench.squash()
    return 0


class _Bench:
    def __init__(self, server: CloneServer, running: RunningServer, place: Path, runs: int) -> None:
        from tests.engine import prisma

        self._server, self._running, self._place, self._runs = server, running, place, runs
        self._missing = prisma.unavailable()
        self._other = "prisma migrate deploy, its engine" if self._missing is None else "psql -f for each file"
        if self._missing:
            print(f"bench: psql stands in for the engine: {self._missing}", file=sys.stderr)
        load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
        print(f"{runs} interleaved repetitions after one that does not count, medians; load {load}\n")

    def whole(self, count: int) -> None:
        """All migrations applied: nothing kept, then all kept."""
        from tests.support.lineage import applied, directory
        from tests.support.real_shape import scripts

        made = scripts(count)
        files = self._write("whole", made)
        with applied(self._server, directory(made)) as live:
            told = self._turns(
                {
                    self._other: lambda: self._deploy(files),
                    "cold": lambda: self._answer(live, _ANSWERS, copy=True),
                    "warm": lambda: self._answer(live, _ANSWERS, keep=True),
                },
                {
                    "cold": "cold: is the schema what they make, and a copy of it",
                    "warm": "warm: is the schema what they make",
                },
                f"{count} migrations, all applied",
            )
        print(f"  cold × the other side: {held(ratio(told, 'cold', self._other), _COLD)}")
        print(f"  seconds warm: {held(median(told['warm']), _WARM_S)}\n")

    def pending(self, count: int, coming: int) -> None:
        """The last migrations are pending."""
        from tests.support.lineage import directory
        from tests.support.real_shape import scripts

        made = scripts(count)
        files = self._write("pending", made)
        names = list(made)[: count - coming]
        with self._deployed(directory(made), names) as there, self._deployed(directory(made), names) as alike:
            alike.copy.close()
            before = alike.copy.name
            told = self._turns(
                {
                    self._other: lambda: self._deploy(files, before, names),
                    "schema": lambda: self._answer(there, ("drift", "recorded_effects")),
                    "forecast": lambda: self._answer(there, ("forecast",)),
                },
                {
                    "schema": "cold: is the schema what the applied ones make",
                    "forecast": "cold: the same, and the forecast",
                },
                f"{coming} of {count} migrations pending",
            )
        print(f"  forecast × the other side: {held(ratio(told, 'forecast', self._other), _PENDING)}\n")

    def inserts(self) -> None:
        """One file of many INSERTs: applied, and failed."""
        from tests.support.lineage import applied, directory

        rows = "".join(_INSERT.format(number=number) for number in range(_ROWS))
        made = {"1_table": 'CREATE TABLE "T" (id int PRIMARY KEY, name text);', "2_rows": rows}
        files = self._write("inserts", made)
        broken = directory({**made, "2_rows": rows + 'CREATE TABLE "U" (id int);'})
        with applied(self._server, directory(made)) as live, applied(self._server, broken, "2_rows") as failed:
            failed.run('CREATE TABLE "U" (id int);')
            failed.record("2_rows", "failed", "ERROR: it failed")
            told = self._turns(
                {
                    "psql": lambda: self._psql(files),
                    "applied": lambda: self._answer(live, _ANSWERS, copy=True),
                    "apart": lambda: self._answer(live, _ANSWERS, copy=True, version="7.10.1"),
                    "failed": lambda: self._answer(failed, ("recorded_effects",)),
                },
                {
                    "psql": "psql -f",
                    "applied": "cold: is the schema what it makes, and a copy of it",
                    "apart": "the same, as Prisma 7.10.1 sends it",
                    "failed": "cold: what of it took effect where it failed, statement by statement",
                },
                f"one file of {_ROWS:,} INSERTs",
            )
        for side in ("applied", "apart", "failed"):
            print(f"  {side} × psql: {held(ratio(told, side, 'psql'), _INSERTS)}")
        print()

    def squash(self) -> None:
        """The rows of many migrations, and one file that makes what they made."""
        from tests.support.lineage import applied, directory
        from tests.support.real_shape import scripts

        made = scripts(_SQUASHED, growing=True)
        with applied(self._server, directory(made)) as live:
            live.directory = directory({"20300101000000_squash": "\n".join(made.values())})
            self._fresh()
            began = time.monotonic()
            found = live.findings()
            passed = time.monotonic() - began
            codes = sorted({each.code for each in found})
        print(f"{_SQUASHED} orphaned rows of a squash: {len(found)} findings ({', '.join(codes)})")
        print(f"  seconds: {held(passed, _SQUASH_S)}")

    def _turns(self, sides: Mapping[str, Callable[[], object]], labels: Mapping[str, str], title: str) -> Samples:
        told = interleave(sides, self._runs)
        print(title)
        for name in sides:
            print(f"  {labels.get(name, name):76} {median(told[name]):7.3f} s")
        return told

    def _fresh(self) -> None:
        os.environ["XDG_CACHE_HOME"] = str(self._place / f"kept-{uuid4()}")

    def _answer(
        self, live: Live, names: tuple[str, ...], *, keep: bool = False, copy: bool = False, version: str = "6.19.3"
    ) -> None:
        """Read facts anew, as a run does whose server is there."""
        from health.prisma.version import PrismaVersion

        if not keep:
            self._fresh()
        read: Facts = live.read().derive({"prisma": PrismaVersion(version, "bench")})
        try:
            for name in names:
                read[name]
            if copy:
                with read["environment_copy"].copy("bench"):
                    pass
        finally:
            read.close()

    def _write(self, name: str, made: Mapping[str, str]) -> Path:
        for each, script in made.items():
            (self._place / name / each).mkdir(parents=True)
            (self._place / name / each / "migration.sql").write_text(script)
        (self._place / name / "migration_lock.toml").write_text('provider = "postgresql"\n')
        return self._place / name

    @contextmanager
    def _database(self, template: str = "template1") -> Iterator[str]:
        """The address of a database of the clone's server."""
        from psycopg import connect
        from psycopg.sql import SQL, Identifier

        running, name = self._running, f"bench_{uuid4().hex}"
        address = f"postgresql://{running.user}:{running.password.reveal()}@{running.host}:{running.port}"
        with connect(f"{address}/{running.database}", autocommit=True) as admin:
            admin.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
            try:
                yield f"{address}/{name}"
            finally:
                admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))

    @contextmanager
    def _deployed(self, made: MigrationDirectory, names: list[str]) -> Iterator[Live]:
        """A database in which these are applied and recorded."""
        from tests.support.lineage import live

        with live(self._server, made) as there:
            for name in names:
                there.run(made.by_name[name].sql or "")
                there.record(name)
            yield there

    def _deploy(self, files: Path, template: str = "template1", done: Collection[str] = ()) -> None:
        from tests.engine import prisma

        with self._database(template) as url:
            if self._missing is not None:
                self._by_psql(url, files, done)
                return
            outcome = prisma.Engine6(url, files).deploy()
            if outcome.exit_code:
                raise SystemExit(f"bench: Prisma says {outcome.text}")

    def _psql(self, files: Path) -> None:
        with self._database() as url:
            self._by_psql(url, files, ())

    @staticmethod
    def _by_psql(url: str, files: Path, done: Collection[str]) -> None:
        from tests.support.faults import BINARIES

        listed = (each for each in sorted(files.iterdir()) if each.is_dir() and each.name not in done)
        given = [part for each in listed for part in ("-f", each / "migration.sql")]
        command = [BINARIES / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *given, url]
        subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
