"""``python bench/saved.py [--runs N] [--file FILE]``: what a replay costs beyond a bare pytest, and how much is start.

FILE is of ``--save``; without it, the small one of the tests.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the file is started by its path

from bench.start import at_home

_WANTED_S = 0.6  # at most, beyond the bare pytest
_FILE = Path(__file__).resolve().parent.parent / "tests" / "data" / "saved-run-1.json.gz"
_BLOCKED = 1  # the exit status of that file


def main() -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python bench/saved.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="repetitions that count (default: 5)")
    parser.add_argument("--file", type=Path, default=_FILE, metavar="FILE", help="what is replayed")
    parser.add_argument("--status", type=int, default=_BLOCKED, help="the exit status that its replay has (default: 1)")
    options = parser.parse_args()
    at_home("bench.saved", [])
    with TemporaryDirectory() as directory:
        return _measure(options.runs, options.file.resolve(), options.status, Path(directory))


def _measure(runs: int, file: Path, status: int, empty: Path) -> int:
    from bench.compare import NOTHING_COLLECTED, PYTEST
    from bench.interleave import held, interleave
    from bench.process import run

    (empty / "pytest.ini").write_text("[pytest]\n")
    sides: dict[str, Callable[[], object]] = {
        "bare": partial(run, [*PYTEST, "--co", "-p", "no:anyio"], cwd=empty, status=NOTHING_COLLECTED),
        "collected": partial(run, [*PYTEST, "--co", "-q", f"--replay={file}"], status=NOTHING_COLLECTED),
        "replayed": partial(run, [*PYTEST, "-q", f"--replay={file}"], status=status),
    }
    told = interleave(sides, runs)
    for name, times in told.items():
        print(f"{name:12} {median(times):6.2f} s  {min(times):.2f}-{max(times):.2f}")
    beyond = [replayed - bare for replayed, bare in zip(told["replayed"], told["bare"], strict=True)]
    print(f"a replay beyond the bare pytest: {held(median(beyond), _WANTED_S)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
