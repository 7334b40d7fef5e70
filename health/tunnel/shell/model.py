"""What is known of a shell script: its assignments, the blocks around them and when those run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal, NamedTuple


class Part(NamedTuple):
    """A piece of a word: plain text, `$NAME`, `${NAME...}` with more to it, or what only a run can tell."""

    kind: Literal["text", "variable", "expansion", "computed"]
    text: str  # the text, the variable's name, or the source
    start: int  # offset in the script


class Test(NamedTuple):
    """A variable equals one of these words."""

    variable: str
    words: frozenset[str]


class Condition(NamedTuple):
    """What must hold: all of `tests`."""

    tests: tuple[Test, ...]
    exact: bool  # False: something else, which is not understood, must hold as well


UNKNOWN = Condition((), False)
ALWAYS = Condition((), True)


@dataclass(slots=True, eq=False)
class Block:
    """Commands which run under the same condition; `start` and `end` count the script's assignments."""

    parent: Block | None
    condition: Condition
    start: int
    end: int = sys.maxsize
    function: Block | None = None  # the body of the function that it stands in

    def encloses(self, index: int) -> bool:
        """Whether the script's assignment number `index` stands in this block or in one within it."""
        return self.start <= index < self.end


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """`name=value`; an array's element has the name `array[key]`, with nothing for a key that is computed."""

    name: str
    parts: tuple[Part, ...]
    start: int
    block: Block
    index: int
