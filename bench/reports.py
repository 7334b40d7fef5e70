"""``python bench/reports.py [--runs N]``: what writing the record of many environments costs, in every format.

Under the system's Python it brings ``.venv`` up to date first, as ``ci/gate`` does; under ``.venv``'s own it uses
that as it is. Exit status 4 is a failed set-up, 1 a failed measurement; otherwise 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the file may be started by its path

from bench.process import BenchError, run
from bench.start import at_home

if TYPE_CHECKING:
    from health.report.record import Record

_CHECKS, _FINDINGS = 66, 8  # of an environment
_FEW, _SMALL, _LARGE = 0, 100, 1_000  # environments
_BOUND_S, _BOUND_MB = 2.0, 300.0
_SLACK = 1.3  # of growth that is linear
_SQL = "UPDATE public.\"_prisma_migrations\" SET rolled_back_at = now() WHERE id = 'x';\n" * 25  # 2 KB

Seconds = dict[str, float]  # of the processor, by format


def main() -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python bench/reports.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="repetitions that count (default: 3)")
    parser.add_argument("--once", type=int, metavar="N", help=argparse.SUPPRESS)  # what a child does, for its memory
    options = parser.parse_args()
    at_home("bench.reports", [])
    if options.once is not None:
        _write(_record(options.once))
        return 0
    try:
        _measure(max(1, options.runs))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _measure(runs: int) -> None:
    small, large = _record(_SMALL), _record(_LARGE)
    samples: list[tuple[Seconds, Seconds]] = []
    for number in range(runs + 1):
        print(f"bench: {f'repetition {number} of {runs}' if number else 'warming up'}", file=sys.stderr, flush=True)
        samples.append((_write(small), _write(large)))
    del samples[0]
    once = [sys.executable, "-P", __file__, "--once"]
    peaks = {count: run([*once, str(count)]).peak_mb for count in (_FEW, _SMALL)}
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{runs} repetitions after one that does not count, medians; {os.cpu_count()} cores, load {load}\n")
    print(f"{'format':16} {f'{_SMALL} environments':>18} {'× report.json':>14} {f'growth to {_LARGE:,}':>16}")
    for name in samples[0][0]:
        seconds = median(few[name] for few, _ in samples)
        ratio = median(few[name] / few["report.json"] for few, _ in samples)
        growth = median(many[name] / few[name] for few, many in samples)
        print(f"{name:16} {seconds:16.3f} s {ratio:14.2f} {growth:16.1f}")
    total = median(sum(few.values()) for few, _ in samples)
    growth = median(sum(many.values()) / sum(few.values()) for few, many in samples)
    print(f"{'all':16} {total:16.3f} s {'':14} {growth:16.1f}")
    print(
        f"\npeak memory of a process: {peaks[_FEW]:.0f} MB with what it imports, {peaks[_SMALL]:.0f} MB that writes all"
    )
    print("\nwanted (information only)")
    linear = _LARGE / _SMALL * _SLACK
    for label, value, bound in (
        (f"all formats, {_SMALL} environments × {_CHECKS} checks < {_BOUND_S:g} s", total, _BOUND_S),
        (f"peak memory < {_BOUND_MB:g} MB", peaks[_SMALL], _BOUND_MB),
        (f"growth to {_LARGE:,} environments < {linear:g}", growth, linear),
    ):
        print(f"  {label:52} {value:8.2f}  {'yes' if value < bound else 'no'}")


def _write(record: Record) -> Seconds:
    """Write the record in every format, one after the other."""
    from health.report.junit import properties
    from tests.support.written_formats import FORMATS

    def of_junit(record: Record) -> object:  # the rest of it is pytest's own
        return [list(properties(each.name, each.phase, check)) for each in record.environments for check in each.checks]

    seconds: Seconds = {}
    for name, write in {name: of_junit if name == "junit" else form.write for name, form in FORMATS.items()}.items():
        gc.collect()
        began = time.process_time()
        write(record)
        seconds[name] = time.process_time() - began
    return seconds


def _record(environments: int) -> Record:
    """A record with eight findings of four kinds in each environment, each with SQL and a place."""
    from dataclasses import replace

    from health.finding import Finding, Fix, Place
    from health.report.record import judge_environment
    from health.report.results import FindingResult
    from tests.support import records

    codes = ("failed-migration", "pending-migration-fails", "pending-sql-remark", "edited-migration")

    def finding(number: int) -> FindingResult:
        name = f"2026010100000{number}_step"
        place = Place(f"/checkout/prisma/migrations/{name}/migration.sql", number + 1)
        found = Finding(codes[number % len(codes)], name, "It is wrong, and a deploy stops there. " * 5, place=place)
        return FindingResult.of(found, "error", None, [Fix("sql", "Mark it as rolled back", _SQL, undo=_SQL)])

    made = []
    for number in range(environments):
        name = f"env-{number:04}"
        checks = [
            records.check("no-failed-migration", "history", name, "failed", finding(each)) for each in range(_FINDINGS)
        ]
        checks += [records.check("ssh-key", "tunnel", name, "passed") for _ in range(_CHECKS - _FINDINGS)]
        checks = [replace(each, nodeid=f"{each.nodeid}{count}") for count, each in enumerate(checks)]
        made.append(judge_environment(name, "before", checks, frozenset()))
    return records.record(*made)


if __name__ == "__main__":
    sys.exit(main())
