"""What keeps a run from reading an environment at all, told as one numbered list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from health.sanitize import one_line, safe_line


class Need(IntEnum):
    """What a run needs on this machine, in the order in which a person provides it."""

    CHECKOUT = 1
    LOGIN = 2
    KEY = 3
    HOST_KEY = 4


@dataclass(frozen=True)
class Obstacle:
    """Something that is missing on this machine.

    Attributes:
        what: what is missing, in a clause.
        remedy: what provides it: a command, or a sentence.
    """

    need: Need
    what: str
    remedy: str


def before_this_can_run(obstacles: Mapping[str, Sequence[Obstacle]]) -> str:
    """Tell the obstacles of each environment; one that stands before several is told once.

    Returns:
        A text of several lines; empty where nothing is missing.
    """
    environments: dict[Obstacle, list[str]] = {}
    for name, each in obstacles.items():
        for obstacle in each:
            environments.setdefault(obstacle, []).append(name)
    lines = []
    for number, obstacle in enumerate(sorted(environments, key=lambda each: each.need), start=1):
        lines.append(f"  {number}. {', '.join(environments[obstacle])}: {one_line(obstacle.what)}.")
        lines.append(f"     {safe_line(obstacle.remedy)}")  # a command that is cut would be another one
    return "\n".join(["Before this can run:", *lines]) if lines else ""
