"""What a run has read, as a replay of it needs it: values, and no secret among them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from health.config.environment import Environment
from health.finding import CouldNotCheck, Fix, FixProof, NothingToCheck, Phase, Severity
from health.report.json_values import Json, from_json, to_json
from health.report.record import FactsOverview
from health.report.results import RehearsalOutcome
from health.sanitize import one_line
from health.waivers.waivers import Waivers


@dataclass(frozen=True)
class SavedFact:
    """What came of reading a fact.

    Attributes:
        value: as JSON, where there is one.
        told: why there is none: the arguments of the exception.
    """

    outcome: Literal["value", "could not check", "nothing to check"]
    value: Any = None
    told: tuple[str | None, ...] = ()

    @classmethod
    def of(cls, read: object, kind: Any, clean: Callable[[Json], Json]) -> SavedFact:
        """Keep a value, or the exception in place of one; what cannot be read back is kept as unanswered.

        Args:
            read: what came of reading the fact.
            kind: its type.
            clean: takes secrets out of texts.
        """
        if isinstance(read, CouldNotCheck):
            return cls("could not check", told=(read.what, read.where, read.remedy, read.explained_by))
        if isinstance(read, NothingToCheck):
            return cls("nothing to check", told=(str(read),))
        try:
            value = clean(to_json(read, named=True))
            from_json(kind, value)
        except (TypeError, ValueError) as error:
            what = f"it could not be saved: {one_line(str(error), 200)}"
            return cls("could not check", told=(what, "the run that was saved", "Ask the environment itself.", None))
        return cls("value", value)

    def read(self, kind: Any) -> object:
        """Give the value of a type, or the exception in place of one.

        Raises:
            ValueError: it is of another type.
        """
        if self.outcome == "value":
            return from_json(kind, self.value)
        try:
            if self.outcome == "nothing to check":
                (reason,) = self.told
                return NothingToCheck(reason or "")
            what, where, remedy, explained_by = self.told
        except ValueError:
            raise ValueError(f"{self.outcome}, for {len(self.told)} reasons") from None
        return CouldNotCheck(what or "", where or "", remedy or "", explained_by)


@dataclass(frozen=True)
class RehearsedFix:
    """The proof of a fix; ``digest`` tells which one that is."""

    digest: str
    proof: FixProof


@dataclass(frozen=True)
class RehearsedFinding:
    """What came of trying the fixes of a finding.

    Attributes:
        key: of the finding.
        suggested: the digests of all that were tried.
        shown: those that were not refuted.
        refuted: why others are not shown.
    """

    key: str
    suggested: tuple[str, ...]
    shown: tuple[RehearsedFix, ...]
    refuted: tuple[str, ...]


@dataclass(frozen=True)
class RehearsedPlan:
    """What came of trying a whole plan: the digests of its fixes in their order."""

    fixes: tuple[str, ...]
    outcome: RehearsalOutcome | None


@dataclass(frozen=True)
class SavedTarget:
    """One judgement of an environment.

    Attributes:
        name: of the target.
        environment: its settings, without secrets.
        checks: the ids of those that judged it.
        facts: what was read, by the names of the facts.
        overview: what the facts showed.
        findings: what came of trying the fixes of each.
        plan: what came of trying all of them; None where that was not done.
        invariants: the texts of the files of a team's own, by their names.
    """

    name: str
    environment: Environment
    phase: Phase
    checks: tuple[str, ...]
    facts: Mapping[str, SavedFact]
    overview: FactsOverview = field(default_factory=FactsOverview)
    findings: tuple[RehearsedFinding, ...] = ()
    plan: RehearsedPlan | None = None
    invariants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SavedRun:
    """A run.

    Attributes:
        tool_version: of the program that saved it.
        saved_at: in UTC, ISO 8601.
        waivers: the accepted findings, as they were in force then.
    """

    tool_version: str
    saved_at: str
    fail_on: Severity
    waivers: Waivers
    targets: tuple[SavedTarget, ...]

    @cached_property
    def by_name(self) -> Mapping[str, SavedTarget]:
        """The targets by their names."""
        return {target.name: target for target in self.targets}

    @property
    def version(self) -> str:
        """The version of the program that saved it, for a person."""
        return one_line(self.tool_version, 40)

    @property
    def day(self) -> str:
        """When it was saved, to the minute, for a person."""
        return one_line(self.saved_at.removesuffix("+00:00")[:16].replace("T", " "), 16) + " UTC"


def without_secrets(environment: Environment) -> Environment:
    """Give the settings that are no secret; those of them that are Secret values are left out by their type."""
    return replace(environment, database_url="", aws_access_key_id=None)  # the URL may have its password literally


def digest(fix: Fix) -> str:
    """Tell a fix from all others: by what it does, and how that is undone."""
    text = "\0".join((fix.kind, str(fix.fallback), fix.body, fix.undo or ""))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def as_of(day: str, proof: FixProof) -> FixProof:
    """Mark a proof as of the day on which it was made."""
    return replace(proof, detail=f"{proof.detail}; as of {day}") if proof.status == "proven" else proof


def outcome_as_of(day: str, plan: RehearsedPlan | None, fixes: Sequence[str]) -> RehearsalOutcome | None:
    """Give what came of a plan, marked as of the day; of another plan than these fixes nothing is known."""
    if plan is None or plan.outcome is None:
        return None
    if tuple(fixes) != plan.fixes:
        what = f"the fixes are not those that were tried on {day}"
        return RehearsalOutcome("unproven", what, 0.0, plan.outcome.deploys)
    proven = plan.outcome.status == "proven"
    return replace(plan.outcome, detail=f"as of {day}") if proven else plan.outcome
