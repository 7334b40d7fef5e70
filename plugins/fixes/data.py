"""Fixes for rows: none that a program could suggest, as what a row is worth is a person's decision."""

from __future__ import annotations

from collections.abc import Iterator

from health.finding import Finding, NoFix
from plugins.fixes import fixes


@fixes("rows-without-parent")
def without_parent(finding: Finding) -> Iterator[NoFix]:
    """None: what such rows are worth is a person's decision. Then make or validate the constraint."""
    yield NoFix(
        "What these rows are worth is a person's decision: give them a parent, set the column to NULL where it may "
        f"be, or delete them. Then make or validate {finding.shown.evidence['constraint']}."
    )
