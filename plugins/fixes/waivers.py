"""Fixes for waivers: none that a program could suggest, as accepting a finding is a person's decision."""

from __future__ import annotations

from plugins.fixes import no_fix

no_fix(
    {
        "expired-waiver": (
            "None: whether the finding is still accepted is its owner's decision. Mend the finding, or set a new day.",
            "Whether the finding is still accepted is its owner's decision. Mend the finding and remove the waiver, "
            "or let the owner set a new day.",
        ),
        "malformed-waiver": (
            "None: only who wrote the waiver knows what it was to accept. Correct it as the message says.",
            "Only who wrote it knows what it was to accept. Correct what the message names, or remove it.",
        ),
        "unused-waiver": (
            "None is needed: remove the waiver, or correct its subject.",
            "Remove it; if it was to waive a finding that is shown here, correct its subject.",
        ),
    }
)
