"""Tries what is suggested on copies of the environment: what does not mend is not shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from fixtures.clone.rehearsal import Refused, RehearsalClone, State, stage
from fixtures.clone.server import CloneError
from fixtures.facts import Facts, with_needs
from health.check import Check
from health.evaluation import Evaluation, evaluate
from health.finding import DEPLOY, CouldNotCheck, Finding, Fix, FixProof, NothingToCheck, Phase
from health.history.history import History
from health.pending.data_check import DataCheck
from health.report.order import in_order
from health.report.results import FindingResult, FixResult, RehearsalOutcome
from health.report.root_causes import explain
from health.sanitize import one_line
from health.words import listed
from plugins.run.check_catalog import all_checks
from plugins.run.schema_proof import SchemaProof

_OF_A_COPY = {"recorded", "catalog"}  # a check that hangs on one of them can be judged on a copy
# What a copy has not, as the rows, and what the outside says of the database itself.
_OF_THE_ENVIRONMENT = {"data_session", "api_status", "auth_log", "worker_log", "runs", "triggered", "read_only_proof"}
# What a copy may refuse and the environment not: rights, limits, what is not installed there, rows that it has not.
_OF_THE_COPY = ("42501", "57014", "0A000", "23503", "53", "58")
_PROGRESS_AFTER_S = 3.0
_SHOWN = 3  # findings that a reason names


@dataclass(frozen=True)
class RehearsalResult:
    """What came of trying fixes: their proof, or why they are refuted."""

    proof: FixProof | None
    refuted: str = ""


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
        self._first: tuple[Evaluation, State] | None = None
        self._missing: Exception | None = None

    def prove(self, finding: Finding, suggested: Sequence[Fix]) -> tuple[list[Fix], list[str]]:
        """The fixes that were not refuted, with their proofs; and why the others are not shown.

        What is preferred is applied together, in its order: several of them are steps of one way. Each fallback is a
        way of its own.
        """
        tried = {id(fix): RehearsalResult(fix.proof) for fix in suggested}
        steps = [fix for fix in suggested if fix.kind == "sql" and not fix.fallback]
        ways = [steps, *([fix] for fix in suggested if fix.kind == "sql" and fix.fallback)]
        for way in filter(None, ways):
            tried.update(dict.fromkeys(map(id, way), self._try(finding, way)))
        shown = [replace(fix, proof=proof) for fix in suggested if (proof := tried[id(fix)].proof) is not None]
        refuted = {fix.title: tried[id(fix)].refuted for fix in suggested if tried[id(fix)].refuted}
        return shown, [f"Tried on a copy, and not shown: {title}: {reason}." for title, reason in refuted.items()]

    def _try(self, finding: Finding, way: Sequence[Fix]) -> RehearsalResult:
        begun = time.monotonic()
        try:
            trial = self._prove(finding, way)
        except Refused as refused:
            own = refused.failure.limit or (refused.failure.sqlstate or "").startswith(_OF_THE_COPY)
            return _unproven(_said(refused)) if own else RehearsalResult(None, _said(refused))
        except (CloneError, CouldNotCheck) as error:
            return _unproven(one_line(str(error)))
        if trial.proof is None or trial.proof.status == "unproven":
            return trial
        return RehearsalResult(replace(trial.proof, seconds=round(time.monotonic() - begun, 3)))

    def _prove(self, finding: Finding, way: Sequence[Fix]) -> RehearsalResult:
        before, state = self._begin()
        if finding.key not in before.keys:
            return _unproven("it hangs on more than schema and history, which is all that is copied")
        with stage(self._facts) as copy:
            copy.apply(*(fix.body for fix in way))
            with copy.facts() as facts:
                after = evaluate(_judged(facts), facts)
                if trial := self._judge(finding, before, after):
                    return trial
                if wrong := self._schema.refuted(copy, facts, finding):
                    return RehearsalResult(None, wrong)
                lost = list(self._schema.lost(copy, facts))
            undone = all(fix.undo for fix in way)
            if undone and (reason := _not_undone(copy, way, state)):
                return RehearsalResult(None, reason)
        about = finding.evidence.get("name", finding.evidence.get("migration", finding.subject))
        trouble = self._trouble(str(about))
        rows = dict.fromkeys([*(fix.rows for fix in way if fix.rows), *([trouble] if trouble else []), *lost])
        if rows:
            return _unproven(f"it mends a copy, but {'; '.join(rows)}")
        warned = after.of_severity(self._phase, "warning")
        left = sorted({found.code for key, found in warned.items() if key not in before.keys})
        detail = "on a copy" + (", and its undo" if undone else "") + (f"; leaves {', '.join(left)}" if left else "")
        return RehearsalResult(FixProof("proven", "; ".join(filter(None, [detail, self._schema.detail]))))

    def _judge(self, finding: Finding, before: Evaluation, after: Evaluation) -> RehearsalResult | None:
        """Why a way does not lead out; None if it does."""
        if open_ := after.unanswered.keys() - before.unanswered.keys():
            return _unproven(one_line(str(after.unanswered[min(open_)])))
        if finding.key in after.keys:
            return RehearsalResult(None, "the finding stays")
        red = after.of_severity(self._phase, "error").keys() - before.keys
        return RehearsalResult(None, f"then there is {_named(after, red)}") if red else None

    def _begin(self) -> tuple[Evaluation, State]:
        """What the checks say of a copy as it stands, and what is in it.

        Raises:
            CouldNotCheck: there is none, or no time is left.
        """
        if self._begun is None:
            self._begun = time.monotonic()
            try:
                with stage(self._facts) as copy:
                    with copy.facts() as facts:
                        judged = evaluate(_judged(facts), facts)
                    self._first = judged, copy.state()
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
        """Try all numbered fixes in their order, then a deploy; None where none of them is SQL.

        Args:
            findings: all of the environment's.
        """
        numbered = in_order(findings)
        if not any(fix.kind == "sql" for _, fix in numbered):
            return None
        begun = time.monotonic()
        try:
            problem = self._walk(numbered)
        except Refused as refused:
            problem = _said(refused)
        except (CloneError, CouldNotCheck, NothingToCheck) as error:
            problem = one_line(str(error))
        seconds = round(time.monotonic() - begun, 3)
        return RehearsalOutcome("proven" if problem is None else "unproven", problem, seconds)

    def _walk(self, numbered: Sequence[tuple[int, FixResult]]) -> str | None:
        """Run them; gives why the end is not a healthy one."""
        self._begin()
        for number, fix in numbered:
            if fix.kind != "sql" and fix.rank != DEPLOY:
                return f"fix {number} is a {fix.kind}, which no copy can run"
            if fix.kind == "sql" and fix.proof.status != "proven":
                return f"fix {number} is unproven by itself"
        earlier, later = (
            [fix.body for _, fix in numbered if fix.kind == "sql" and (fix.rank < DEPLOY) is before]
            for before in (True, False)
        )
        with stage(self._facts) as copy:
            copy.apply(*earlier)
            with copy.facts() as facts:
                history: History = facts["history"]
                one_query: bool = facts["prisma"].one_query
            if history.deployment.error not in (None, "P3018"):
                return f"a deploy then stops with {history.deployment.error}"
            copy.deploy(history, one_query=one_query)
            copy.apply(*later)
            with copy.facts() as facts:
                after = evaluate(_judged(facts), facts)
                if after.unanswered:
                    return one_line(str(next(iter(after.unanswered.values()))))
                if red := after.of_severity("after", "error").keys():
                    return f"what remains is {_named(after, red)}"
                return self._schema.remains(copy, facts) or self._trouble()

    def _trouble(self, migration: str | None = None) -> str | None:
        """What of the environment's rows stops a deploy, or may: no copy tells, as it has none."""
        if "data_check" not in self._facts.begun():
            return None
        try:
            answers: DataCheck = self._facts["data_check"]
        except (CouldNotCheck, NothingToCheck) as error:
            return one_line(str(error))
        return answers.trouble(migration)


