"""Fixes for rows: none that a program could suggest, as what a row is worth is a person's decision."""

from __future__ import annotations

from plugins.fixes import no_fix

no_fix(
    {
        "rows-without-parent": (
            "None: what such rows are worth is a person's decision. Then make or validate the constraint.",
            "What these rows are worth is a person's decision: give them a parent, set the column to NULL where it "
            "may be, or delete them. Then make or validate {finding.evidence[constraint]}.",
        ),
    }
)
