"""Fixes for waivers: none that a program could suggest, as accepting a finding is a person's decision."""

from __future__ import annotations

from collections.abc import Iterator

from health.finding import Finding, NoFix
from plugins.fixes import fixes


@fixes("expired-waiver")
def expired(finding: Finding) -> Iterator[NoFix]:
    """None: whether the finding is still accepted is its owner's decision. Mend the finding, or set a new day."""
    yield NoFix(
        "Whether the finding is still accepted is its owner's decision. Mend the finding and remove the waiver, or "
        "let the owner set a new day."
    )


@fixes("malformed-waiver")
def malformed(finding: Finding) -> Iterator[NoFix]:
    """None: only who wrote the waiver knows what it was to accept. Correct it as the message says."""
    yield NoFix("Only who wrote it knows what it was to accept. Correct what the message names, or remove it.")


@fixes("unused-waiver")
def unused(finding: Finding) -> Iterator[NoFix]:
    """None is needed: remove the waiver, or correct its subject."""
    yield NoFix("Remove it; if it was to waive a finding that is shown here, correct its subject.")
