"""What Frigg's migration API says."""

from collections.abc import Iterator

from health.api import ApiStatus
from health.check import DEPLOY_MENDS, check
from health.finding import Finding

_REPORTS = {
    "pending": ("api-reports-pending", "The API says that migrations are pending."),
    "failed": ("api-reports-failed", "The API says that a migration has failed."),
    "diverged": (
        "api-reports-diverged",
        "The API says that directory and database have different histories.",
    ),
    "no-history": ("api-reports-no-history", "The API says that the database has no migration history."),
    "refused": ("api-reports-refused", "The API says that its migrations directory cannot be used (P3015, P3019)."),
    "unreachable": ("api-database-unreachable", "The API itself cannot reach or enter the database{code}."),
    "unclear": ("api-answer-unclear", "The API says that something is wrong, and not what."),
}


@check(
    finds={
        "api-unreachable": "error",
        "api-timeout": "error",
        "api-not-found": "error",
        "api-failed": "error",
        "api-unavailable": "error",
        "api-unauthorized": "error",
        "api-answer-unclear": "error",
        "api-reports-failed": "error",
        "api-reports-diverged": "error",
        "api-reports-no-history": "error",
        "api-reports-refused": "error",
        "api-database-unreachable": "error",
        "api-reports-pending": DEPLOY_MENDS,
    }
)
def test_api_status(api_status: ApiStatus) -> Iterator[Finding]:
    """The migration API accepts the key and reports the database up to date.

    Deploys are followed through it. Its `error` text holds what Prisma's status printed on standard error;
    `pendingMigrations` is always 0 when something is wrong, and *up to date* hides orphaned, edited and
    rolled-back migrations: the history checks look at the table itself.

    Newer releases of Frigg have it under `/admin/db-migrate`, which is found by itself. Each way not to answer has a
    finding of its own: no connection, too slow, a refused key, a path that is not there (three kinds of 404), an
    error of its own, API Gateway in its place, and what cannot be understood.

    Mend what the history checks find; the API then reports it. For a refused key, deploy again with the right one.
    """
    if api_status.problem is not None:
        yield api_status.problem
    elif api_status.state is not None and api_status.state != "up-to-date":
        code, message = _REPORTS[api_status.state]
        message = message.format(code=f" ({api_status.code})" if api_status.code else "")
        named = f" It names {', '.join(api_status.names)}." if api_status.names else ""
        yield Finding(code, api_status.url, message + named, {"names": api_status.names})
