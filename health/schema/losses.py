"""Tables and columns that are gone, or hold values of another type, after something was run; by numbers, not names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StoredColumn:
    """A column whose values are stored for themselves."""

    name: str
    type: str


@dataclass(frozen=True)
class StoredTable:
    """A table; its columns by their number, which outlives a change of name."""

    schema: str
    name: str
    columns: Mapping[int, StoredColumn] = field(default_factory=dict)


StoredTables = Mapping[int, StoredTable]  # by their number


@dataclass(frozen=True)
class Loss:
    """What does not outlive a script, under its name in the environment.

    Attributes:
        column: None where the whole table goes.
        type: the one that the column gets; None where it goes.
    """

    schema: str
    table: str
    column: str | None = None
    type: str | None = None

    @property
    def described(self) -> str:
        """What happens to it, in the third person."""
        if self.column is None:
            return f'drops table "{self.table}"'
        column = f'column "{self.table}"."{self.column}"'
        return f"drops {column}" if self.type is None else f"makes {column} {self.type}"


def losses(environment: StoredTables, before: StoredTables, after: StoredTables) -> Iterator[Loss]:
    """What of the environment is there before and not after.

    Args:
        environment: its tables, from which the names are taken; what is not among them holds none of its rows.
        before: the tables before something was run.
        after: those after it.
    """
    for number, table in environment.items():
        if number not in before:
            continue
        if number not in after:
            yield Loss(table.schema, table.name)
        else:
            yield from _columns(table, before[number], after[number])


def _columns(table: StoredTable, before: StoredTable, after: StoredTable) -> Iterator[Loss]:
    for place, column in table.columns.items():
        was, is_ = before.columns.get(place), after.columns.get(place)
        if was is not None and is_ is None:
            yield Loss(table.schema, table.name, column.name)
        elif was is not None and is_ is not None and was.type != is_.type:
            yield Loss(table.schema, table.name, column.name, is_.type)


def stored(rows: Collection[tuple[int, str, str, int | None, str, str]]) -> StoredTables:
    """Tables from rows of number, schema, name, and of each column number, name and type; None where it has none."""
    columns: dict[int, dict[int, StoredColumn]] = {number: {} for number, *_ in rows}
    for number, _, _, place, column, type_ in rows:
        if place is not None:
            columns[number][place] = StoredColumn(column, type_)
    return {number: StoredTable(schema, name, columns[number]) for number, schema, name, *_ in rows}
