"""Naming the cause: which finding explains which other one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from health.finding import Finding

# A consequence's code → the codes that may explain it, the likeliest first. A consequence whose evidence
# names a migration is explained only by a finding about that migration.
EXPLAINED_BY: Mapping[str, tuple[str, ...]] = {
    "api-reports-failed": ("failed-migration",),
    "api-reports-pending": ("pending-migration", "failed-migration"),
    "api-reports-diverged": ("orphaned-migration",),
    "api-database-unreachable": ("database-unreachable", "database-login-refused"),
    "entity-data-column-pending": ("pending-migration",),
    "entity-data-column-missing": ("failed-migration",),
    "database-login-refused": ("database-secret-unusable",),
}


def explain(findings: Sequence[Finding]) -> dict[str, str]:
    """For each finding that another one of the same environment explains, the key of that cause."""
    causes = {}
    for finding in findings:
        for code in EXPLAINED_BY.get(finding.code, ()):
            named = finding.evidence.get("migration")
            cause = next((f for f in findings if f.code == code and named in (None, f.subject)), None)
            if cause is not None:
                causes[finding.key] = cause.key
                break
    return causes
