"""``python bench/clone.py [--runs N]``: what trying things on copies costs, for a schema of 20 tables.

The sides take turns: a rehearsal of one fix, the copy by replay and by dump, ``pg_dump`` piped into ``psql``, the
migrations run by hand with ``psql``, and Prisma's own ``migrate diff`` where npm brings it; at the end the start of a
server of each version, beside one by ``initdb`` each time. Exit status 4 is a failed set-up; otherwise 0 whatever the
figures are.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the file may be started by its path

from bench.interleave import Samples, held, interleave, ratio
from bench.server_start import print_starts
from bench.start import at_home

if TYPE_CHECKING:
    from fixtures.clone.server import CloneServer
    from fixtures.database.login import DatabaseLogin
    from fixtures.facts import Facts
    from tests.support.clone_servers import ON_LOOPBACK
from tests.support.lineage import Live

_EXTRAS = ["test"]
_REHEARSAL_S, _DUMP = 0.5, 1.3  # wanted at most
_LABELS = {
    "rehearse": "a rehearsal: copy, fix, judge, undo, compare, drop",
    "database": "of it: making and dropping the copy",
    "replay": "the copy by replay, with a first copy",
    "dump": "the copy by dump, with a first copy",
    "pipe": "pg_dump | psql",
    "psql": "psql -f for each migration",
    "status": "prisma migrate status",
    "diff": "prisma migrate diff --to-migrations",
}
_DRIFT = 'CREATE INDEX own ON "User" (name)'


def main() -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python bench/clone.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, metavar="N", help="repetitions that count (default: 9)")
    runs: int = max(1, parser.parse_args().runs)
    at_home("bench.clone", _EXTRAS)
    with TemporaryDirectory() as kept, ExitStack() as stack:
        os.environ["XDG_CACHE_HOME"] = kept  # what a run keeps is not this program's to fill
        _print(_measure(stack, runs), runs)
        print_starts(runs)
    return 0


def _measure(stack: ExitStack, runs: int) -> Samples:
    from fixtures.clone.server import clone
    from tests.support.lineage import FRIGG, applied

    last = FRIGG.migrations[-1].name
    environments, clones = stack.enter_context(clone("public")), stack.enter_context(clone("public"))
    failed = stack.enter_context(applied(environments, FRIGG, last))
    failed.record(last, "failed", "ERROR: lock timeout")
    drifted = stack.enter_context(applied(environments, FRIGG))
    drifted.run(_DRIFT)
    whole = stack.enter_context(applied(environments, FRIGG))
    sides: dict[str, Callable[[], object]] = {
        "rehearse": _rehearsal(stack, failed, clones),
        "database": _database(stack, failed, clones),
        "replay": _baseline(stack, whole, clones, dumped=False),
        "dump": _baseline(stack, drifted, clones, dumped=True),
        "pipe": lambda: _by_hand(drifted, clones, dump=True),
        "psql": lambda: _by_hand(drifted, clones, dump=False),
    }
    sides |= _by_npm(stack)
    return interleave(sides, runs)


def _facts(stack: ExitStack, live: Live, clones: CloneServer) -> Facts:
    """What has been read of a database, but for what hangs on a copy."""
    read = live.read().derive({"clone_server": clones})
    stack.callback(read.close)
    for name in ("history", "replay", "migration_effects", "live_schema", "server"):
        read[name]
    return read


def _rehearsal(stack: ExitStack, live: Live, clones: CloneServer) -> Callable[[], object]:
    """Make a copy, apply a fix, judge, undo it, compare, and drop the copy."""
    from health.finding import Fix
    from plugins.run.check_catalog import all_checks
    from plugins.run.fix_rehearsal import FixRehearsal

    read = _facts(stack, live, clones)
    (finding,) = all_checks()["no-failed-migration"].judge(read)
    rows = "UPDATE \"_prisma_migrations\" SET rolled_back_at = {} WHERE migration_name = '{}'"
    body, undo = (rows.format(what, finding.subject) for what in ("now()", "NULL"))
    rehearsal = FixRehearsal(read, "before")

    def prove() -> None:
        shown, refuted = rehearsal.prove(finding, [Fix("sql", "Roll it back", body, undo=undo)])
        if refuted or [fix.proof.status for fix in shown] != ["proven"]:
            raise SystemExit(f"bench: the fix was not proven: {shown} {refuted}")

    return prove


def _database(stack: ExitStack, live: Live, clones: CloneServer) -> Callable[[], object]:
    """Make a copy, and drop it."""
    made = _facts(stack, live, clones)["environment_copy"]

    def copied() -> None:
        with made.copy("bench"):
            pass

    return copied


def _baseline(stack: ExitStack, live: Live, clones: CloneServer, *, dumped: bool) -> Callable[[], object]:
    """Make what copies are made from, and one copy of it."""
    from fixtures.clone.environment_copy import EnvironmentCopy

    read = _facts(stack, live, clones)

    def made() -> None:
        environment_copy = EnvironmentCopy(clones, read["history"], read["live_schema"], read)
        with environment_copy.copy("bench"):
            pass
        environment_copy.close()
        if bool(environment_copy.dumped) is not dumped:
            raise SystemExit(f"bench: dumped: {environment_copy.dumped}")

    return made


def _by_hand(live: Live, clones: CloneServer, *, dump: bool) -> None:
    """A database by ``pg_dump | psql``, or by running every migration's file with ``psql``."""
    from plugins.paths import ROOT
    from tests.support.faults import BINARIES
    from tests.support.lineage import Live

    with clones.database("hand") as copy:
        target = _libpq(Live(clones, copy, live.directory).login)
        command: list[str | Path] = [BINARIES / "psql", "-X", "-q", "-o", os.devnull]
        if dump:
            options = ["--schema-only", "--no-owner", "--no-privileges", "--lock-wait-timeout=2s", "--schema=public"]
            with subprocess.Popen(
                [BINARIES / "pg_dump", *options], stdout=subprocess.PIPE, env=_libpq(live.login)
            ) as source:
                # It says that the schema is there already, and goes on.
                subprocess.run(
                    command, stdin=source.stdout, env=target, check=True, timeout=60, stderr=subprocess.DEVNULL
                )
        else:
            for migration in live.directory.migrations:
                file = ROOT / "sandbox" / "migrations" / migration.name / "migration.sql"
                subprocess.run([*command, "-v", "ON_ERROR_STOP=1", "-f", file], env=target, check=True, timeout=60)


