"""What a waiver accepts at second hand: findings that only waived ones explain."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from health.finding import Finding
from health.report.results import FindingResult
from health.report.root_causes import accepted, explained_by
from plugins.run.items import by_target, check_of, target_name
from plugins.run.options import RUN


def accepted_findings(
    item: pytest.Item, environment: str, facts: Mapping[str, Any], findings: Sequence[FindingResult]
) -> frozenset[str]:
    """The keys of a check's findings whose causes are all waived.

    Its causes are found by other checks, which pytest may run later: they are judged here, where a waiver in force
    may concern one.

    Args:
        item: the check.
        environment: the name of the environment that it judges.
        facts: of that.
        findings: what it found.
    """
    waivers = item.config.stash[RUN].waivers
    causes = _causes({finding.code for finding in findings})
    if causes.isdisjoint(waiver.code for waiver in waivers.of(environment).in_force):
        return frozenset()
    known: list[Finding] = [*findings, *_found(item, causes, facts)]
    waived = {finding.key for finding in known if waivers.match(environment, finding) is not None}
    return frozenset(accepted(known, waived) - waived)


def _causes(codes: Collection[str]) -> set[str]:
    """The codes of what may explain findings of these, at first or second hand."""
    declared, waiting, found = explained_by(), list(codes), set[str]()
    while waiting:
        more = set(declared.get(waiting.pop(), ())) - found
        found |= more
        waiting += more
    return found


def _found(item: pytest.Item, codes: set[str], facts: Mapping[str, Any]) -> Iterator[Finding]:
    """What the other checks of the run find that may be of these codes."""
    for other in by_target(item.session)[target_name(item)]:
        check = check_of(other)
        if other is item or check is None or not codes & check.finds.keys():
            continue
        with suppress(Exception):  # it is told where the check itself runs; without an answer it names no cause
            yield from check.judge(facts)
