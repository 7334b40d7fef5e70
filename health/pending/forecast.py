"""What the next deploy will do to this environment, learnt by running it on a copy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from health.catalog.catalog import Key
from health.catalog.changes import Change
from health.finding import CouldNotCheck
from health.pending.data_requirements import DataRequirement, TableLock
from health.sanitize import one_line
from health.sql.failure import SqlFailure, of_rows
from health.sql.splitter import Located

_WORDS = 60  # characters of a statement that a message repeats
_NO_RIGHT = "42501"  # insufficient_privilege: on the copy the role owns all there is, and has no other right
_LACKING = {"0A000", "58P01"}  # the copy's server has not the extension
_EXTENSION = re.compile(r'\bextension (?:control file )?"')
# What one server has and another has not: its settings, locales, tablespaces and libraries.
_OF_A_SERVER = re.compile(
    r'unrecognized configuration parameter|^collation ".*" for encoding|^tablespace ".*" does not exist'
    r"|^could not create locale|^invalid (?:ICU )?locale|could not access file"
)
_NO_TABLE, _NO_TABLE_CODE = "42P01", "P1014"
_DEPENDING = {"0A000", "2BP01", "42P16"}  # of these the detail names objects, of others values of rows
# What a file meets that makes what is there already, or drops what is gone.
_THERE_ALREADY = {"42P07", "42710", "42701", "42P06", "42723", "42P16"}
_GONE_ALREADY = {"42704", "42703", "42P01", "42883", "3F000"}


@dataclass(frozen=True)
class FailingStatement:
    """A statement that does not run.

    Attributes:
        failure: what PostgreSQL says to it.
        line: of the file, from 1; None where the place is not known.
        statement: how it begins, on one line.
        left: how the file leaves the session, where the engine then cannot record it; a clause. Empty where the
            statement is the file's own.
        rows: whether it may come from rows that the copy has not.
    """

    failure: SqlFailure
    line: int | None = None
    statement: str = ""
    left: str = ""
    rows: bool = False

    @classmethod
    def at(cls, failure: SqlFailure, located: Located) -> FailingStatement:
        """Of a statement whose place is known."""
        return cls(failure, located.line, one_line(located.text, _WORDS))

    @property
    def code(self) -> str | None:
        """The code that Prisma's engine ends with; None where it prints none."""
        if self.left:
            return _NO_TABLE_CODE if self.failure.sqlstate == _NO_TABLE else None
        return "P3018"

    @property
    def objects_clash(self) -> bool:
        """Whether what it makes is there already, or what it drops or changes is gone."""
        return not self.left and self.failure.sqlstate in _THERE_ALREADY | _GONE_ALREADY

    @property
    def of_rows(self) -> bool:
        """Whether rows are the cause: some that exist, or the file's own."""
        return not self.left and of_rows(self.failure.sqlstate)

    @property
    def says_nothing(self) -> bool:
        """Whether it speaks of the copy alone: of its limits, its role, or of what it or its server has not."""
        if self.left:
            return self.failure.limit
        made = self.statement.upper().startswith("CREATE EXTENSION")
        extension = made or _EXTENSION.search(self.failure.message) is not None  # a DO block makes it as well
        state = self.failure.sqlstate
        server = _OF_A_SERVER.search(self.failure.message) is not None
        lacking = server or self.rows or (extension and state in _LACKING)
        return self.failure.limit or state == _NO_RIGHT or lacking

    def __str__(self) -> str:
        code = f"{self.failure.sqlstate}: " if self.failure.sqlstate else ""
        if self.left:
            return f"{self.left}, and Prisma then cannot record it: {code}{self.failure}"
        place = f"line {self.line}, {self.statement}: " if self.line else ""
        detail = self.failure.detail if self.failure.sqlstate in _DEPENDING else ""
        return f"{place}{code}{self.failure}" + (f". {detail}" if detail else "")


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

    @property
    def said(self) -> tuple[FailingStatement, ...]:
        """All that does not run, each once, what a deploy stops at first."""
        return tuple(dict.fromkeys((*([self.first] if self.first else ()), *self.conflicts)))

    @property
    def failing(self) -> FailingStatement | None:
        """What a deploy fails at, or would were it to get here; None where nothing is known to fail."""
        said = self.said
        return None if not said or any(each.says_nothing for each in said) else said[0]


@dataclass(frozen=True)
class UnknownForecast:
    """Why nothing is foreseen: the parts of :class:`health.finding.CouldNotCheck`."""

    what: str
    where: str
    remedy: str
    explained_by: str | None = None

    @classmethod
    def of(cls, error: CouldNotCheck) -> UnknownForecast:
        """The same as a value."""
        return cls(error.what, error.where, error.remedy, error.explained_by)

    def error(self) -> CouldNotCheck:
        """The same as an error, for who has no answer without the forecast."""
        return CouldNotCheck(self.what, self.where, self.remedy, self.explained_by)


@dataclass(frozen=True)
class Forecast:
    """What a deploy does with everything that is pending.

    Attributes:
        migrations: in the order of the deploy.
        blocked: the code with which a deploy stops before any of them, such as P3009; they would run once that is
            mended. None where nothing stops it.
        one_query: whether every file is sent as one query.
        changes: what the deploy changes in the schema, as far as it gets.
        unknown: why nothing is foreseen; None where it is.
    """

    migrations: tuple[MigrationForecast, ...] = ()
    blocked: str | None = None
    one_query: bool = True
    changes: tuple[Change, ...] = ()
    unknown: UnknownForecast | None = None

    @cached_property
    def by_name(self) -> dict[str, MigrationForecast]:
        """Each migration by its name."""
        return {foreseen.name: foreseen for foreseen in self.migrations}

    @property
    def failing(self) -> dict[str, str]:
        """The migrations that a deploy stops at, with the code that it ends with."""
        stops = [(each.name, each.first) for each in self.migrations if each.first is not None]
        return {name: first.code or first.failure.sqlstate or "" for name, first in stops if not first.says_nothing}

    def required(self) -> Forecast:
        """The same, for who has no answer without it.

        Raises:
            CouldNotCheck: nothing is foreseen.
        """
        if self.unknown is not None:
            raise self.unknown.error()
        return self

    def passed_over(self, name: str, differing: Iterable[Key]) -> tuple[Key, ...]:
        """Of the objects that are not as a migration makes them, those that it applies without changing."""
        foreseen = self.by_name.get(name)
        if foreseen is None or foreseen.said or not foreseen.reached or self.unknown is not None:
            return ()
        changed = {change.key for change in self.changes}
        return tuple(key for key in differing if key not in changed)

    def leaves(self, coming: Change | None) -> bool:
        """Whether the deploy leaves an object as the pending migrations are to leave it."""
        return coming is not None and any(
            change.key == coming.key and change.after == coming.after for change in self.changes
        )

    def clashing(self, name: str) -> FailingStatement | None:
        """What a migration fails at because its objects are there already, or gone; None where it is anything else.

        After one of which nothing can be foreseen, or which fails for another reason, nothing is certain.
        """
        for each in self.migrations:
            if each.name == name:
                return each.failing if each.failing is not None and each.failing.objects_clash else None
            if each.said and (each.failing is None or not each.failing.objects_clash):
                return None
        return None

    @property
    def requirements(self) -> tuple[DataRequirement, ...]:
        """What all of them require of rows that exist."""
        return tuple(requirement for foreseen in self.migrations for requirement in foreseen.requirements)
