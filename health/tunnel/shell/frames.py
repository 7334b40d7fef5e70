"""The lists and compound commands that are open at a place of a shell script."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from health.tunnel.shell.conditions import TESTED
from health.tunnel.shell.model import UNKNOWN, Block, Condition, Part, Test
from health.tunnel.shell.words import Token

_GLOB = frozenset("*?[")


@dataclass(slots=True)
class CommandList:
    """Commands joined by && and ||, as far as they are read."""

    terms: list[tuple[str, Condition]] = field(default_factory=list)
    term: list[Token] = field(default_factory=list)
    operator: str = ""
    sure: bool = True  # False after a ||: which commands have succeeded cannot be told
    block: Block | None = None  # of the command being read, if it depends on those before it


@dataclass(slots=True)
class Frame:
    """A compound command that is open, and what its branches so far leave to the next."""

    kind: str
    outer: Block
    block: Block
    within: CommandList
    phase: Literal["subject", "patterns", "extended", "body"] = "body"
    patterns: list[str] = field(default_factory=list)
    variable: str = ""  # which the branches are about
    seen: set[str] = field(default_factory=set)  # words of it for which an earlier branch runs
    sure: bool = True  # False: an earlier branch may run for other words too

    def unseen(self, condition: Condition) -> Condition:
        """The condition without the words for which an earlier branch of the same command runs."""
        self.variable = self.variable or "".join(test.variable for test in condition.tests[:1])
        own = [test for test in condition.tests if test.variable == self.variable]
        tests = tuple(
            Test(variable, words - self.seen if variable == self.variable else words)
            for variable, words in condition.tests
        )
        unseen = Condition(tests, condition.exact and self.sure)
        if condition.exact and len(own) == len(condition.tests) == 1:
            self.seen |= own[0].words
        else:
            self.sure = False
        return unseen

    def case_on(self, subject: Iterable[Part]) -> None:
        """Take a word of what a `case` looks at."""
        for part in subject:
            if part.kind == "expansion" and not TESTED.fullmatch(part.text):
                # of a part of the stage's name nothing is known, as after a *
                self.seen.add("*")

    def case_branch(self) -> Condition:
        """What must hold for the branch whose patterns were read last."""
        # a branch with a pattern such as d* or * runs for more words than it names
        known = "*" not in self.seen and not any(set(each) & _GLOB for each in self.patterns)
        condition = Condition((Test("", frozenset(self.patterns) - self.seen),), self.sure) if known else UNKNOWN
        self.seen.update(self.patterns)
        self.sure = self.sure and known
        return condition
