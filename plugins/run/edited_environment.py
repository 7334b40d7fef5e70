"""Judges an environment as if one of its open migrations had another text: by the gate's forecast, probes and plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from fixtures.clone.environment_copy import Copies
from fixtures.clone.rehearsal import stage
from fixtures.clone.server import CloneError
from fixtures.facts import Facts
from health.check import CHECKS
from health.editing.verdict import EditVerdict, violations
from health.evaluation import Evaluation, evaluate
from health.finding import CouldNotCheck, Finding, Fix, NothingToCheck
from health.history.effects import NOT_LOOKED_FOR, MigrationEffect
from health.history.history import WORKER_LIMIT_S, History
from health.history.rows import HistoryTable
from health.migrations.directory import MigrationDirectory
from health.pending.data_check import DataCheck
from health.pending.forecast import Forecast
from health.prisma.engine import checksum
from health.report.results import FindingResult
from health.sanitize import one_line
from plugins.fixes import commands as shell
from plugins.fixes.history.failed import roll_back
from plugins.run.check_catalog import all_checks
from plugins.run.clone_checks import judge_copy
from plugins.run.plan_rehearsal import Plan, Simulation, simulate, stop
from plugins.run.schema_proof import SchemaProof

_CHECKS = ("pending-will-apply", "pending-data-fits")  # what the gate asks of a deploy that is to come
_ASKED_ONLY = "pending-data-unasked"  # a warning to the gate; here it is what keeps an edit from being proven
_VIOLATED = "pending-data-violates"


class EditedEnvironment:
    """An environment with one of its open migrations, whose failed rows are taken as rolled back.

    Args:
        facts: of the environment.
        name: of the migration; also an attribute.
    """

    def __init__(self, facts: Facts, name: str) -> None:
        self._facts, self.name = facts, name
        self._history: History = facts["history"]
        self._rows = self._history.failed_by_name.get(name, [])
        self._read: dict[str, Facts] = {}

    @cached_property
    def effect(self) -> MigrationEffect | None:
        """How much of the migration took effect; None where it has not failed.

        Raises:
            CouldNotCheck: that could not be found out.
        """
        if not self._rows:
            return None
        found: MigrationEffect = self._facts["recorded_effects"].get(self.name, NOT_LOOKED_FOR)
        return found

    def clearing(self) -> Fix | None:
        """The fix that lets a deploy apply the migration again; None where no failed row is in its way."""
        return roll_back(self._history, self._rows) if self._rows else None

    def directory(self, script: str) -> MigrationDirectory:
        """The migrations directory with another text of the migration."""
        held = self._history.directory
        made = (
            replace(each, sql=script, checksum=checksum(script)) if each.name == self.name else each
            for each in held.migrations
        )
        return replace(held, migrations=tuple(made))

    def foresee(self, script: str) -> Forecast:
        """Foresee the next deploy.

        Args:
            script: the text of the migration.

        Raises:
            CouldNotCheck: something could not be read.
        """
        found: Forecast = self._edited(script)["forecast"]
        return found

    def close(self) -> None:
        """Free what was read."""
        for read in self._read.values():
            read.close()
        self._read.clear()

    def judge(self, script: str) -> EditVerdict:
        """Judge the whole next deploy: run it on a clone, ask the rows, then rehearse the plan to its end.

        Args:
            script: the text of the migration.

        Raises:
            CouldNotCheck: something could not be read.
            CloneError: there is no clone.
        """
        if (reason := self._undecided()) is not None:
            return EditVerdict(reason)
        read = self._edited(script)
        all_checks()
        judged = evaluate([CHECKS[each] for each in _CHECKS], read)
        data: DataCheck | None = _known(read, "data_check")
        answers = data.answers if data is not None else ()
        findings = list(_of_the_deploy(judged))
        violated = violations(answers, self.name) or tuple(self._violated_on_the_copy(read, findings))
        problem = self._problem(read, judged, findings, violated=bool(violated))
        lines = tuple(f"{each.code}, {each.subject}: {each.message}" for each in (found.shown for found in findings))
        verdict = EditVerdict(problem, violated, lines, len(answers))
        return replace(verdict, problem=self._not_to_the_end(read)) if verdict.proven else verdict

    def _violated_on_the_copy(self, read: Facts, findings: list[Finding]) -> Iterator[str]:
        """Where copied rows stop the file before its requirements could be learnt."""
        copied: Copies = read["environment_copy"]
        for found in findings if copied.rows.tables else ():
            if found.evidence["migration"] == self.name and found.evidence.get("own_cause"):
                yield f"copied rows violate it (line {found.evidence['line']}, {found.evidence['sqlstate']})"

    def _edited(self, script: str) -> Facts:
        """The facts as they would be."""
        if script in self._read:
            return self._read[script]
        effects: Mapping[str, MigrationEffect] = self._facts["recorded_effects"]
        given: dict[str, Any] = {name: self._facts[name] for name in ("environment_copy", "replays")}
        given["recorded_effects"] = {name: each for name, each in effects.items() if name != self.name}
        if self._rows:
            given["recorded"] = _rolled_back(self._history.recorded, self.name)
        self._read[script] = self._facts.derive({**given, "migrations": self.directory(script)})
        return self._read[script]

    def _undecided(self) -> str | None:
        """Why a failed migration must not be run again, edited or not; None where it may."""
        if any(self._history.may_be_running(row) for row in self._rows):
            return f"it may still be running: its row is younger than {WORKER_LIMIT_S} s and holds no error"
        if self.effect is not None and self.effect.unseen:
            statements = "; ".join(one_line(each, 80) for each in self.effect.unseen)
            return f"whether these ran already leaves no trace, and a deploy would run them again: {statements}"
        return None

    def _problem(self, read: Facts, judged: Evaluation, findings: list[Finding], *, violated: bool) -> str | None:
        """Why the deploy does not end well, or is not known to, apart from rows that the file itself does not bear."""
        history: History = read["history"]
        if history.deployment.error not in (None, "P3018"):
            return f"a deploy {stop(history)}"
        for found in findings:
            if (reason := self._because(found, history, violated=violated)) is not None:
                return reason
        if judged.unanswered and not violated:
            return one_line(next(iter(judged.unanswered.values())).what)
        forecast: Forecast = read["forecast"]
        if self.name not in forecast.by_name:
            return f"whether the rows fit was not asked: {one_line(self.name)} is not in what the next deploy runs"
        return None

    def _because(self, found: Finding, history: History, *, violated: bool) -> str | None:
        """Why a finding keeps the deploy from ending well; None where it only says which rows do not fit the file."""
        migration = str(found.evidence["migration"])
        if migration == self.name:
            of_rows = found.code == _VIOLATED or found.evidence.get("own_cause")
            return None if violated and of_rows else f"{found.code}: {one_line(found.message)}"
        names = [each.name for each in history.pending]
        about = f"{found.code}, {one_line(migration)}"
        if names.index(migration) < names.index(self.name):
            return f"the deploy does not come to it: {about}"
        return f"the file applies, but the deploy does not end well behind it: {about}"

    def _not_to_the_end(self, read: Facts) -> str | None:
        """Why the plan, rehearsed to its end, is not proven: the row is cleared, then all is deployed."""
        deploy, clear = shell.deployment(read["environment"]), self.clearing()
        subject = Finding("pending-migration" if clear is None else "failed-migration", self.name, "")
        steps = [deploy] if clear is None else [clear, deploy]
        plan = Plan.of([FindingResult.of(subject, "info" if clear is None else "error", fixes=steps)])

        def before() -> Evaluation:
            with stage(read) as copy, copy.facts() as untouched:
                return judge_copy(untouched)

        end: Simulation = simulate(plan, read, before, SchemaProof(read))
        return None if end.problem is None else f"rehearsed to the end of the deploy: {end.problem}"


def _of_the_deploy(judged: Evaluation) -> Iterator[Finding]:
    """What stops the deploy or may, as the gate finds it."""
    for check, findings in judged.findings.items():
        for found in findings:
            if found.code == _ASKED_ONLY or CHECKS[check].severity_of(found, "before") == "error":
                yield found


def _rolled_back(recorded: HistoryTable, name: str) -> HistoryTable:
    """The history's table after the failed rows of a name were marked as rolled back."""
    rows = (
        replace(row, rolled_back_at=recorded.read_at) if row.failed and row.migration_name == name else row
        for row in recorded.rows
    )
    return replace(recorded, rows=tuple(rows))


def _known(facts: Facts, name: str) -> Any | None:
    try:
        return facts[name]
    except (CouldNotCheck, NothingToCheck, CloneError):
        return None
