"""Faults of secrets."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import Plan


@fault("secret-too-weak")
def secret_too_weak(plan: Plan) -> None:
    """The migration API's key is a word of the report."""
    plan.admin_key = plan.api_key = "healthy"
