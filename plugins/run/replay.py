"""What stands in for the outside in a replay: facts that are there already, and what came of trying fixes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, get_type_hints

from fixtures.facts import READERS
from health.finding import CouldNotCheck, Finding, Fix
from health.report.results import FindingResult, RehearsalOutcome
from health.saved.run import SavedRun, SavedTarget, as_of, digest, outcome_as_of
from plugins.run.plan_rehearsal import Plan


def type_of(fact: str) -> Any:
    """The type of a registered fact."""
    return get_type_hints(READERS[fact].function)["return"]


def given(target: SavedTarget) -> dict[str, Future[Any]]:
    """Every fact and resource that there is: as it was read, or why there is none. Nothing is left to be read.

    Raises:
        ValueError: one is not of its type.
    """
    return {name: _read(target, name) for name in READERS}


def _read(target: SavedTarget, name: str) -> Future[Any]:
    future: Future[Any] = Future()
    saved = target.facts.get(name)
    if saved is None or READERS[name].live:
        missing = f"{name} was not read by the run that was saved", "--replay", "Ask the environment itself."
        future.set_exception(CouldNotCheck(*missing))
        return future
    try:
        value = saved.read(type_of(name))
    except ValueError as error:
        raise ValueError(f"{target.name}: {name}: {error}") from None
    if isinstance(value, Exception):
        future.set_exception(value)
    else:
        future.set_result(value)
    return future


class SavedRehearsal:
    """The proofs of a target's fixes, as they were then; stands in for plugins.run.fix_rehearsal.

    Args:
        saved: the run.
        target: of it.
    """

    def __init__(self, saved: SavedRun, target: SavedTarget) -> None:
        self._day, self._plan = saved.day, target.plan
        self._findings = {finding.key: finding for finding in target.findings}

    def prove(self, finding: Finding, suggested: Sequence[Fix]) -> tuple[list[Fix], list[str]]:
        """The fixes that were not refuted then, with their proofs; and why the others are not shown.

        One that was not suggested then is shown as it is: not rehearsed.
        """
        then = self._findings.get(finding.key)
        if then is None:
            return list(suggested), []
        proofs = {each.digest: as_of(self._day, each.proof) for each in then.shown}
        refuted = set(then.suggested) - proofs.keys()
        shown = [
            replace(fix, proof=proofs.get(digest(fix), fix.proof)) for fix in suggested if digest(fix) not in refuted
        ]
        return shown, list(then.refuted) if len(shown) < len(suggested) else []

    def to_the_end(self, findings: Sequence[FindingResult]) -> RehearsalOutcome | None:
        """What came of the plan then."""
        return outcome_as_of(self._day, self._plan, Plan.of(findings).digests)
