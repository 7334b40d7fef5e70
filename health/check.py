"""What a check is: a function of facts that returns findings, and what is known about it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from health.finding import SEVERITIES, Finding, Phase, Severity
from health.parts import Part

Judge = Callable[..., Iterable[Finding]]
Listed = Callable[..., list[Finding]]


@dataclass(frozen=True)
class SeverityByPhase:
    """A severity that depends on the phase of the run."""

    before: Severity
    after: Severity
    nightly: Severity

    def at(self, phase: Phase) -> Severity:
        """The severity in one phase."""
        severity: Severity = getattr(self, phase)
        return severity


# For what a deploy is there to mend: before it information, afterwards an error.
DEPLOY_MENDS = SeverityByPhase(before="info", after="error", nightly="warning")


@dataclass(frozen=True)
class Check:
    """One invariant of an environment.

    Attributes:
        id: the function's name without ``test_``, with dashes.
        function: the judgement; its parameters are names of facts.
        finds: every finding code it may return, with its severity in each phase.
        documentation: the function's docstring, the check's public documentation.
        explained_by: for codes that it finds, the codes that may be their cause, the likeliest first.
        explains: for codes that it finds, further codes that they cause, after the causes that those name.
        part: the part of an environment that it judges, beside those that its facts are read from.
    """

    id: str
    function: Listed
    finds: Mapping[str, SeverityByPhase]
    documentation: str
    explained_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    explains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    part: Part | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the facts it judges."""
        return tuple(inspect.signature(self.function).parameters)

    @property
    def title(self) -> str:
        """The first sentence of its documentation."""
        return self.documentation.partition("\n\n")[0].replace("\n", " ")

    @property
    def topic(self) -> str:
        """What it is about: the name of its file, as ``history``; a query of rows is of the data."""
        layer, _, file = self.function.__module__.partition(".test_")
        return file if layer == "checks" else "data"

    def severity(self, phase: Phase) -> Severity:
        """The worst that it can find in this phase."""
        return worst(by.at(phase) for by in self.finds.values())

    def severity_of(self, finding: Finding, phase: Phase) -> Severity:
        """How severe one of its findings is in this phase."""
        return finding.severity or self.finds[finding.code].at(phase)

    def judge(self, facts: Mapping[str, Any]) -> list[Finding]:
        """The findings on these facts.

        Raises:
            ValueError: a finding's code is not among those that the check declares.
        """
        findings = self.function(**{name: facts[name] for name in self.needs})
        for finding in findings:
            if finding.code not in self.finds:
                raise ValueError(f"check {self.id} does not declare the finding {finding.code}")
        return findings


CHECKS: dict[str, Check] = {}


def check(
    finds: Mapping[str, Severity | SeverityByPhase],
    explained_by: Mapping[str, tuple[str, ...]] | None = None,
    explains: Mapping[str, tuple[str, ...]] | None = None,
    part: Part | None = None,
) -> Callable[[Judge], Listed]:
    """Declare a function named ``test_…`` to be a check that may return these findings.

    Where several causes compete, the consequence lists them: the likeliest decides, so their order matters. A check
    of its own, which nothing else knows, names what it explains.
    """

    def declare(function: Judge) -> Listed:
        name = id_of(function.__name__)
        by_phase = {
            code: s if isinstance(s, SeverityByPhase) else SeverityByPhase(s, s, s) for code, s in finds.items()
        }

        @functools.wraps(function)
        def judge(**facts: Any) -> list[Finding]:  # pytest takes no generators for tests
            return list(function(**facts))

        documentation = inspect.getdoc(function) or ""
        CHECKS[name] = declared = Check(name, judge, by_phase, documentation, explained_by or {}, explains or {}, part)
        judge.check = declared  # type: ignore[attr-defined]  # how the pytest hooks know it
        return judge

    return declare


def id_of(test: str) -> str:
    """Give the id of the check that a test's name, as ``test_no_failed_migration``, stands for."""
    return test.removeprefix("test_").replace("_", "-")


def check_of_code(code: str) -> Check | None:
    """The check that may return findings of this code."""
    return next((check for check in CHECKS.values() if code in check.finds), None)


def worst(severities: Iterable[Severity]) -> Severity:
    """The worst of these severities; ``info`` of none."""
    return min(severities, key=SEVERITIES.index, default="info")


def blocks(severity: Severity, fail_on: Severity) -> bool:
    """Whether a finding of this severity fails its check."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)
