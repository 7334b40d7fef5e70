"""The rows of a table of today as pending statements will have made them, as expressions over today's rows.

A level stands for one statement that changes them: it computes columns from those of the level below, and may leave
rows out. So what a later statement requires is asked of the rows that the earlier ones leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

NULL = "NULL"


@dataclass(frozen=True)
class Expression:
    """An expression as PostgreSQL prints it, for a session whose ``search_path`` is ``pg_catalog`` alone.

    Attributes:
        sql: with text in place of every enum.
        columns: the numbers of the table's columns in it.
        enums: whether an enum was replaced.
        why_unasked: why it is not to be run on the environment; None where it is harmless.
        raw: with the enums, for the clone.
    """

    sql: str
    columns: frozenset[int] = frozenset()
    enums: bool = False
    why_unasked: str | None = None
    raw: str = ""


@dataclass(frozen=True)
class Value:
    """A column of a level.

    Attributes:
        name: that it has there.
        source: the column of the level below; None where an expression gives the value.
        sql: that expression; ``source`` beside it is the value of the rows for which ``when`` is not true.
        cast: a type of PostgreSQL's own that the value gets.
    """

    name: str
    source: str | None = None
    sql: str | None = None
    cast: str | None = None
    when: str | None = None


@dataclass(frozen=True)
class Level:
    """What one statement makes of the rows; ``where`` is the condition of those that it leaves."""

    values: tuple[Value, ...]
    where: str | None = None


@dataclass(frozen=True)
class FutureRows:
    """The rows of one table.

    Attributes:
        columns: of today; those of an enum, or of an array of one, are ``enums``: name → type to cast it to.
        keys: the columns of its primary key.
        levels: the statements that changed them, in their order.
        names: the columns at the last level, by their number.
        unknown: number of a column → why its values are not known.
        why_unknown: why nothing is known of the rows any more; None where that is not so.
        as_texts: whether an enum is read as text.
        fed: the columns that a sequence, or the like, fills in rows that pending statements insert.
        elsewhere: whether the table is in another schema than the environment's.
        doubtful: whether rows are inserted only where none is in the way.
        why_grown: why further rows may be inserted than those that are known.
    """

    schema: str
    table: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    enums: Mapping[str, str] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    unknown: Mapping[int, str] = field(default_factory=dict)
    why_unknown: str | None = None
    as_texts: bool = False
    fed: frozenset[int] = frozenset()
    elsewhere: bool = False
    doubtful: bool = False
    why_grown: str | None = None

    @property
    def shown(self) -> str:
        """The table's name for a person."""
        return f"{self.schema}.{self.table}" if self.elsewhere else self.table

    @property
    def plain(self) -> bool:
        """Whether they are the table's rows as they stand."""
        return not self.levels and not self.as_texts

    def texts(self, *expressions: Expression | None) -> FutureRows:
        """The same with text in place of enums, where one of the expressions needs it."""
        return replace(self, as_texts=True) if any(each and each.enums for each in expressions) else self

    def why_unasked(self, columns: Iterable[int], *expressions: Expression | None) -> str | None:
        """Why a condition on these columns, with these expressions, cannot be asked; None where it can."""
        used = set(columns).union(*(each.columns for each in expressions if each))
        refused = (each.why_unasked for each in expressions if each and each.why_unasked)
        return (
            self.why_unknown or next(refused, None) or next((self.unknown[n] for n in used & self.unknown.keys()), None)
        )

    def named(self, columns: Iterable[int]) -> tuple[str, ...]:
        """The names of columns at the last level."""
        return tuple(self.names[number] for number in columns if number in self.names)

    def empty(self, column: int) -> bool:
        """Whether a column that is not there yet is NULL in every row."""
        name = self.names.get(column)
        for level in reversed(self.levels):
            value = next((each for each in level.values if each.name == name), None)
            if value is None or value.sql is not None:
                return value is not None and value.sql == NULL
            name = value.source
        return False

    def emptied(self) -> FutureRows:
        """The same without any row."""
        values = {number: Value(name, source=name) for number, name in self.names.items()}
        return replace(self.changed(values, "false"), unknown={}, why_unknown=None)

    def lost(self, why: str) -> FutureRows:
        """The same, of which nothing is known any more."""
        return replace(self, why_unknown=self.why_unknown or why)

    def changed(
        self,
        values: Mapping[int, Value],
        where: str | None = None,
        unknown: Mapping[int, str] | None = None,
    ) -> FutureRows:
        """One level more.

        Args:
            values: all columns by their number.
            where: the condition of the rows that stay.
            unknown: columns whose values are not known → why.
        """
        level = Level(tuple(values.values()), where)
        names = {number: value.name for number, value in values.items()}
        known = {number: why for number, why in {**self.unknown, **(unknown or {})}.items() if number in names}
        return replace(self, levels=(*self.levels, level), names=names, unknown=known)
