"""What Frigg's migration API says, and whether it is so."""

from collections.abc import Iterator, Sequence

from checks.causes import FAILED, FORESEEN, NO_HISTORY, NOT_APPLIED
from health.api.agreement import agrees, layer_is_behind, meant, unseen
from health.api.status import ApiFailure, ApiStatus
from health.catalog.catalog import Catalog
from health.check import DEPLOY_MENDS, SeverityByPhase, check
from health.config.environment import Environment
from health.finding import Evidence, Finding
from health.history.edited import edits
from health.history.history import History
from health.history.provenance import Provenance
from health.words import listed

_CALM = ("up-to-date", "pending")  # where the API gives the alarm itself, it hides nothing
_SHOWN = 3
_FAILURES = {
    "unreachable": "api-unreachable",
    "timeout": "api-timeout",
    "not found": "api-not-found",
    "failed": "api-failed",
    "unavailable": "api-unavailable",
    "unauthorized": "api-unauthorized",
    "unclear": "api-answer-unclear",
}
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
    },
    explained_by={
        "api-reports-failed": (*FAILED, "migration-running", "api-disagrees"),
        "api-reports-pending": (*NOT_APPLIED, *FAILED, "pending-migration", "api-disagrees"),
        "api-reports-diverged": ("orphaned-migration", "squash-not-recorded", "squashed-rows", "api-disagrees"),
        "api-reports-no-history": (*NO_HISTORY, "api-disagrees"),
        "api-reports-refused": ("wrong-provider", "no-migration-sql"),
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
    },
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
        yield _unusable(api_status.problem)
    elif api_status.state is not None and api_status.state != "up-to-date":
        code, message = _REPORTS[api_status.state]
        message = message.format(code=f" ({api_status.code})" if api_status.code else "")
        named = f" It names {', '.join(api_status.names)}." if api_status.names else ""
        yield Finding(code, api_status.url, message + named, {"names": api_status.names})


def _unusable(failure: ApiFailure) -> Finding:
    evidence: Evidence = {} if failure.status is None else {"status": failure.status}
    return Finding(_FAILURES[failure.kind], failure.url, failure.message, evidence)


@check(
    finds={
        "api-blind": "info",
        "api-layer-behind": DEPLOY_MENDS,
        "api-disagrees": SeverityByPhase(before="warning", after="error", nightly="warning"),
    },
    explained_by={
        "api-blind": (
            *FAILED, *NOT_APPLIED, "orphaned-migration", "edited-migration", "hand-written-row",
            "entity-data-column-missing",
        ),
        "api-layer-behind": ("stale-layer", *FORESEEN, "pending-migration", *NOT_APPLIED, *FAILED),
        "api-disagrees": ("migration-running", "database-url-stale"),
    },
)  # fmt: skip
def test_api_agrees(
    api_status: ApiStatus, history: History, catalog: Catalog, provenance: Provenance, environment: Environment
) -> Iterator[Finding]:
    """What the migration API says is what the database means.

    The API runs Prisma's status on the migrations of the deployed layer. Held against the rows that were read
    directly, by the same rules, there are three ways to differ. It is blind, by Prisma's rules rightly so, to:
    a failed row behind pending migrations, a rollback that was never applied again, rows whose migration the
    directory lacks, edited files, rows written by hand, a schema that differs, and a missing history. Its layer is
    older than this checkout, as before every deploy that brings a migration. Or both cannot be true at once.

    Believe the database. Mend what the other checks find there; where the two disagree, compare the layer's
    migrations and the functions' DATABASE_URL with this environment's.
    """
    url = api_status.url
    if not agrees(api_status, history):
        if layer_is_behind(api_status, history):
            names = history.diagnosis.unapplied
            message = (
                f"The API says up to date, and pending in this checkout: {listed(names, _SHOWN)}. The "
                "deployed layer does not hold that yet; once a deploy is done, it means that the layer was not built "
                "anew."
            )
            yield Finding("api-layer-behind", url, message, {"names": names})
        else:
            yield _disagreement(api_status, history)
    elif api_status.state in _CALM:
        found = edits(history, provenance, environment.accepted_checksums)
        edited = [edit.migration.name for edit in found if edit.kind == "edited"]
        for state in unseen(history, edited, catalog):
            names = tuple(dict.fromkeys(state.names))
            which = f": {listed(names, _SHOWN)}" if names else ""
            message = (
                f"The API says {_words(api_status.state)}; like Prisma's status, it cannot see that {state.what}"
                f"{which}. The database is right."
            )
            evidence = {"names": names, "migration": names[0] if names else None}
            yield Finding("api-blind", state.what, message, evidence)


def _disagreement(status: ApiStatus, history: History) -> Finding:
    state, names = meant(history)
    message = (
        f"The API says {_words(status.state)}{_named(status.names)}; read directly, the database says "
        f"{_words(state)}{_named(sorted(names))} by the same rules. With the same migrations and the same database "
        "both cannot be: the deployed layer holds other migrations than this checkout, the functions use another "
        "database, or something changed between the two readings. Believe the database."
    )
    return Finding("api-disagrees", status.url, message, {"api": status.state, "database": state})


def _words(state: str | None) -> str:
    return {
        "up-to-date": "that everything is applied",
        "pending": "that migrations are pending",
        "failed": "that a migration has failed",
        "diverged": "that database and directory each have migrations that the other has not",
        "no-history": "that there is no migration history",
    }.get(state or "", "nothing of use")


def _named(names: Sequence[str]) -> str:
    return f" ({listed(names, _SHOWN)})" if names else ""
