"""What the functions' logs tell of the last minutes."""

from collections.abc import Iterator

from health.check import SeverityByPhase, check
from health.finding import Finding, Severity
from health.logs import findings as logs
from health.logs.findings import Log
from health.logs.patterns import codes

# What users met before a migration had ended is no fault of it; what the worker met is.
_AUTH: Severity = "warning"
_WORKER = SeverityByPhase(before="warning", after="error", nightly="warning")


def _finds(purpose: str, severity: Severity | SeverityByPhase) -> dict[str, Severity | SeverityByPhase]:
    return {**dict.fromkeys(codes(purpose).values(), severity), f"{purpose}-log-incomplete": "warning"}


@check(finds=_finds("auth", _AUTH))
def test_auth_log(auth_log: Log) -> Iterator[Finding]:
    """The log of the auth function tells of no trouble with the database or its schema.

    It serves requests, so it shows what users meet: a column or a table that a migration has yet to bring (P2022,
    P2021), a value of an enum that only one side knows, a database out of reach. The last 30 minutes are read;
    `log_minutes.auth` in the registry changes that. What is found may have been mended since: look at the times.

    Mend what the finding is explained by. Where nothing explains it, it names what to look at.
    """
    yield from logs.findings(auth_log, "auth")


@check(finds=_finds("worker", _WORKER))
def test_worker_log(worker_log: Log) -> Iterator[Finding]:
    """The log of the function that migrates tells of no failure.

    Only here stands why a migration failed: the API's `error` and its exit status never say. Prisma's code, the
    migration's name and PostgreSQL's error are lines apart, in events of their own; they are read together by
    stream and time. The last 10 minutes are read; `log_minutes.worker` in the registry changes that.

    Mend what the finding is explained by. Where nothing explains it, the state was mended since, or a retry
    is about to meet the same again.
    """
    yield from logs.findings(worker_log, "worker")
