"""Tries what is suggested on copies of the environment: what does not mend is not shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fixtures.clone.environment_copy import EnvironmentCopy
from fixtures.clone.rehearsal import Refused, RehearsalClone, State, stage
from fixtures.clone.server import CloneError
from fixtures.facts import Facts
from health.evaluation import Evaluation
from health.finding import CouldNotCheck, Finding, Fix, FixProof, NothingToCheck, Phase
from health.history.history import History
from health.pending.data_check import DataCheck
from health.pending.forecast import Forecast
from health.report.results import FindingResult, RehearsalOutcome
from health.sanitize import one_line, safe_line
from health.sql.failure import of_rows
from plugins.run.clone_checks import judge_copy, named, said
from plugins.run.plan_rehearsal import Plan, Simulation, hangs, simulate, stop
from plugins.run.schema_proof import SchemaProof

# What a copy may refuse and the environment not: rights, limits, what is not installed there, rows that it has not.
_OF_THE_COPY = ("42501", "57014", "0A000", "23503", "53", "58")
_PROGRESS_AFTER_S = 3.0


@dataclass(frozen=True)
class RehearsalResult:
    """What came of trying fixes: their proof, or why they are refuted."""

    proof: FixProof | None
    refuted: str = ""

    @property
    def proven(self) -> bool:
        """Whether they mend, for certain."""
        return self.proof is not None and self.proof.status == "proven"


@dataclass(frozen=True)
class _Before:
    """A copy before a fix is tried on it.

    Attributes:
        judged: what the checks say of it.
        pending: the migrations that a deploy would apply.
        forecast: what a deploy would do; None where nobody asked.
    """

    judged: Evaluation
    state: State
    pending: frozenset[str]
    forecast: Forecast | None

    @classmethod
    def of(cls, copy: RehearsalClone) -> _Before:
        """Look at a copy."""
        with copy.facts() as facts:
            judged = judge_copy(facts)
            pending = frozenset(each.name for each in facts["history"].pending)
            foreseen: Forecast | None = facts.if_begun("forecast")
        return cls(judged, copy.state(), pending, foreseen)

    def hides(self, name: str, mended: str) -> bool:
        """Whether trouble of a pending migration may have been there before, unforeseen: no fix of another causes it.

        Args:
            name: of the migration with the trouble.
            mended: the one that the fix is for.
        """
        if name not in self.pending or name == mended:
            return False
        foreseen = self.forecast.by_name.get(name) if self.forecast is not None else None
        return foreseen is None or foreseen.why_unanswered is not None or bool(foreseen.said)


class FixRehearsal:
    """Rehearses the fixes of one environment, as long as the time for it lasts.

    Args:
        facts: of the environment.
        phase: in which it is judged.
        progress: is told what is done, where that takes long.
    """

    def __init__(self, facts: Facts, phase: Phase, progress: Callable[[str], None] = lambda _: None) -> None:
        self._facts, self._phase, self._progress = facts, phase, progress
        self._schema = SchemaProof(facts)
        self._begun: float | None = None
        self._tell_after = _PROGRESS_AFTER_S
        self._first: _Before | None = None
        self._missing: Exception | None = None
        self._proven: list[Fix] = []  # of the findings before

    def prove(self, finding: Finding, suggested: Sequence[Fix]) -> tuple[list[Fix], list[str]]:
        """The fixes that were not refuted, with their proofs; and why the others are not shown.

        What is preferred is applied together, in its order: several of them are steps of one way. Each fallback is a
        way of its own. What is not proven alone is tried once more after the fixes of the findings before: it may
        need what they make.
        """
        tried = {id(fix): RehearsalResult(fix.proof) for fix in suggested}
        steps = [fix for fix in suggested if fix.kind == "sql" and not fix.fallback]
        ways = [steps, *([fix] for fix in suggested if fix.kind == "sql" and fix.fallback)]
        for way in filter(None, ways):
            result = self._try(finding, way)
            if not result.proven and way is steps and self._proven:
                after = self._try(finding, way, sorted(self._proven, key=lambda fix: fix.rank))
                result = after if after.proven else result
            tried.update(dict.fromkeys(map(id, way), result))
        shown = [replace(fix, proof=proof) for fix in suggested if (proof := tried[id(fix)].proof) is not None]
        self._proven += [fix for fix in shown if fix.proof.status == "proven" and not fix.fallback]
        refuted = {fix.title: tried[id(fix)].refuted for fix in suggested if tried[id(fix)].refuted}
        return shown, [f"Tried on a copy, and not shown: {title}: {reason}." for title, reason in refuted.items()]

    def _try(self, finding: Finding, way: Sequence[Fix], first: Sequence[Fix] = ()) -> RehearsalResult:
        begun = time.monotonic()
        try:
            trial = self._prove(finding, way, first)
        except Refused as refused:
            return self._refused(refused)
        except (CloneError, CouldNotCheck) as error:
            return _unproven(one_line(str(error)))
        if trial.proof is None or trial.proof.status == "unproven":
            return trial
        return RehearsalResult(replace(trial.proof, seconds=round(time.monotonic() - begun, 3)))

    def _refused(self, refused: Refused) -> RehearsalResult:
        """What does not run, and is refuted by that; not by the limits of a copy, nor by the environment's rows."""
        state = refused.failure.sqlstate or ""
        copied: EnvironmentCopy = self._facts["environment_copy"]
        by_rows = of_rows(state) and bool(copied.rows.tables)
        if refused.failure.limit or state.startswith(_OF_THE_COPY) or by_rows:
            return _unproven(said(refused))
        return RehearsalResult(None, said(refused))

    def _prove(self, finding: Finding, way: Sequence[Fix], first: Sequence[Fix]) -> RehearsalResult:
        before = self._begin()
        with stage(self._facts) as copy:
            if first:
                copy.apply(*(fix.body for fix in first))
                before = _Before.of(copy)
            if finding.key not in before.judged.keys:
                return _unproven("it hangs on more than schema and history, which is all that is copied")
            copy.apply(*(fix.body for fix in way))
            with copy.facts() as facts:
                after = judge_copy(facts)
                if trial := self._judge(finding, before, after):
                    return trial
                if wrong := self._schema.refuted(copy, facts, finding):
                    return RehearsalResult(None, wrong)
                lost = list(self._schema.lost(copy, facts))
            undone = all(fix.undo for fix in way)
            if undone and (reason := _not_undone(copy, way, before.state)):
                return RehearsalResult(None, reason)
        trouble = self._trouble(_about(finding))
        rows = dict.fromkeys([*(fix.rows for fix in way if fix.rows), *([trouble] if trouble else []), *lost])
        if rows:
            return _unproven(f"it mends a copy, but {'; '.join(rows)}")
        warned = after.of_severity(self._phase, "warning")
        left = sorted({found.code for key, found in warned.items() if key not in before.judged.keys})
        detail = "on a copy" + (", after the fixes before it" if first else "") + (", and its undo" if undone else "")
        detail += f"; leaves {', '.join(left)}" if left else ""
        return RehearsalResult(FixProof("proven", "; ".join(filter(None, [detail, self._schema.detail]))))

    def _judge(self, finding: Finding, before: _Before, after: Evaluation) -> RehearsalResult | None:
        """Why a way does not lead out; None if it does."""
        if open_ := after.unanswered.keys() - before.judged.unanswered.keys():
            return _unproven(one_line(str(after.unanswered[min(open_)])))
        if finding.key in after.keys:
            return RehearsalResult(None, "the finding stays")
        was, red = before.judged.of_severity(self._phase, "error"), after.of_severity(self._phase, "error")
        caused = [
            key for key, found in red.items() if key not in was and not before.hides(_about(found), _about(finding))
        ]
        return RehearsalResult(None, f"then there is {named(after, caused)}") if caused else None

    def _begin(self) -> _Before:
        """What the checks say of a copy as it stands, and what is in it.

        Raises:
            CouldNotCheck: there is none, or no time is left.
        """
        if self._begun is None:
            self._begun = time.monotonic()
            try:
                with stage(self._facts) as copy:
                    self._first = _Before.of(copy)
            except (CloneError, CouldNotCheck, NothingToCheck) as error:
                self._missing = error
        if self._first is None:
            raise CloneError(one_line(str(self._missing)))
        passed = time.monotonic() - self._begun
        if passed > self._facts["environment"].limits.rehearsal_s:
            raise CloneError("the time for rehearsals was used up (limits.rehearsal_s)")
        if passed > self._tell_after:
            self._progress(f"trying what is suggested on copies ({passed:.0f} s)")
            self._tell_after = passed + _PROGRESS_AFTER_S
        return self._first

    def to_the_end(self, findings: Sequence[FindingResult]) -> RehearsalOutcome | None:
        """Simulate the plan: all numbered fixes in their order, then a deploy; None where nothing tells more.

        Args:
            findings: all of the environment's.
        """
        plan = Plan.of(findings)
        begun = time.monotonic()
        if plan.to_be_simulated:
            try:
                before = self._begin().judged
                end = simulate(plan, self._facts, lambda: before, self._schema)
            except (CloneError, CouldNotCheck, NothingToCheck) as error:
                end = Simulation(False if self._stopped(plan) else None, one_line(str(error)))
        elif (problem := self._stopped(plan)) is not None:
            end = Simulation(False, problem)
        elif plan.deployments and (problem := self._untried()) is not None:
            end = Simulation(None, problem)
        else:
            return None
        plan = Plan.of(findings, end.deploys)
        problem = end.problem or hangs(plan, self._trouble())
        seconds = round(time.monotonic() - begun, 3)
        status: Literal["proven", "unproven"] = "proven" if problem is None else "unproven"
        return RehearsalOutcome(status, problem, seconds, end.deploys, plan.apart, end.stays)

    def _stopped(self, plan: Plan) -> str | None:
        """Where a deploy that the plan holds stops without a copy to tell: at a failed row that no SQL is for."""
        if not plan.deployments or "history" not in self._facts.begun():
            return None
        try:
            history: History = self._facts["history"]
        except (CouldNotCheck, NothingToCheck):
            return None
        failed = {safe_line(name) for name in history.failed_by_name}
        return f"a deploy {stop(history)}" if failed - plan.mended_by_sql else None

    def _untried(self) -> str | None:
        """Why it is not known what a deploy does; None where it is, or nobody asked."""
        foreseen: Forecast | None = self._facts.if_begun("forecast")
        unknown = foreseen.unknown if foreseen is not None else None
        return unknown.what if unknown is not None else None

    def _trouble(self, migration: str | None = None) -> str | None:
        """What of the environment's rows stops a deploy, or may: no copy tells, as it has none."""
        if "data_check" not in self._facts.begun():
            return None
        try:
            answers: DataCheck = self._facts["data_check"]
        except (CouldNotCheck, NothingToCheck) as error:
            return one_line(str(error))
        return answers.trouble(migration)


def _about(finding: Finding) -> str:
    """The migration that a finding is about, or else its subject."""
    return str(finding.evidence.get("name", finding.evidence.get("migration", finding.subject)))


def _not_undone(copy: RehearsalClone, way: Sequence[Fix], state: State) -> str:
    """Why the undos of a way do not lead back; empty if they do."""
    try:
        copy.apply(*(fix.undo or "" for fix in reversed(way)))
    except Refused as refused:
        return f"its undo fails: {refused.failure}"
    return "" if copy.state() == state else "its undo does not restore what was"


def _unproven(reason: str) -> RehearsalResult:
    return RehearsalResult(FixProof("unproven", reason.rstrip(".")))
