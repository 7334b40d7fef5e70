"""Fixes for what is remarked on pending SQL: another form of the statement, which only its author can write."""

from __future__ import annotations

from collections.abc import Iterator

from health.finding import Finding, NoFix
from health.pending.squawk import RULES
from plugins.fixes import fixes, texts


@fixes("pending-sql-remark")
def remark(finding: Finding) -> Iterator[NoFix]:
    """None: the statement is written in another form, as the remark says, in the package that the migration is of."""
    yield NoFix(" ".join(RULES[rule][1] for rule in texts(finding, "rules")))
