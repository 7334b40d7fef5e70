"""Whether existing rows satisfy the constraints that pending migrations add, and how large their tables are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from health.pending.data_requirements import DataRequirement

BIG_BYTES = 1_000_000_000  # a table above this is locked or rewritten for long


@dataclass(frozen=True)
class RequirementResult:
    """How many rows violate one requirement.

    Attributes:
        rows: how many do not fit; None where that is not known.
        keys: the primary keys of up to five of them.
        why_unanswered: why there is no answer to the question; None where there is one, or none was put.
        refused: the SQLSTATE with which the server itself ends at a row that does not fit.
        why_unasked: why the environment's server cannot be asked.
    """

    requirement: DataRequirement
    rows: int | None = None
    keys: tuple[str, ...] = ()
    why_unanswered: str | None = None
    refused: str | None = None
    why_unasked: str | None = None

    @property
    def violated(self) -> bool:
        """Whether a row does not fit."""
        return bool(self.rows) or self.refused is not None

    @property
    def sqlstate(self) -> str:
        """With which a deploy ends."""
        return self.refused or self.requirement.sqlstate


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
        rows = f"about {self.rows} rows" if self.rows is not None else "rows never counted"
        for unit, size in (("GB", 10**9), ("MB", 10**6)):
            if self.bytes >= size:
                return f"{self.bytes / size:.1f} {unit}, {rows}"
        return f"{-(-self.bytes // 1000)} kB, {rows}"


@dataclass(frozen=True)
class UnknownRequirements:
    """A migration whose requirements are not all known.

    Attributes:
        unforeseen: whether a finding of the forecast says more of it.
    """

    migration: str
    why_unanswered: str
    unforeseen: bool = False


@dataclass(frozen=True)
class DataCheck:
    """All answers.

    Attributes:
        unknown: the first migration whose requirements are not all known; nothing is known of later ones either.
        blocked: the code with which a deploy stops before any migration, as of the forecast.
    """

    answers: tuple[RequirementResult, ...] = ()
    sizes: Mapping[str, TableSize] = field(default_factory=dict)
    unknown: UnknownRequirements | None = None
    blocked: str | None = None

    def trouble(self, migration: str | None = None) -> str | None:
        """What of rows stops a migration, or may: of this one, or of any; None where nothing does."""
        answers = [each for each in self.answers if migration in (None, each.requirement.migration)]
        for each in answers:
            if each.violated:
                asked = each.requirement
                return f"{asked.migration} fails on rows that are there (line {asked.line}, {asked.sqlstate})"
        unknown = [
            each.requirement.migration for each in answers if each.requirement.why_unasked or each.why_unanswered
        ]
        if self.unknown is not None and migration in (None, self.unknown.migration):
            unknown.append(self.unknown.migration)
        return f"whether the rows fit {unknown[0]} is not known" if unknown else None

    @property
    def failing(self) -> dict[str, str]:
        """The migrations that a row does not fit, with the code that a deploy ends with."""
        return {answer.requirement.migration: "P3018" for answer in self.answers if answer.violated}
