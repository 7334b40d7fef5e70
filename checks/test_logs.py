"""What the functions' logs tell of the last minutes."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from checks.causes import FAILED, NO_HISTORY, UNAPPLIED
from health.check import SeverityByPhase, check
from health.finding import Finding, Severity
from health.logs.findings import INCOMPLETE, Log, troubles
from health.logs.patterns import codes

# What users met before a migration had ended is no fault of it; what the worker met is.
_AUTH: Severity = "warning"
_WORKER = SeverityByPhase(before="warning", after="error", nightly="warning")
# A kind of trouble in a log → the codes of its causes.
_CAUSES: Mapping[str, tuple[str, ...]] = {
    "migration-failed": (*FAILED, "pending-objects-exist", "rolled-back-unapplied"),
    "migration-blocked": FAILED,
    "schema-not-empty": NO_HISTORY,
    "lock-timeout": ("migration-running",),
    "database-unreachable": ("cluster-not-available", "database-unreachable", "database-url-stale"),
    "credentials-refused": ("database-secret-unusable", "database-login-refused", "database-url-password-stale"),
    "column-missing": ("entity-data-column-missing", "entity-data-column-pending", *UNAPPLIED),
    "table-missing": ("phantom-row", *UNAPPLIED),
    "enum-value-unknown": ("layer-ahead", *UNAPPLIED),
    "timeout": ("crashed-migration", "migration-running"),
    "out-of-memory": ("crashed-migration",),
    "unauthorized": ("api-unauthorized", "admin-api-key-missing"),
}


def _explained_by(purpose: str) -> dict[str, tuple[str, ...]]:
    return {code: _CAUSES[kind] for kind, code in codes(purpose).items() if kind in _CAUSES}


def _finds(purpose: str, severity: Severity | SeverityByPhase) -> dict[str, Severity | SeverityByPhase]:
    return {**dict.fromkeys(codes(purpose).values(), severity), f"{purpose}-log-incomplete": "warning"}


def _findings(log: Log, purpose: str, settled: Mapping[str, datetime]) -> Iterator[Finding]:
    known = {**codes(purpose), INCOMPLETE: f"{purpose}-log-incomplete"}
    for trouble in troubles(log, settled):
        if trouble.kind in known:  # only the worker migrates
            evidence = {**trouble.evidence, "settled": True} if trouble.settled else trouble.evidence
            severity: Severity | None = "info" if trouble.settled else None
            yield Finding(known[trouble.kind], trouble.subject, trouble.message, evidence, severity)


@check(finds=_finds("auth", _AUTH), explained_by=_explained_by("auth"))
def test_auth_log(auth_log: Log) -> Iterator[Finding]:
    """The log of the auth function tells of no trouble with the database or its schema.

    It serves requests, so it shows what users meet: a column or a table that a migration has yet to bring (P2022,
    P2021), a value of an enum that only one side knows, a database out of reach. The last 30 minutes are read;
    `log_minutes.auth` in the registry changes that. What is found may have been mended since: look at the times.

    Mend what the finding is explained by. Where nothing explains it, it names what to look at.
    """
    yield from _findings(auth_log, "auth", {})


@check(finds=_finds("worker", _WORKER), explained_by=_explained_by("worker"))
def test_worker_log(worker_log: Log, settled: Mapping[str, datetime]) -> Iterator[Finding]:
    """The log of the function that migrates tells of no failure.

    Only here stands why a migration failed: the API's `error` and its exit status never say. Prisma's code, the
    migration's name and PostgreSQL's error are lines apart, in events of their own; they are read together by
    stream and time. The last 10 minutes are read; `log_minutes.worker` in the registry changes that. Lines from before
    a migration ended, or was rolled back, are information.

    Mend what the finding is explained by. Where nothing explains it, the state was mended since, or a retry
    is about to meet the same again.
    """
    yield from _findings(worker_log, "worker", settled)