def _libpq(login: DatabaseLogin) -> dict[str, str]:
    known = {"HOST": login.host, "PORT": str(login.port), "USER": login.user, "DATABASE": login.database}
    return {**os.environ, "PGPASSWORD": login.password.reveal(), **{f"PG{name}": each for name, each in known.items()}}


def _by_npm(stack: ExitStack) -> dict[str, Callable[[], object]]:
    """Prisma's own CLI on a database in which the same migrations are applied."""
    from fixtures.clients.private_directory import private_directory
    from fixtures.clone.servers.private_postgres import PrivatePostgres
    from health.secrets.secret import Secret
    from plugins.paths import ROOT
    from tests.engine import prisma

    if (reason := prisma.unavailable()) is not None:
        print(f"bench: Prisma is left out: {reason}", file=sys.stderr)
        return {}
    directory = stack.enter_context(private_directory("bench"))
    server = stack.enter_context(PrivatePostgres(directory, Secret("bench"), settings=ON_LOOPBACK))
    cli = prisma.Cli6(f"postgresql://postgres:bench@127.0.0.1:{server.port}/postgres", ROOT / "sandbox" / "migrations")
    for outcome in (cli.deploy(), cli.status(), cli.diff()):
        if outcome.exit_code:
            raise SystemExit(f"bench: Prisma says {outcome.text}")
    return {"status": cli.status, "diff": cli.diff}


def _print(told: Samples, runs: int) -> None:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{runs} interleaved repetitions after one that does not count, medians; load {load}\n")
    for name, label in _LABELS.items():
        if name in told:
            print(f"  {label:66} {median(told[name]):7.3f} s")
    print()

    print(f"  seconds of a rehearsal: {held(median(told['rehearse']), _REHEARSAL_S)}")
    print(f"  the copy by dump × pg_dump | psql: {held(ratio(told, 'dump', 'pipe'), _DUMP)}")
    for name in ("psql", "status", "diff"):
        if name in told:
            print(f"  a rehearsal × {_LABELS[name]}: {ratio(told, 'rehearse', name):.2f}")


if __name__ == "__main__":
    sys.exit(main())
