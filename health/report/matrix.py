"""Which migration is where: the newest migrations of several environments, and how each stands in each of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from health.report.overview import MigrationState
from health.report.record import EnvironmentResult
from health.report.tables import aligned
from health.sanitize import markdown, one_line
from health.words import listed, plural

ABSENT = "–"  # an environment that has neither the file nor a row
_NEWEST = 10
_NAME, _SHORT_NAME = 46, 30  # characters of a migration's name, and where there is little room
_CELL = 19  # "orphaned 2026-01-01"
_SHOWN = 6  # environments on a terminal, however wide


@dataclass(frozen=True)
class MatrixRow:
    """A migration, and its state in each environment; None where it is not there."""

    migration: str
    states: tuple[MigrationState | None, ...]


@dataclass(frozen=True)
class Matrix:
    """The newest migrations, newest first, by the environments whose history was read.

    Attributes:
        environments: their names, in the order of the record.
        unread: the environments whose history could not be read.
    """

    environments: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    unread: tuple[str, ...] = ()


def matrix(environments: Sequence[EnvironmentResult], newest: int = _NEWEST) -> Matrix:
    """Gather how the newest migrations stand; of two judgements of an environment the last that read its history."""
    states: dict[str, dict[str, MigrationState]] = {}
    names = list(dict.fromkeys(environment.name for environment in environments))
    for environment in environments:
        if environment.overview.history is not None:
            states[environment.name] = {state.migration: state for state in environment.overview.history.newest}
    read = [name for name in names if name in states]
    migrations = sorted({migration for each in states.values() for migration in each}, reverse=True)[:newest]
    rows = [MatrixRow(each, tuple(states[name].get(each) for name in read)) for each in migrations]
    return Matrix(tuple(read), tuple(rows), tuple(name for name in names if name not in states))


def matrix_lines(table: Matrix, width: int) -> Iterator[str]:
    """The matrix as text; as many environments beside each other as fit."""
    if not table.rows:
        return
    yield "Which migration is where, the newest first:"
    name_width = min(_NAME, max(_SHORT_NAME, width - 3 * (_CELL + 2) - 2))
    beside = max(1, (width - name_width - 2) // (_CELL + 2))
    for first in range(0, min(_SHOWN, len(table.environments)), beside):
        some = slice(first, min(first + beside, _SHOWN))
        yield from aligned(
            [
                ("", *(one_line(name, _CELL) for name in table.environments[some])),
                *((one_line(row.migration, name_width), *map(cell, row.states[some])) for row in table.rows),
            ]
        )
    if (more := len(table.environments) - _SHOWN) > 0:
        yield f"  {more} more {plural(more, 'environment')}: --report DIR writes all of them to summary.md."
    if table.unread:
        yield from textwrap.wrap(
            one_line(f"The history was not read of {listed(table.unread, _SHOWN)}.", 2000),
            width,
            initial_indent="  ",
            subsequent_indent="  ",
        )


def matrix_markdown(table: Matrix) -> Iterator[str]:
    """The matrix as a table of Markdown."""
    if not table.rows:
        return
    yield f"| migration | {' | '.join(map(markdown, table.environments))} |"
    yield "|---" * (len(table.environments) + 1) + "|"
    for row in table.rows:
        yield f"| {markdown(row.migration)} | {' | '.join(markdown(cell(state)) for state in row.states)} |"
    if table.unread:
        yield f"\nThe history was not read of {markdown(', '.join(table.unread))}."


def cell(state: MigrationState | None) -> str:
    """A state as a person reads it: ``applied 2026-10-03``."""
    return ABSENT if state is None else f"{state.state} {state.at[:10] if state.at else ''}".rstrip()
