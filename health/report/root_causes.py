"""Naming the cause: which finding explains which other one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from health.finding import Finding
from health.logs.patterns import PURPOSES, codes

_FAILED = ("failed-migration", "crashed-migration", "half-applied-migration", "failed-and-applied")
_FORESEEN = ("pending-migration-fails", "pending-data-violates")
_NO_HISTORY = ("no-history", "history-in-another-schema")
_NOT_APPLIED = (
    *_NO_HISTORY, "no-migration-sql", "byte-order-mark", "transaction-left-open", "pending-objects-exist",
    *_FORESEEN, "rolled-back-unapplied", "out-of-order-migration",
)  # fmt: skip
_CLOSED = ("database-unreachable", "database-login-refused")
_STOPS = (*_NO_HISTORY, "no-migration-sql", "byte-order-mark", "wrong-provider", "pending-objects-exist")  # a deploy
_ENTITY_DATA = ("entity-data-column-missing", "entity-data-column-nullable")
# What leaves a schema that is not what the applied migrations make.
_NOT_AS_MADE = (
    *_FAILED, "pending-objects-exist", "phantom-row", "edited-migration", "edited-after-failure", "hand-written-row",
    "rolled-back-unapplied", "out-of-order-migration", "migration-running",
)  # fmt: skip
_RUN = ("migration-not-started", "migration-run-failed", "migration-run-unfinished")  # of --migrate
_UNAPPLIED = (*_FAILED, "rolled-back-unapplied", "out-of-order-migration", "pending-migration")
# The same for what a function's log tells, by its kind.
_LOGGED: Mapping[str, tuple[str, ...]] = {
    "migration-failed": (*_FAILED, "pending-objects-exist", "rolled-back-unapplied"),
    "migration-blocked": _FAILED,
    "schema-not-empty": _NO_HISTORY,
    "lock-timeout": ("migration-running",),
    "database-unreachable": ("cluster-not-available", "database-unreachable", "database-url-stale"),
    "credentials-refused": ("database-secret-unusable", "database-login-refused", "database-url-password-stale"),
    "column-missing": ("entity-data-column-missing", "entity-data-column-pending", *_UNAPPLIED),
    "table-missing": ("phantom-row", *_UNAPPLIED),
    "enum-value-unknown": ("layer-ahead", *_UNAPPLIED),
    "timeout": ("crashed-migration", "migration-running"),
    "out-of-memory": ("crashed-migration",),
    "unauthorized": ("api-unauthorized", "admin-api-key-missing"),
}
# What the worker's log tells of a run that nothing else does.
_RUN_LOGGED = tuple(
    codes("worker")[kind]
    for kind in (
        "lock-timeout", "migration-blocked", "schema-not-empty", "database-unreachable", "credentials-refused",
        "out-of-memory", "timeout",
    )
)  # fmt: skip
# What is told of a pending migration beside the finding that it is pending.
_BESIDE = (*_FORESEEN, "pending-migration-unforeseen", *_NOT_APPLIED, *_FAILED, "pending-migration")
# A consequence's code → the codes that may explain it, the likeliest first. A consequence whose evidence
# names a migration, or a function, is explained only by a finding about that one.
EXPLAINED_BY: Mapping[str, tuple[str, ...]] = {
    "api-reports-failed": (*_FAILED, "migration-running", "api-disagrees"),
    "api-reports-pending": (*_NOT_APPLIED, *_FAILED, "pending-migration", "api-disagrees"),
    "api-reports-diverged": ("orphaned-migration", "api-disagrees"),
    "api-reports-no-history": (*_NO_HISTORY, "api-disagrees"),
    "api-reports-refused": ("wrong-provider", "no-migration-sql"),
    "rolled-back-unapplied": (*_RUN, *_FORESEEN),
    "out-of-order-migration": (*_RUN, *_FORESEEN),
    "migration-run-failed": (*_FAILED, "migration-running", *_STOPS, *_CLOSED, *_RUN_LOGGED),
    "migration-run-unfinished": ("migration-running", "crashed-migration", *_CLOSED, *_RUN_LOGGED),
    "api-blind": (
        *_FAILED,
        *_NOT_APPLIED,
        "orphaned-migration",
        "edited-migration",
        "hand-written-row",
        "entity-data-column-missing",
    ),
    "api-layer-behind": ("stale-layer", *_FORESEEN, "pending-migration", *_NOT_APPLIED, *_FAILED),
    "api-disagrees": ("migration-running", "database-url-stale"),
    "run-stuck": ("migration-running", *_FAILED),
    "pending-migration": (*_NO_HISTORY, *_RUN, *_FORESEEN),
    "pending-migration-fails": ("pending-objects-exist", *_FAILED, *_RUN),
    "pending-migration-unforeseen": _FORESEEN,
    "pending-data-violates": ("pending-objects-exist", "pending-migration-fails"),
    "pending-data-unasked": _BESIDE,
    "pending-locks-table": _BESIDE,
    "api-database-unreachable": (
        "cluster-not-available",
        "database-url-stale",
        "database-url-password-stale",  # the functions do not go through the bastion
        "database-unreachable",
        "database-login-refused",
        "too-many-connections",
        "database-waking",
        "database-silent",
        "database-missing",
    ),
    "entity-data-column-pending": (*_FORESEEN, "pending-migration"),
    "pending-sql-remark": (
        *_FORESEEN,
        "pending-objects-exist",
        "rolled-back-unapplied",
        "out-of-order-migration",
        "pending-migration",
    ),
    "entity-data-column-missing": _FAILED,
    "phantom-row": ("entity-data-column-missing",),
    "rows-without-parent": ("constraint-not-validated", "schema-object-missing"),
    "schema-object-missing": (*_ENTITY_DATA, *_NOT_AS_MADE),
    "schema-object-different": (*_ENTITY_DATA, *_NOT_AS_MADE),
    "schema-object-extra": (*_NOT_AS_MADE, "orphaned-migration"),
    "enum-label-extra": (*_NOT_AS_MADE, "orphaned-migration"),
    "index-invalid": _NOT_AS_MADE,
    "constraint-not-validated": _NOT_AS_MADE,
    "database-login-refused": ("database-secret-unusable", "cluster-not-available"),
    "database-unreachable": ("security-group-closed", "cluster-not-available"),
    "database-url-password-stale": ("database-login-refused", "database-url-stale"),
    "database-host-stale": ("database-url-stale",),
    "database-url-stale": ("database-missing",),  # the registry's own name of it is wrong
    "admin-api-key-missing": ("function-missing",),
    "stale-layer": (*_NOT_APPLIED, *_FAILED, "pending-migration"),
    "layer-mismatch": ("edited-migration", "comment-edited-migration", "edited-after-failure"),
    "orphaned-migration": ("layer-ahead",),
    **{code: _LOGGED[kind] for purpose in PURPOSES for kind, code in codes(purpose).items() if kind in _LOGGED},
}


def explain(findings: Sequence[Finding]) -> dict[str, str]:
    """For each finding that another one of the same environment explains, the key of that cause."""
    causes = {}
    for finding in findings:
        for code in EXPLAINED_BY.get(finding.code, ()):
            named = finding.evidence.get("migration", finding.evidence.get("function"))
            about = [f for f in findings if f.code == code and named in (None, f.subject, f.evidence.get("migration"))]
            if about:
                causes[finding.key] = about[0].key
                break
    return causes
