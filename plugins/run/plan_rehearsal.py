"""Simulates the plan of an environment on one copy: its fixes in their order, the deploy, and what is there then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from fixtures.clone.rehearsal import Refused, RehearsalClone, stage
from fixtures.clone.server import CloneError
from fixtures.facts import Facts
from health.evaluation import Evaluation
from health.finding import DECISION, DEPLOY
from health.history.history import History
from health.report.order import numbered, related
from health.report.results import FindingResult, FixResult
from health.sanitize import one_line
from health.saved.run import digest
from health.words import numbered_fixes
from plugins.run.clone_checks import judge_copy, named, said
from plugins.run.schema_proof import SchemaProof

Steps = Sequence[tuple[int, FixResult]]


@dataclass(frozen=True)
class Plan:
    """The numbered fixes of an environment, with the findings that they are for.

    Attributes:
        findings: all of the environment's, related to each other.
        deploys: whether a deploy succeeds at its place; None where that is not known.
    """

    findings: Sequence[FindingResult]
    deploys: bool | None = None

    @classmethod
    def of(cls, findings: Sequence[FindingResult], deploys: bool | None = None) -> Plan:
        """The plan for findings that are not related to each other yet."""
        return cls(related(findings, deploys=deploys is not False), deploys)

    @cached_property
    def steps(self) -> Steps:
        """The fixes in their order."""
        return numbered(self.findings)

    @property
    def digests(self) -> tuple[str, ...]:
        """What tells this plan from others: its fixes in their order."""
        return tuple(digest(fix) for _, fix in self.steps)

    def numbers(self, *kinds: str) -> tuple[int, ...]:
        """The numbers of the steps of these kinds; a deploy is a step of its own."""
        return tuple(number for number, fix in self.steps if fix.kind in kinds and fix.rank != DEPLOY)

    @property
    def deployments(self) -> tuple[int, ...]:
        """The numbers of the deploys."""
        return tuple(number for number, fix in self.steps if fix.rank == DEPLOY)

    @property
    def apart(self) -> tuple[int, ...]:
        """The numbers of the steps that no copy can run."""
        return self.numbers("patch", "command", "http")

    @property
    def to_be_simulated(self) -> bool:
        """Whether it holds what only a simulation can tell the end of: a lone deploy is simulated by its forecast."""
        return bool(self.numbers("sql", "decision"))

    @property
    def not_run(self) -> tuple[int, ...]:
        """The numbers of the steps that no copy runs and that a deploy may hang on: of a file, or of rows."""
        return tuple(number for number, fix in self.steps if fix.kind != "sql" and DECISION <= fix.rank < DEPLOY)

    @property
    def mended_by_sql(self) -> set[str]:
        """The subjects of the findings that SQL of the plan is for."""
        sql = (found for found in self.findings if any(fix.order and fix.kind == "sql" for fix in found.fixes))
        return {found.subject for found in sql}

    @property
    def without_a_step(self) -> list[FindingResult]:
        """The errors that no step is for, neither for them nor for what explains them; of a chain of such the first."""
        return [found for found in self.findings if found.severity == "error" and self._stays(found)]

    def _stays(self, found: FindingResult) -> bool:
        causes = list(self._causes(found))
        has_step = any(fix.order is not None for each in (found, *causes) for fix in each.fixes)
        return not (has_step or any(each.waived or each.severity == "error" for each in causes) or found.waived)

    def _causes(self, found: FindingResult) -> Iterator[FindingResult]:
        """What explains a finding, and what explains that."""
        while (cause := self._by_key.get(found.explained_by or "")) is not None:
            yield cause
            found = cause

    @cached_property
    def _by_key(self) -> dict[str, FindingResult]:
        return {found.key: found for found in self.findings}

    def mended(self, key: str) -> bool:
        """Whether steps that are run on the copy are to end a finding, or what explains it."""
        found = self._by_key[key]
        *_, found = found, *takewhile(lambda cause: not cause.waived, self._causes(found))
        own = [fix for fix in found.fixes if fix.order is not None]
        return bool(own) and all(fix.kind in ("sql", "decision") or fix.rank == DEPLOY for fix in own)


@dataclass(frozen=True)
class Simulation:
    """What came of a plan on a copy.

    Attributes:
        deploys: whether the deploy succeeded at its place; None where that was not reached, or hangs on other steps.
        problem: why the end is not a good one; None where it is.
        stays: errors that are there at the end, and that the plan is not for.
    """

    deploys: bool | None = None
    problem: str | None = None
    stays: tuple[str, ...] = ()


def simulate(plan: Plan, facts: Facts, before: Callable[[], Evaluation], schema: SchemaProof) -> Simulation:
    """Run the plan on a copy of the environment, from its state now to the end.

    Args:
        plan: its steps that are no SQL and no deploy are passed over.
        facts: of the environment.
        before: gives what the checks say of a copy on which nothing was done; it is asked where that matters.
        schema: holds the end against what the migrations make.

    Raises:
        CloneError: there is no copy.
        CouldNotCheck: something could not be read.
    """
    unless = f", unless {numbered_fixes(plan.not_run)} mends that" if plan.not_run else ""
    with stage(facts) as copy:
        problem = _apply(copy, [(number, fix) for number, fix in plan.steps if fix.rank < DEPLOY])
        if problem is not None:
            return Simulation(None, problem + unless)
        problem = _deploy(copy)
        if problem is not None:
            return Simulation(None if unless else False, problem + unless)
        problem = _apply(copy, [(number, fix) for number, fix in plan.steps if fix.rank > DEPLOY])
        if problem is not None:
            return Simulation(True, problem)
        with copy.facts() as read:
            after = judge_copy(read)
            problem = _wrong(plan, before, after) or _otherwise(schema, copy, read)
    return Simulation(True, problem, _stays(plan, before, after))


def _otherwise(schema: SchemaProof, copy: RehearsalClone, read: Facts) -> str | None:
    """Where the schema at the end is not what the migrations make, or why that is not known; None where it is."""
    try:
        return schema.remains(copy, read) or None
    except CloneError as error:
        return one_line(str(error))


def _apply(copy: RehearsalClone, steps: Steps) -> str | None:
    """Run the SQL of these steps; gives why one does not run."""
    for number, fix in steps:
        if fix.kind == "sql":
            try:
                copy.apply(fix.body)
            except Refused as refused:
                return f"fix {number} does not run on the copy: {said(refused)}"
    return None


def _deploy(copy: RehearsalClone) -> str | None:
    """Deploy by the engine's rules; gives why it does not succeed."""
    with copy.facts() as facts:
        history: History = facts["history"]
        one_query: bool = facts["prisma"].one_query
    if history.deployment.error not in (None, "P3018"):
        return f"a deploy then {stop(history)}"
    try:
        copy.deploy(history, one_query=one_query)
    except Refused as refused:
        return f"a deploy then fails on {one_line(history.deployment.applies[refused.number])}: {said(refused)}"
    return None


