"""``python bench/history.py [--runs N]``: what judging a large migration history costs, and reading its directory.

Under the system's Python it brings ``.venv`` up to date first, as ``ci/gate`` does; under ``.venv``'s own it uses
that as it is. Exit status 4 is a failed set-up; otherwise 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the file may be started by its path

from bench.start import at_home

if TYPE_CHECKING:
    from health.check import Check
    from health.history.history import History
    from health.history.rows import Row
    from health.migrations.directory import Migration

_EXTRAS: list[str] = []
_MIGRATIONS, _ROWS = 2_000, 10_000  # what the bound is about
_EACH = _ROWS // _MIGRATIONS
_SMALL, _LARGE = 2_000, 20_000  # rows, for the growth
_BOUND_S = 0.2
_VERDICT, _CHECK = "History.", "check "  # what the names of parts begin with
_SCRIPT = "".join(f'ALTER TABLE "Entity" ADD COLUMN "column_%d_{line}" TEXT;\n' for line in range(20))  # 1 KB
_NOW = datetime(2026, 1, 1, tzinfo=UTC)

Sums = Callable[["Migration", int], str]


@dataclass(frozen=True)
class Shape:
    """A kind of history.

    Attributes:
        label: how the table of figures names it.
        states: of a migration's rows by their start, repeated as needed: ``applied``, ``failed``, ``rolled back``.
        sums: the checksum that the row of this number records; None for the file's own.
        names: whose rows they are: each migration's, all of the ``first``, or of ``orphans``.
        locked: whether a session holds the migration lock.
    """

    label: str
    states: tuple[str, ...] = ("rolled back",) * (_EACH - 1) + ("applied",)
    sums: Sums | None = None
    names: str = "each"
    locked: bool = False


def main() -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python bench/history.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="repetitions that count (default: 5)")
    runs: int = max(1, parser.parse_args().runs)
    at_home("bench.history", _EXTRAS)
    try:
        _measure(runs)
    except KeyboardInterrupt:
        return 130
    return 0


def _measure(runs: int) -> None:
    checks = _checks()
    figures = []
    for shape in _shapes():
        print(f"bench: {shape.label}", file=sys.stderr, flush=True)
        small, bound, large = (_build(shape, rows) for rows in (_SMALL, _ROWS, _LARGE))
        figures.append(_Figure(shape.label))
        for number in range(runs + 1):
            judged, few, many = (_judge(history, checks) for history in (bound, small, large))
            if number:  # the first does not count
                figures[-1].samples.append(judged)
                figures[-1].growth.append(sum(many.values()) / sum(few.values()))
    print("bench: reading a directory", file=sys.stderr, flush=True)
    readings = [_read_twice() for _ in range(runs + 1)][1:]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{runs} repetitions after one that does not count, medians; {os.cpu_count()} cores, load {load}\n")
    _print_judging(figures)
    _print_reading(readings)


@dataclass(frozen=True)
class _Figure:
    """What was measured of one shape: part → seconds of each repetition, and the ratio of many rows to few."""

    label: str
    samples: list[dict[str, float]] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)

    def seconds(self, part: str = "") -> float:
        """The median of all parts whose names begin so."""
        return median(sum(s for name, s in sample.items() if name.startswith(part)) for sample in self.samples)

    @property
    def slowest(self) -> str:
        """The part that takes longest, and its share."""
        part = max(self.samples[0], key=self.seconds)
        return f"{part}, {self.seconds(part) / self.seconds():.0%}"


def _print_judging(figures: list[_Figure]) -> None:
    print(f"{'history':42} {'growth':>6} {'× plain':>8} {'verdicts':>9} {'checks':>9}  slowest part")
    for figure in figures:
        print(
            f"{figure.label:42} {median(figure.growth):6.1f} {figure.seconds() / figures[0].seconds():8.1f} "
            f"{figure.seconds(_VERDICT):7.3f} s {figure.seconds(_CHECK):7.3f} s  {figure.slowest}"
        )
    print(f"growth: {_LARGE:,} rows against {_SMALL:,}; {_LARGE // _SMALL} is linear. × plain: against the first line.")
    print(f"verdicts, checks: {_MIGRATIONS:,} migrations and {_ROWS:,} rows, seconds of the processor.")
    print("\nwanted (information only)")
    for label, value in (
        ("verdicts of the worst history", max(figure.seconds(_VERDICT) for figure in figures)),
        ("plain history, verdicts and checks", figures[0].seconds()),
        ("worst history, verdicts and checks", max(figure.seconds() for figure in figures)),
    ):
        print(f"  {f'{label} < {_BOUND_S} s':44} {value:7.3f}  {'yes' if value < _BOUND_S else 'no'}")


def _print_reading(samples: list[tuple[float, float, int, int]]) -> None:
    first, second, computed, again = (median(column) for column in zip(*samples, strict=True))
    ratio = median(sample[1] / sample[0] for sample in samples)
    print(f"\nreading {_MIGRATIONS:,} migrations from disk, the second time in a run against the first: {ratio:.2f}")
    print(f"  {first:.3f} s and {second:.3f} s; checksums computed: {computed:,.0f} and {again:,.0f}")


def _shapes() -> list[Shape]:
    from health.prisma.engine import checksum

    def with_crlf(migration: Migration, _: int) -> str:
        return checksum((migration.sql or "").replace("\n", "\r\n"))

    def old_form(migration: Migration, _: int) -> str:
        digest = bytes.fromhex(with_crlf(migration, 0))
        return "".join(f"{octet:x}" for octet in digest)

    return [
        Shape("plain: applied at the fifth attempt"),
        Shape("all applied five times", ("applied",)),
        Shape("all failed", ("failed",)),
        Shape("all failed, the lock is held", ("failed",), locked=True),
        Shape("all rolled back, so all pending", ("rolled back",)),
        Shape("all rows orphaned, all pending", ("applied",), names="orphans"),
        Shape("all rows of one name, the rest pending", names="first"),
        Shape("all failed rows of one name", ("failed",), names="first"),
        Shape("only the last migration applied", ("applied",), names="last"),
        Shape("checksums of the text with CRLF", sums=with_crlf),
        Shape("checksums of that in the old form", sums=old_form),
        Shape("checksums of other texts", sums=lambda _, number: checksum(str(number))),
        Shape("checksums written by hand", ("applied",), sums=lambda *_: "manual"),
    ]


def _build(shape: Shape, rows: int) -> History:
    """A history of this shape, with a fifth as many migrations as rows."""
    from health.history.history import History
    from health.history.rows import HistoryTable, LockHolder
    from health.migrations.directory import MigrationDirectory

    migrations = _migrations(rows // _EACH)
    whose = {"first": migrations[:1], "last": migrations[-1:]}.get(shape.names, migrations)
    recorded = HistoryTable(
        "public",
        table_exists=True,
        rows=tuple(_row(shape, whose, number, rows) for number in range(rows)),
        read_at=_NOW,
        lock_holder=LockHolder(1, "bench", _NOW, 1.0) if shape.locked else None,
    )
    return History(MigrationDirectory("migrations", "bench", migrations), recorded)


def _migrations(count: int) -> tuple[Migration, ...]:
    from health.migrations.directory import Migration
    from health.prisma.engine import checksum

    scripts = [_SCRIPT.replace("%d", str(number)) for number in range(count)]
    return tuple(Migration(f"{20200101000000 + n}_step", text, checksum(text)) for n, text in enumerate(scripts))


def _row(shape: Shape, whose: tuple[Migration, ...], number: int, rows: int) -> Row:
    from health.history.rows import Row

    migration = whose[number * len(whose) // rows]
    state = shape.states[number % len(shape.states)]
    started = _NOW - timedelta(minutes=rows - number)
    return Row(
        f"id-{number}",
        shape.sums(migration, number) if shape.sums else migration.checksum or "",
        started if state == "applied" else None,
        f"orphan_{number}" if shape.names == "orphans" else migration.name,
        None,
        started if state == "rolled back" else None,
        started,
        0,
    )


def _checks() -> dict[str, tuple[Check, dict[str, Any]]]:
    """The checks of the history, each with the other facts it needs: as where there is neither clone nor git."""
    from health.config.environment import Environment
    from health.history.provenance import Provenance
    from plugins.run.check_catalog import all_checks

    others = {"migration_effects": {}, "provenance": Provenance(), "environment": Environment("bench", "bench")}
    return {
        name: (check, {need: others[need] for need in check.needs if need in others})
        for name, check in all_checks().items()
        if "history" in check.needs and set(check.needs) <= {"history", *others}
    }


def _judge(built: History, checks: Mapping[str, tuple[Check, dict[str, Any]]]) -> dict[str, float]:
    """Part → seconds of the processor, of everything that is derived from a history and of the checks of it."""
    history = replace(built, directory=replace(built.directory))  # nothing is known of it yet
    seconds: dict[str, float] = {}
    with _no_garbage():
        for name, attribute in vars(type(history)).items():
            if isinstance(attribute, cached_property | property):
                began = time.process_time()
                getattr(history, name)
                seconds[_VERDICT + name] = time.process_time() - began
        for name, (check, others) in checks.items():
            began = time.process_time()
            check.judge({"history": history, **others})
            seconds[_CHECK + name] = time.process_time() - began
    return seconds


def _read_twice() -> tuple[float, float, int, int]:
    """Seconds of the first and of the second reading of a directory, and the checksums computed in each."""
    from fixtures.migrations import directory as files
    from health.prisma.engine import checksum

    computed: list[int] = []

    def counting(text: str) -> str:
        computed[-1] += 1
        return checksum(text)

    seconds: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        for migration in _migrations(_MIGRATIONS):
            directory = Path(place, migration.name)
            directory.mkdir()
            (directory / "migration.sql").write_text(migration.sql or "")
        with mock.patch.object(files, "checksum", counting), _no_garbage():
            for _ in range(2):
                computed.append(0)
                began = time.perf_counter()
                files.read_migrations(Path(place), "bench")
                seconds.append(time.perf_counter() - began)
    return seconds[0], seconds[1], computed[0], computed[1]


@contextmanager
def _no_garbage() -> Iterator[None]:
    """As in a run of checks, nothing is collected meanwhile."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


if __name__ == "__main__":
    sys.exit(main())
