"""Findings that can be seen in a file: which, where below the root of a checkout, and how to know one again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from health.finding import Place
from health.report.order import accepted_keys, worst_first
from health.report.record import Record
from health.report.results import CheckResult, FindingResult
from health.sanitize import safe_line


@dataclass(frozen=True)
class PlacedFinding:
    """A finding with a place.

    Attributes:
        accepted: whether it is waived, or only what is waived explains it.
        known: the same finding has it in every run, on every machine.
    """

    environment: str
    check: CheckResult
    finding: FindingResult
    place: Place
    accepted: bool
    known: str


def placed(record: Record) -> Iterator[PlacedFinding]:
    """Find all findings with a place, of each environment the worst first."""
    for environment in record.current:
        checks = {id(finding): check for check in environment.checks for finding in check.findings}
        accepted = accepted_keys(environment.findings)
        for finding in worst_first(environment.findings):
            if (place := finding.place) is not None:
                known = fingerprint(environment.name, finding)
                check = checks[id(finding)]
                yield PlacedFinding(environment.name, check, finding, place, finding.key in accepted, known)


def fingerprint(environment: str, finding: FindingResult) -> str:
    """What a finding is known by, over runs and machines: its environment, code and subject."""
    subject = finding.subject
    if finding.place is not None:  # a subject that is a path begins where this checkout is
        subject = subject.replace(finding.place.path, PurePosixPath(finding.place.path).name)
    return hashlib.sha256("\0".join((environment, finding.code, subject)).encode()).hexdigest()[:32]


def below(path: str, root: str) -> str | None:
    """The path relative to a root; None where it is not below it."""
    file = PurePosixPath(path)
    return str(file.relative_to(root)) if file.is_relative_to(root) and ".." not in file.parts else None


def fix_title(finding: FindingResult) -> str | None:
    """What the first fix does, in a few words; None where there is none."""
    return next((fix.title for fix in finding.fixes if not fix.fallback), None)


def viewed(text: str) -> str:
    """The text for a viewer that makes links of ``[text](address)``."""
    return safe_line(text).replace("](", "] (")
