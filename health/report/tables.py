"""The history and the columns of Entity as lines of text, from the record of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from health.report.overview import HistoryOverview
from health.report.record import FactsOverview


def tables(overview: FactsOverview) -> Iterator[str]:
    """Both, as far as they have been read."""
    if overview.history is not None:
        yield from history_lines(overview.history)
    if overview.entity:
        yield ""
        yield "Columns of Entity"
        yield from aligned(
            (column.column, column.type, "" if column.nullable else "not null", column.default or "")
            for column in overview.entity
        )


def history_lines(history: HistoryOverview) -> Iterator[str]:
    """A count of all rows, and the last ones."""
    last = history.last
    yield f"Migration history: {history.counted}"
    if history.rows > len(last):
        yield f"  the last {len(last)}:"
    if last:
        yield from aligned(
            [
                ("started (UTC)", "took", "state", "steps", "migration"),
                *(
                    (row.started_at[:16].replace("T", " "), _took(row.seconds), row.state, row.steps, row.migration)
                    for row in last
                ),
            ]
        )


def aligned(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Cells in columns, two blanks apart."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _took(seconds: float | None) -> str:
    if seconds is None:
        return "no end"
    return f"{seconds:.1f} s" if seconds < 600 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - ten minutes
