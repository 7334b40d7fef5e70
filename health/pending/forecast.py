"""What the next deploy will do to this environment, learnt by running it on a copy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from health.pending.data_requirements import DataRequirement, TableLock
from health.sanitize import one_line
from health.sql.failure import SqlFailure
from health.sql.splitter import Located

_WORDS = 60  # characters of a statement that a message repeats
_NO_RIGHT = "42501"  # insufficient_privilege: on the copy the role owns all there is, and has no other right
_LACKING = {"0A000", "58P01"}  # the copy's server has not the extension
_EXTENSION = re.compile(r'\bextension (?:control file )?"')


@dataclass(frozen=True)
class FailingStatement:
    """A statement that does not run.

    Attributes:
        failure: what PostgreSQL says to it.
        line: of the file, from 1; None where the place is not known.
        statement: how it begins, on one line.
    """

    failure: SqlFailure
    line: int | None = None
    statement: str = ""

    @classmethod
    def at(cls, failure: SqlFailure, located: Located) -> FailingStatement:
        """Of a statement whose place is known."""
        return cls(failure, located.line, one_line(located.text, _WORDS))

    @property
    def says_nothing(self) -> bool:
        """Whether it speaks of the copy alone: of its limits, its role, or an extension that its server has not."""
        made = self.statement.upper().startswith("CREATE EXTENSION")
        extension = made or _EXTENSION.search(self.failure.message) is not None  # a DO block makes it as well
        state = self.failure.sqlstate
        return self.failure.limit or state == _NO_RIGHT or (extension and state in _LACKING)

    def __str__(self) -> str:
        code = f"{self.failure.sqlstate}: " if self.failure.sqlstate else ""
        place = f"line {self.line}, {self.statement}: " if self.line else ""
        return f"{place}{code}{self.failure}"


@dataclass(frozen=True)
class MigrationForecast:
    """What becomes of one migration.

    Attributes:
        name: of the migration.
        first: what a deploy stops at; None where the migration applies, or no deploy gets that far.
        conflicts: every statement that does not run, also where the deploy has stopped before; those after a
            conflict are tried as if it had been passed over.
        reached: whether the deploy gets to it.
        requirements: what its statements require of rows that exist.
        locks: the tables with rows that its statements lock or rewrite.
        why_unanswered: why nothing more is known of it; None where all is.
    """

    name: str
    first: FailingStatement | None = None
    conflicts: tuple[FailingStatement, ...] = ()
    reached: bool = True
    requirements: tuple[DataRequirement, ...] = ()
    locks: tuple[TableLock, ...] = ()
    why_unanswered: str | None = None


@dataclass(frozen=True)
class Forecast:
    """What a deploy does with everything that is pending.

    Attributes:
        migrations: in the order of the deploy.
        blocked: the code with which a deploy stops before any of them, such as P3009; they would run once that is
            mended. None where nothing stops it.
        one_query: whether every file is sent as one query.
    """

    migrations: tuple[MigrationForecast, ...] = ()
    blocked: str | None = None
    one_query: bool = True

    @cached_property
    def by_name(self) -> dict[str, MigrationForecast]:
        """Each migration by its name."""
        return {foreseen.name: foreseen for foreseen in self.migrations}

    @property
    def failing(self) -> frozenset[str]:
        """The migrations that a deploy stops at."""
        return frozenset(
            each.name for each in self.migrations if each.first is not None and not each.first.says_nothing
        )

    @property
    def requirements(self) -> tuple[DataRequirement, ...]:
        """What all of them require of rows that exist."""
        return tuple(requirement for foreseen in self.migrations for requirement in foreseen.requirements)
