"""Fixes for the migration API, its word and its runs."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from health.config.environment import Environment
from health.finding import Finding, Fix, NoFix
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix

no_fix(
    {
        ("api-unreachable", "api-timeout", "api-unavailable"): (
            "None: nothing in the database is to be changed. The finding says how far the request came.",
            "No SQL mends this. Try the address from another network; if it answers nowhere, look at the API in API "
            "Gateway and at the log of its router function (dbMigrationRouter).",
        ),
        "api-not-found": (
            "None: either api_url names another API, or the deployed release lacks the routes.",
            "Compare api_url in the registry with the API that the stack has deployed. If it is the same, deploy a "
            "release of Frigg with the routes of the migration API.",
        ),
        ("api-failed", "api-answer-unclear"): (
            "None: the finding says what the API answered; the logs of its functions say why.",
            "No SQL mends this. Look into the logs of dbMigrationRouter and dbMigrationWorker at this minute.",
        ),
        (
            "api-reports-failed",
            "api-reports-diverged",
            "api-reports-no-history",
            "api-reports-pending",
            "api-reports-refused",
            "api-database-unreachable",
        ): (
            "None of its own: the API repeats what the history checks find; mend that.",
            "The API only repeats it: mend what the checks of history and tunnel find.",
        ),
        "api-blind": (
            "None of its own: the API is as Prisma made it; mend the state that it cannot see.",
            "The API cannot be mended: mend the state that the other checks find, and do not go by the API.",
        ),
        "api-layer-behind": (
            "None before a deploy, which brings the layer; after it, build the layer anew and deploy again.",
            "A deploy brings the layer. If there has been one: remove layers/prisma in the application's backend, "
            "which keeps an old build, and deploy again.",
        ),
        "api-disagrees": (
            "None: which side is wrong is to be found out first, and no SQL helps either.",
            "Run again, in case something was at work. Then compare the layer of dbMigrationWorker with this "
            "checkout, and the host in its DATABASE_URL with the endpoint in the header.",
        ),
    }
)


@fixes("api-unauthorized")
def unauthorized(finding: Finding, environment: Environment) -> Iterator[Fix | NoFix]:
    """Deploy with ADMIN_API_KEY set, so that auth function and API hold the same key; none for a 403."""
    if finding.evidence.get("status") == HTTPStatus.FORBIDDEN:
        yield NoFix("The key is not in question: look at the authorizers, the firewall and the policy before the API.")
    else:
        yield shell.deployment_with_key(environment)


@fixes("run-stuck")
def run_stuck(finding: Finding) -> Iterator[NoFix]:
    """None: see what ended the worker, and what its migration has left behind; the record ends by itself never."""
    if finding.evidence["state"] == "RUNNING":
        yield NoFix(
            "Mend what no-failed-migration finds, if anything, and what ended the worker (its log). Where the job must "
            "not run again, purge the DbMigrationQueue: that drops every job in it. The record itself does no harm."
        )
    else:
        yield NoFix(
            "Look whether the DbMigrationQueue triggers dbMigrationWorker, and at that function's log. The job may "
            "still run, up to 14 days after it was queued; purge the queue where it must not."
        )
