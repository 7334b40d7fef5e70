"""Rows that the schema should have kept out."""

from __future__ import annotations

from collections.abc import Iterator

from health.check import check
from health.data.orphan_rows import Orphans
from health.finding import Finding


@check(
    finds={"rows-without-parent": "error"},
    explained_by={"rows-without-parent": ("constraint-not-validated", "schema-object-missing")},
)
def test_rows_have_their_parent(orphan_rows: tuple[Orphans, ...]) -> Iterator[Finding]:
    """Every row that names another one by a foreign key of the migrations has it.

    A foreign key that is there and validated promises that. Only where one is missing or not validated, as after
    a repair by hand or a restored dump, are the rows looked at. Such rows make Frigg fail where it follows the
    reference, and the foreign key cannot be made or validated before they are gone (23503).

    Mend it by a decision of what the rows are worth: give them a parent, set the column to NULL where it may be,
    or delete them. Then make or validate the constraint.
    """
    for each in orphan_rows:
        values = "; ".join(each.samples) + (", …" if each.rows > len(each.samples) else "")
        yield Finding(
            "rows-without-parent",
            each.key.subject,
            f"{each.rows:,} {'row names' if each.rows == 1 else 'rows name'} no row of {each.key.parent} "
            f"({values}): {each.key.name}, which would forbid it, is missing or not validated.",
            {"rows": each.rows, "keys": each.samples, "constraint": each.key.name},
        )
