"""What the environment's rows and tables say to what the pending migrations ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from health.pending.data_requirements import DataRequirement

BIG_BYTES = 1_000_000_000  # a table above this is locked or rewritten for long


@dataclass(frozen=True)
class RequirementResult:
    """What the rows say to one demand.

    Attributes:
        rows: how many do not fit; None where that was not answered.
        keys: the primary keys of up to five of them.
        unanswered: why there is no answer; empty where there is one.
    """

    demand: DataRequirement
    rows: int | None = None
    keys: tuple[str, ...] = ()
    unanswered: str = ""


@dataclass(frozen=True)
class TableSize:
    """A table's size: its rows by the planner's estimate (None if it was never analysed), and all its bytes."""

    rows: int | None
    bytes: int

    @property
    def big(self) -> bool:
        """Whether locking or rewriting it will be felt."""
        return self.bytes >= BIG_BYTES

    def __str__(self) -> str:
        for unit, size in (("GB", 10**9), ("MB", 10**6)):
            if self.bytes >= size:
                told = f"{self.bytes / size:.1f} {unit}"
                break
        else:
            told = f"{-(-self.bytes // 1000)} kB"
        return f"{told}, " + (f"about {self.rows} rows" if self.rows is not None else "rows never counted")


@dataclass(frozen=True)
class Unknown:
    """A migration of which it is not known what it asks of the rows.

    Attributes:
        unforeseen: whether a finding of the forecast says more of it.
    """

    migration: str
    reason: str
    unforeseen: bool = False


@dataclass(frozen=True)
class DataCheck:
    """All answers.

    Attributes:
        unknown: the first migration whose demands are not all known; nothing is known of those behind it either.
    """

    answers: tuple[RequirementResult, ...] = ()
    sizes: Mapping[str, TableSize] = field(default_factory=dict)
    unknown: Unknown | None = None

    @property
    def failing(self) -> frozenset[str]:
        """The migrations that a row does not fit."""
        return frozenset(answer.demand.migration for answer in self.answers if answer.rows)
