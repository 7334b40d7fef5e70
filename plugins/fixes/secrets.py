"""Fixes for secrets."""

from __future__ import annotations

from plugins.fixes import no_fix

no_fix(
    {
        "secret-too-weak": (
            "None: only a person can change a secret wherever it is used.",
            "Replace {finding.shown.subject} by a random one of 20 characters or more, then deploy.",
        ),
    }
)
