"""What a PostgreSQL of our own takes until it answers: with initdb each time, and as a copy of what that once made."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from bench.interleave import held, interleave

_READY_S = 0.5  # wanted at most


def print_starts(runs: int) -> None:
    """Measure every installation of this machine, and print a line for each."""
    from fixtures.clone.servers.local import installations

    sides: dict[str, Callable[[], object]] = {}
    for offer in installations():
        name = f"PostgreSQL {offer.major} ({offer.kind})"
        sides[name] = partial(_start, Path(offer.place), kept=True)
        sides[f"{name}, initdb each time"] = partial(_start, Path(offer.place), kept=False)
    times = interleave(sides, runs)
    print("  a server until it answers, and its end")
    for name, seconds in times.items():
        wanted = "" if name.endswith("each time") else f"  {held(median(seconds), _READY_S)}"
        print(f"    {name:64} {median(seconds):7.3f} s{wanted}")


def _start(programs: Path, *, kept: bool) -> None:
    from unittest.mock import patch

    from fixtures.clients.private_directory import private_directory
    from fixtures.clone.servers.private_postgres import PrivatePostgres
    from health.secrets.secret import Secret

    nowhere = {} if kept else {"XDG_CACHE_HOME": os.devnull}
    with (
        patch.dict(os.environ, nowhere),
        private_directory("bench") as place,
        PrivatePostgres(place, Secret("of the bench"), programs=programs),
    ):
        pass
