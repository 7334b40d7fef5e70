"""Judging an environment by all checks at once, outside pytest's loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from health.check import CHECKS, Check
from health.finding import CouldNotCheck, Finding, NothingToCheck, Phase, Severity


@dataclass(frozen=True)
class Evaluation:
    """The answers of checks.

    Attributes:
        findings: by the id of the check.
        unanswered: why a check has no answer, by its id.
    """

    findings: Mapping[str, list[Finding]] = field(default_factory=dict)
    unanswered: Mapping[str, CouldNotCheck] = field(default_factory=dict)

    @cached_property
    def all(self) -> list[Finding]:
        """The findings of all checks."""
        return [finding for found in self.findings.values() for finding in found]

    @cached_property
    def keys(self) -> set[str]:
        """Their keys."""
        return {finding.key for finding in self.all}

    @property
    def serious(self) -> set[str]:
        """The keys of those that are more than information before a deploy."""
        return set(self.of_severity("before", "error", "warning"))

    def of_severity(self, phase: Phase, *severities: Severity) -> dict[str, Finding]:
        """Those that are as severe in a phase, by their keys."""
        return {
            finding.key: finding
            for check, found in self.findings.items()
            for finding in found
            if CHECKS[check].severity_of(finding, phase) in severities
        }


def evaluate(checks: Iterable[Check], facts: Mapping[str, Any]) -> Evaluation:
    """What these checks say of these facts; one that has nothing to check finds nothing."""
    findings: dict[str, list[Finding]] = {}
    unanswered: dict[str, CouldNotCheck] = {}
    for check in checks:
        try:
            findings[check.id] = check.judge(facts)
        except CouldNotCheck as error:
            unanswered[check.id] = error
        except NothingToCheck:
            findings[check.id] = []
    return Evaluation(findings, unanswered)
