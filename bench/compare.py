"""Measures all sides interleaved, and prints them side by side."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench import manual, timing
from bench.process import BenchError, Done, run
from fixtures.clients.private_directory import private_directory
from tests.support.sandbox import sandbox, to_toml

Sample = dict[str, float]

# As in an installation by ci/gate, on all sides: the plugins of the extras test and report are not there.
_WITHOUT = ("cacheprovider", "hypothesispytest", "allure_pytest")
PYTEST = [sys.executable, "-P", "-m", "pytest", *(word for name in _WITHOUT for word in ("-p", f"no:{name}"))]
NOTHING_COLLECTED = 5  # pytest's exit status


def main() -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python bench/gate.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="repetitions that count (default: 3)")
    runs: int = max(1, parser.parse_args().runs)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leaves through the blocks, which end what they began
    tools = manual.find_tools()
    samples: list[Sample] = []
    try:
        for number in range(runs + 1):
            print(f"bench: {f'repetition {number} of {runs}' if number else 'warming up'}", file=sys.stderr, flush=True)
            with private_directory("bench") as directory:
                samples.append(_repeat(tools, directory))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{runs} interleaved repetitions after one that does not count; {os.cpu_count()} cores, load {load}\n")
    _print_table(samples[1:])
    if left_out := [name for name, path in tools.items() if path is None]:
        print(f"\nLeft out by hand, as it or what it goes through was not found: {', '.join(left_out)}.")
    return 0


def _repeat(tools: dict[str, Path | None], directory: Path) -> Sample:
    """Measure every side once."""
    empty = directory / "empty"
    empty.mkdir()
    (empty / "pytest.ini").write_text("[pytest]\n")
    bare = run([*PYTEST, "--co", "-p", "no:anyio"], cwd=empty, status=NOTHING_COLLECTED)
    collecting = run([*PYTEST, "--co", "--env=local"])
    sample = {"bare": bare.seconds, "co": collecting.seconds, "own": collecting.seconds - bare.seconds}
    sample |= _split("local", *_gate(directory, "--env=local"))
    with _timed_sandbox() as (entry, sample["sandbox"]):
        registry = directory / "environments.toml"
        registry.touch(mode=0o600)
        registry.write_text(to_toml("running", {key: each for key, each in entry.items() if key != "embedded"}))
        done, phases = _gate(directory, "--env=running", f"--environments={registry}")
        sample |= {**_split("gate", done, phases), "peak": done.peak_mb}
        by_hand = manual.ask(tools, entry, directory)
    if by_hand:
        sample |= {"hand": sum(by_hand.values()), **{f"hand: {name}": each for name, each in by_hand.items()}}
    return sample


def _gate(directory: Path, *arguments: str) -> tuple[Done, dict[str, float]]:
    file = directory / "timing.json"
    done = run([*PYTEST, "-p", "bench.timing", *arguments], {timing.VARIABLE: str(file)})
    return done, timing.seconds(file, done.began, done.ended)


def _split(name: str, done: Done, phases: dict[str, float]) -> Sample:
    judging = phases["checks"] + phases["report"]
    return {name: done.seconds, f"{name}: judging": judging} | {f"{name}: {key}": each for key, each in phases.items()}


@contextmanager
def _timed_sandbox() -> Iterator[tuple[dict[str, Any], float]]:
    began = time.monotonic()
    with sandbox() as entry:
        yield entry, time.monotonic() - began


def _print_table(samples: list[Sample]) -> None:
    """Figures, each with the ratio to its base: the median of the repetitions' own ratios."""
    print(f"{'figure':58} {'median':>8}  {'min–max':15} ratio")
    rows = [
        ("bare pytest --co, nothing to collect", "bare", None),
        ("pytest --co --env=local", "co", "bare"),
        ("  the gate's own overhead: the difference", "own", "bare"),
        ("the sandbox alone, until its JSON line", "sandbox", "bare"),
        ("pytest --env=local, warm", "local", "bare"),
        *_phase_rows("local", "facts, with the sandbox's start"),
        ("pytest against a running sandbox", "gate", "bare"),
        *_phase_rows("gate", "facts"),
        ("the same questions by hand, one process after the other", "hand", "gate"),
        *((f"  {name} × {count}", f"hand: {name}", "hand") for name, count in manual.PROCESSES.items()),
    ]
    for label, key, base in rows:
        if key in samples[0]:
            _print_row(label, [each[key] for each in samples], "s", "" if base is None else _ratio(samples, key, base))
    _print_row("peak resident memory of that pytest process", [each["peak"] for each in samples], "MB", "")
    print("\nwanted (information only)")
    _print_bound("checks and report, running sandbox < 0.5 s", samples, "gate: judging", below=0.5)
    _print_bound("whole warm local run < 6 s", samples, "local", below=6)
    if "hand" in samples[0]:
        times = [{"hand/gate": each["hand"] / each["gate"]} for each in samples]
        _print_bound("by hand / gate >= 5", times, "hand/gate", least=5)
    _print_bound("peak resident memory < 200 MB", samples, "peak", below=200)


def _phase_rows(name: str, facts: str) -> list[tuple[str, str, str | None]]:
    labels = {phase: facts if phase == "facts" else phase for phase in timing.PHASES}
    return [(f"  {label}", f"{name}: {phase}", name) for phase, label in labels.items()]


def _ratio(samples: list[Sample], key: str, base: str) -> str:
    ratio = median(each[key] / each[base] for each in samples)
    return f"{ratio:.0%} of the whole" if key.startswith(f"{base}:") else f"{ratio:.1f} × {base}"


def _print_row(label: str, values: list[float], unit: str, ratio: str) -> None:
    digits = 2 if unit == "s" else 0
    spread = f"{min(values):.{digits}f}–{max(values):.{digits}f}"
    print(f"{label:58} {median(values):5.{digits}f} {unit:2}  {spread:15} {ratio}".rstrip())


def _print_bound(label: str, samples: list[Sample], key: str, below: float | None = None, least: float = 0) -> None:
    value = median(each[key] for each in samples)
    held = value < below if below is not None else value >= least
    print(f"  {label:44} {value:7.2f}  {'yes' if held else 'no'}")


if __name__ == "__main__":
    sys.exit(main())
