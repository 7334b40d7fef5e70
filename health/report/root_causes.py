"""Names the finding that explains another one, as the checks declare it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def explain(findings: Sequence[Found]) -> dict[str, str]:
    """Map each finding that another one of the same environment explains to the key of that cause.

    A finding whose evidence names a migration, or a function, is explained only by one about the same; one that is a
    cause itself (``own_cause``) by none.
    """
    of_code: dict[str, Found] = {}
    about: dict[tuple[str, object], Found] = {}
    for finding in findings:
        of_code.setdefault(finding.code, finding)
        for named in (finding.subject, finding.evidence.get("migration")):
            about.setdefault((finding.code, named), finding)
    causes, declared = {}, explained_by()
    for finding in findings:
        if finding.evidence.get("own_cause"):
            continue
        named = finding.evidence.get("migration", finding.evidence.get("function"))
        for code in declared.get(finding.code, ()):
            cause = of_code.get(code) if named is None else about.get((code, named))
            if cause is not None:
                causes[finding.key] = cause.key
                break
    return causes