def _judged(facts: Facts) -> Iterator[Check]:
    """The checks that a copy can answer: with facts that come from it, and others that have been read."""
    known = facts.begun()
    for check in all_checks().values():
        needs = with_needs(check.needs)
        own = {name for name in needs if with_needs([name]) & {"database", "catalog_session", "environment_copy"}}
        if needs & _OF_A_COPY and not needs & _OF_THE_ENVIRONMENT and needs - own <= known:
            yield check


def _not_undone(copy: RehearsalClone, way: Sequence[Fix], state: State) -> str:
    """Why the undos of a way do not lead back; empty if they do."""
    try:
        copy.apply(*(fix.undo or "" for fix in reversed(way)))
    except Refused as refused:
        return f"its undo fails: {refused.failure}"
    return "" if copy.state() == state else "its undo does not restore what was"


def _said(refused: Refused) -> str:
    return f"PostgreSQL says {refused.failure.sqlstate or 'no'}: {refused.failure}"


def _unproven(reason: str) -> RehearsalResult:
    return RehearsalResult(FixProof("unproven", reason.rstrip(".")))


def _named(judged: Evaluation, keys: Collection[str]) -> str:
    """Those of these findings that no other one of them explains."""
    causes = explain(judged.all)
    roots = [found for found in judged.all if found.key in keys and causes.get(found.key) not in keys]
    return listed([one_line(f"{found.code}, {found.subject}") for found in roots], _SHOWN, "; ")
