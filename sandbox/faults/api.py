"""Faults of Frigg's migration API."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import Plan


@fault("api-unauthorized")
def api_unauthorized(plan: Plan) -> None:
    """The API expects another key than the auth function holds."""
    plan.api_key = f"{plan.admin_key}-other"
