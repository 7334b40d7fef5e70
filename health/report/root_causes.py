"""Names the finding that explains another one, as the checks declare it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from health.check import CHECKS


class Found(Protocol):
    """A finding, or what the record keeps of one."""

    @property
    def code(self) -> str:
        """Its kind."""

    @property
    def subject(self) -> str:
        """What it is about."""

    @property
    def evidence(self) -> Mapping[str, object]:
        """The values that support it."""

    @property
    def key(self) -> str:
        """Its name among the findings of an environment."""


def explained_by() -> Mapping[str, tuple[str, ...]]:
    """Collect what the checks declare: a consequence's code → the codes that may explain it, the likeliest first."""
    collected = {code: causes for check in CHECKS.values() for code, causes in check.explained_by.items()}
    for check in CHECKS.values():
        for cause, consequences in check.explains.items():
            for code in consequences:
                collected[code] = (*collected.get(code, ()), cause)
    return collected


def explain(findings: Sequence[Found], waived: Collection[str] = ()) -> dict[str, str]:
    """Map each finding that another one of the same environment explains to the key of that cause.

    A finding whose evidence names a migration, or a function, is explained only by one about the same; one that is a
    cause itself (``own_cause``) by none. A cause that is not accepted goes before one that is; what was settled since
    causes nothing.

    Args:
        findings: all of the environment's.
        waived: the keys of those that a waiver accepts.
    """
    return _explained(findings, waived)[0]


def accepted(findings: Sequence[Found], waived: Collection[str]) -> set[str]:
    """The keys of the findings that are waived, or that only waived ones explain, at first or second hand."""
    return _explained(findings, waived)[1]


def _explained(findings: Sequence[Found], waived: Collection[str]) -> tuple[dict[str, str], set[str]]:
    declared, known = explained_by(), set(waived)
    while True:
        causes = _causes(findings, declared, known)
        more = {key for key, cause in causes.items() if cause in known} - known
        if not more:
            return causes, known
        known |= more


def _causes(
    findings: Sequence[Found], declared: Mapping[str, tuple[str, ...]], known: Collection[str]
) -> dict[str, str]:
    """The likeliest cause of each finding; one that is accepted only where there is no other."""
    of_code: dict[str, Found] = {}
    about: dict[tuple[str, object], Found] = {}
    live = [finding for finding in findings if not finding.evidence.get("settled")]  # the rest is past
    for finding in sorted(live, key=lambda each: each.key in known):
        of_code.setdefault(finding.code, finding)
        for named in (finding.subject, finding.evidence.get("migration")):
            about.setdefault((finding.code, named), finding)
    causes = {}
    for finding in findings:
        if finding.evidence.get("own_cause"):
            continue
        named = finding.evidence.get("migration", finding.evidence.get("function"))
        codes = declared.get(finding.code, ())
        found = [of_code.get(code) if named is None else about.get((code, named)) for code in codes]
        keys = [cause.key for cause in found if cause is not None]
        if keys:
            causes[finding.key] = next((key for key in keys if key not in known), keys[0])
    return causes
