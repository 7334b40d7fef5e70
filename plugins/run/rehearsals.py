"""Which rehearsal tries the fixes of a target: one on clones, or that of the run that is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest

from health.finding import Finding, Fix
from health.report.results import FindingResult, RehearsalOutcome
from health.saved.run import RehearsedFinding, RehearsedFix, RehearsedPlan, digest
from plugins.run.fact_fixtures import FACT_SETS, target_of
from plugins.run.fix_rehearsal import FixRehearsal
from plugins.run.items import target_name
from plugins.run.options import RUN
from plugins.run.plan_rehearsal import Plan
from plugins.run.replay import SavedRehearsal


class Rehearsal(Protocol):
    """What tries fixes; :class:`plugins.run.fix_rehearsal.FixRehearsal` says what each method gives."""

    def prove(self, finding: Finding, suggested: Sequence[Fix]) -> tuple[list[Fix], list[str]]:
        """Try the fixes of a finding."""

    def to_the_end(self, findings: Sequence[FindingResult]) -> RehearsalOutcome | None:
        """Try the whole plan."""


class KeptRehearsal:
    """A rehearsal that keeps what came of it.

    Attributes:
        findings: what came of trying the fixes of each.
        plan: what came of all together; None where that was not tried.
    """

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self.findings: list[RehearsedFinding] = []
        self.plan: RehearsedPlan | None = None

    def prove(self, finding: Finding, suggested: Sequence[Fix]) -> tuple[list[Fix], list[str]]:
        """Try the fixes of a finding."""
        shown, refuted = self._rehearsal.prove(finding, suggested)
        tried = tuple(map(digest, suggested))
        proofs = tuple(RehearsedFix(digest(fix), fix.proof) for fix in shown)
        self.findings.append(RehearsedFinding(finding.key, tried, proofs, tuple(refuted)))
        return shown, refuted

    def to_the_end(self, findings: Sequence[FindingResult]) -> RehearsalOutcome | None:
        """Try the whole plan."""
        outcome = self._rehearsal.to_the_end(findings)
        self.plan = RehearsedPlan(Plan.of(findings).digests, outcome)
        return outcome


REHEARSALS = pytest.StashKey[dict[str, KeptRehearsal]]()


def rehearsal_of(item: pytest.Item) -> KeptRehearsal | None:
    """What tries the fixes of an item's target; None where nothing of it is read."""
    name, known = target_name(item) or "", item.config.stash.setdefault(REHEARSALS, {})
    readings, target = item.config.stash[FACT_SETS], target_of(item)
    facts = readings.read(name)
    if name not in known and facts is not None and target is not None:
        known[name] = KeptRehearsal(_rehearsal(item.config, name))
    return known.get(name)


def _rehearsal(config: pytest.Config, name: str) -> Rehearsal:
    run, readings = config.stash[RUN], config.stash[FACT_SETS]
    target, facts = run.targets[name], readings.read(name)
    if run.replay is not None:
        return SavedRehearsal(run.replay, run.replay.by_name[name])
    assert facts is not None  # noqa: S101 - they were begun
    return FixRehearsal(facts, target.phase, lambda line: readings.say(f"{target.environment}: {line}"))
