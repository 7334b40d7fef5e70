"""Faults of Frigg's migration API."""

from __future__ import annotations

from datetime import timedelta

from sandbox.faults import fault
from sandbox.faults.history import rolled_back_unapplied
from sandbox.plan import Plan, RecordedRun

_LATER = {"20261101090000_add_integration_updated_index": 'CREATE INDEX "later" ON "Integration" ("updatedAt");\n'}


@fault("api-unauthorized")
def api_unauthorized(plan: Plan) -> None:
    """The API expects another key than the auth function holds."""
    plan.api_key = f"{plan.admin_key}-other"


@fault("api-unreachable")
def api_down(plan: Plan) -> None:
    """Nothing listens at the API's address."""
    plan.api_mode = "down"


@fault("api-timeout")
def api_slow(plan: Plan) -> None:
    """The API takes the request and says nothing; the limit is a second."""
    plan.api_mode = "silent"
    plan.limits["api_read_s"] = 1


@fault("api-answer-unclear")
def api_html(plan: Plan) -> None:
    """A page of HTML stands at the API's address."""
    plan.api_mode = "html"


@fault("api-not-found")
def api_not_found(plan: Plan) -> None:
    """API Gateway has no route of the migration API."""
    plan.api_mode = "unrouted"


@fault("api-failed")
def api_failed(plan: Plan) -> None:
    """The worker behind the API's status call crashes."""
    plan.api_mode = "failed"


@fault("api-unavailable")
def api_unavailable(plan: Plan) -> None:
    """API Gateway answers 503 in the API's place."""
    plan.api_mode = "unavailable"


@fault()
def api_admin_path(plan: Plan) -> None:
    """A newer release of Frigg, which has the API under /admin/db-migrate; nothing is wrong."""
    plan.api_prefix = "/admin/db-migrate"


@fault("rolled-back-unapplied")
def api_blind(plan: Plan) -> None:
    """The API says that everything is applied, and a migration was rolled back and is absent."""
    rolled_back_unapplied(plan)


@fault("pending-migration")
def api_layer_behind(plan: Plan) -> None:
    """A migration is new, and the deployed layer does not hold it yet."""
    plan.extra_migrations |= _LATER
    plan.api_mode = "behind"


@fault("api-disagrees")
def api_elsewhere(plan: Plan) -> None:
    """The API looks at another database, in which the last migration is not applied."""
    plan.api_mode = "elsewhere"


@fault("run-stuck")
def run_stuck(plan: Plan) -> None:
    """A migration run is RUNNING for two hours: its worker was killed, and nothing was left to apply."""
    plan.runs.append(RecordedRun("RUNNING", timedelta(hours=2)))
