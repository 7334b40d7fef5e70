"""Naming the cause: which finding explains which other one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from health.finding import Finding

_FAILED = ("failed-migration", "crashed-migration", "half-applied-migration", "failed-and-applied")
_NO_HISTORY = ("no-history", "history-in-another-schema")
_NOT_APPLIED = (
    *_NO_HISTORY, "no-migration-sql", "byte-order-mark", "transaction-left-open", "pending-objects-exist",
    "rolled-back-unapplied", "out-of-order-migration",
)  # fmt: skip
_CLOSED = ("database-unreachable", "database-login-refused")
_STOPS = (*_NO_HISTORY, "no-migration-sql", "byte-order-mark", "wrong-provider", "pending-objects-exist")  # a deploy
_RUN = ("migration-not-started", "migration-run-failed", "migration-run-unfinished")  # of --migrate
# A consequence's code → the codes that may explain it, the likeliest first. A consequence whose evidence
# names a migration is explained only by a finding about that migration.
EXPLAINED_BY: Mapping[str, tuple[str, ...]] = {
    "api-reports-failed": (*_FAILED, "migration-running", "api-disagrees"),
    "api-reports-pending": (*_NOT_APPLIED, *_FAILED, "pending-migration", "api-disagrees"),
    "api-reports-diverged": ("orphaned-migration", "api-disagrees"),
    "api-reports-no-history": (*_NO_HISTORY, "api-disagrees"),
    "api-reports-refused": ("wrong-provider", "no-migration-sql"),
    "rolled-back-unapplied": _RUN,
    "out-of-order-migration": _RUN,
    "migration-run-failed": (*_FAILED, "migration-running", *_STOPS, *_CLOSED),
    "migration-run-unfinished": ("migration-running", "crashed-migration", *_CLOSED),
    "api-blind": (
        *_FAILED,
        *_NOT_APPLIED,
        "orphaned-migration",
        "edited-migration",
        "hand-written-row",
        "entity-data-column-missing",
    ),
    "api-layer-behind": ("pending-migration", *_NOT_APPLIED, *_FAILED),
    "api-disagrees": ("migration-running",),
    "run-stuck": ("migration-running", *_FAILED),
    "pending-migration": (*_NO_HISTORY, *_RUN),
    "api-database-unreachable": ("database-unreachable", "database-login-refused"),
    "entity-data-column-pending": ("pending-migration",),
    "entity-data-column-missing": _FAILED,
    "phantom-row": ("entity-data-column-missing",),
    "database-login-refused": ("database-secret-unusable",),
}


def explain(findings: Sequence[Finding]) -> dict[str, str]:
    """For each finding that another one of the same environment explains, the key of that cause."""
    causes = {}
    for finding in findings:
        for code in EXPLAINED_BY.get(finding.code, ()):
            named = finding.evidence.get("migration")
            about = [f for f in findings if f.code == code and named in (None, f.subject, f.evidence.get("migration"))]
            if about:
                causes[finding.key] = about[0].key
                break
    return causes
