"""Sides that take turns, so that a slow minute slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

Samples = Mapping[str, list[float]]


def interleave(sides: Mapping[str, Callable[[], object]], runs: int) -> Samples:
    """The seconds of each side in so many turns, after one that does not count."""
    told: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(runs + 1):
        for name, step in sides.items():
            began = time.monotonic()
            step()
            if number:
                told[name].append(time.monotonic() - began)
    return told


def ratio(told: Samples, one: str, other: str) -> float:
    """The median of the turns' own ratios."""
    return median(ours / theirs for ours, theirs in zip(told[one], told[other], strict=True))


def held(figure: float, wanted: float) -> str:
    """A figure beside what is wanted of it."""
    return f"{figure:.2f}; wanted at most {wanted:g}: {'yes' if figure <= wanted else 'no'}"