def stop(history: History) -> str:
    """Where a deploy stops before it applies anything, or in what it cannot read."""
    stopped = history.deployment.stops_at or next(iter(history.failed_by_name), None)
    at = f" at {one_line(stopped)}" if stopped and history.deployment.error in ("P3009", "P3015") else ""
    return f"stops with {history.deployment.error}{at}"


def _wrong(plan: Plan, before: Callable[[], Evaluation], after: Evaluation) -> str | None:
    """What of the end is not as the plan wants it: what it caused, or did not end."""
    if after.unanswered:
        return one_line(str(next(iter(after.unanswered.values()))))
    known = {found.key for found in plan.findings}
    red = after.of_severity("after", "error").keys()
    if (caused := red - known) and (caused := caused - before().keys):
        return f"then there is {named(after, caused)}"
    remaining = {key for key in red & known if plan.mended(key)}
    return f"what remains is {named(after, remaining)}" if remaining else None


def _stays(plan: Plan, before: Callable[[], Evaluation], after: Evaluation) -> tuple[str, ...]:
    """The errors that no step is for, but those that have ended on the copy."""
    if not (left := plan.without_a_step):
        return ()
    ended = before().keys - after.keys
    return tuple(one_line(f"{each.code}, {each.subject}") for each in left if each.key not in ended)


def hangs(plan: Plan, trouble: str | None) -> str | None:
    """Why an end that is good on a copy is not proven for the environment, whose rows it has not."""
    decisions = plan.numbers("decision")
    unproven = [number for number, fix in plan.steps if fix.kind == "sql" and fix.proof.status != "proven"]
    if decisions and trouble:
        hanging = f"{numbered_fixes(unproven)} and the deploy hang" if unproven else "the deploy hangs"
        return (
            f"{hanging} on {numbered_fixes(decisions)}, a person's decision; on a copy, which has no rows, all of it "
            "ends well"
        )
    if unproven:
        return f"{numbered_fixes(unproven)} {'is' if len(unproven) == 1 else 'are'} unproven by itself"
    return trouble
