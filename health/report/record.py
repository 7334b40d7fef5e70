"""The record of a run, from which the terminal and every file are written (schema version 1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from health.check import Check
from health.finding import Finding, Phase
from health.nightly.drift import Drift
from health.report.json_values import Json, to_json
from health.report.order import related_checks
from health.report.overview import EntityColumn, HistoryOverview, ProofOverview
from health.report.results import CheckResult, FindingResult, RehearsalOutcome, findings_of
from health.runs.triggered import MigrationRun
from health.waivers.waivers import Waivers

SCHEMA_VERSION = 1
Verdict = Literal["healthy", "blocked", "unknown", "partial"]
_JUDGED = ("passed", "warned", "waived", "failed")


@dataclass(frozen=True)
class FactsOverview:
    """What the facts of an environment show; None where something was not read.

    Attributes:
        facts: label → what is known and where it came from.
        tunnel: whether the way to the database leads through one.
        psql_command: what runs SQL there, up to the name of the file.
        observed: label → what is compared from night to night, such as the endpoint.
    """

    facts: Mapping[str, str] = field(default_factory=dict)
    history: HistoryOverview | None = None
    entity: tuple[EntityColumn, ...] | None = None
    proof: ProofOverview | None = None
    tunnel: bool = True
    psql_command: str = "psql -v ON_ERROR_STOP=1"
    observed: Mapping[str, str] = field(default_factory=dict)

    @property
    def way(self) -> str:
        """Where a person runs SQL, and as whom."""
        way = "through your tunnel" if self.tunnel else "at the environment's database"
        return f"{way}, as the owner of the tables"

    @property
    def psql(self) -> str:
        """How a person runs SQL."""
        return f"psql -v ON_ERROR_STOP=1 {self.way}"

    def updated(self, later: FactsOverview) -> FactsOverview:
        """Return this overview with what a later one knows."""
        return FactsOverview(
            {**self.facts, **later.facts},
            later.history or self.history,
            later.entity if later.entity is not None else self.entity,
            later.proof or self.proof,
            later.tunnel,
            later.psql_command,
            {**self.observed, **later.observed},
        )


@dataclass(frozen=True)
class MigrationOutcome:
    """What came of the run of the migrations that was asked for."""

    id: str | None
    state: str
    started_at: str
    seconds: float
    url: str
    stage: str
    error: str | None
    problem: str | None

    @classmethod
    def of(cls, run: MigrationRun) -> MigrationOutcome:
        """Take over the last that is known of a run."""
        started_at = run.started_at.isoformat(timespec="seconds")
        seconds = round(run.seconds, 3)
        return cls(run.id, run.state, started_at, seconds, run.url, run.stage, run.error, run.problem)


@dataclass(frozen=True)
class EnvironmentResult:
    """An environment's part of the record.

    Attributes:
        sound: whether every check reported: not so where a process died or a file could not be collected.
        overview: what is known of the environment.
        rehearsal: what came of simulating the plan; None where there is nothing to simulate.
        selected: how many checks ran, and how many there are.
        migrated: whether this is the judgement after a run of the migrations.
        migration: that run; None where nothing was sent.
        drift: how it differs from the nights before; None without a history.
    """

    name: str
    verdict: Verdict
    sound: bool
    phase: Phase
    checks: tuple[CheckResult, ...]
    selected: tuple[int, int]
    overview: FactsOverview = FactsOverview()
    rehearsal: RehearsalOutcome | None = None
    migrated: bool = False
    migration: MigrationOutcome | None = None
    drift: Drift | None = None

    @property
    def findings(self) -> list[FindingResult]:
        """The findings of all checks."""
        return findings_of(self.checks)

    def to_json(self) -> dict[str, Json]:
        """Give the environment as it is in report.json."""
        overview = self.overview
        migration = {"migration": to_json(self.migration)} if self.migrated else {}
        drift = {"drift": to_json(self.drift)} if self.drift is not None else {}
        return {
            "name": self.name,
            "verdict": self.verdict,
            "sound": self.sound,
            "phase": self.phase,
            "facts": to_json(overview.facts),
            "history": to_json(overview.history),
            "entity": to_json(overview.entity),
            "proof": to_json(overview.proof),
            "rehearsal": to_json(self.rehearsal),
            "checks": to_json(self.checks),
            "selected": to_json(self.selected),
            **migration,
            **drift,
        }


@dataclass(frozen=True)
class Record:
    """A run.

    Attributes:
        tool_version: of this program.
    """

    tool_version: str
    started_at: str
    duration_s: float
    exit_status: int
    environments: tuple[EnvironmentResult, ...]

    @property
    def current(self) -> list[EnvironmentResult]:
        """Of each environment the judgement that counts: of those of --migrate the second one, where it was made."""
        judged = sorted(self.environments, key=lambda each: anything_judged(each.checks))
        return list({environment.name: environment for environment in judged}.values())

    def to_json(self) -> dict[str, Json]:
        """Give the record as it is in report.json."""
        return {
            "schema_version": SCHEMA_VERSION,
            "tool_version": self.tool_version,
            "started_at": self.started_at,
            "duration_s": self.duration_s,
            "exit_status": self.exit_status,
            "environments": [environment.to_json() for environment in self.environments],
        }


def judge_environment(
    name: str,
    phase: Phase,
    checks: Sequence[CheckResult],
    every_check: frozenset[str],
    *,
    sound: bool = True,
    rehearsal: RehearsalOutcome | None = None,
) -> EnvironmentResult:
    """Judge an environment by its checks.

    Args:
        name: the environment.
        phase: of the run.
        checks: one result per check.
        every_check: the ids of all checks that the suite has; fewer make the verdict ``partial``.
        sound: whether every check reported.
        rehearsal: what came of the plan: a deploy that is known to fail is no step of it.
    """
    deploys = rehearsal is None or rehearsal.deploys is not False
    return EnvironmentResult(
        name=name,
        verdict=verdict(checks, every_check, sound),
        sound=sound,
        phase=phase,
        checks=related_checks(checks, deploys=deploys),
        rehearsal=rehearsal,
        selected=(len(checks), len(every_check | {check.id for check in checks})),
    )


def unused_waivers(
    waivers: Waivers, checks: Sequence[CheckResult], every_check: Mapping[str, Check]
) -> Iterator[Finding]:
    """Report the waivers of an environment that no finding needed, in a run in which all its checks reported.

    Nothing where a check did not run or a question was left open: what was not looked for may be there.
    """
    ran = {check.id: check for check in checks}
    if every_check.keys() - ran or any(check.outcome == "unknown" for check in checks):
        return
    # A check with a reason was skipped, or failed before it could return its findings.
    subjects: dict[str, list[str]] = {
        code: [] for name, check in every_check.items() if not ran[name].reason for code in check.finds
    }
    waived = set()
    for finding in findings_of(checks):
        subjects.setdefault(finding.code, []).append(finding.subject)
        if finding.waived is not None:
            waived.add((finding.code, finding.subject))
    yield from waivers.unused(subjects, waived)


def anything_judged(checks: Sequence[CheckResult]) -> bool:
    """Tell whether at least one check passed, warned or failed: else the run says nothing."""
    return any(check.outcome in _JUDGED for check in checks)


def verdict(checks: Sequence[CheckResult], every_check: frozenset[str], sound: bool) -> Verdict:
    """Sum up the checks of an environment; see :func:`judge_environment` for the arguments."""
    outcomes = {check.outcome for check in checks}
    if "failed" in outcomes:
        return "blocked"
    if "unknown" in outcomes or not sound or not anything_judged(checks):
        return "unknown"
    return "healthy" if every_check <= {check.id for check in checks} else "partial"
