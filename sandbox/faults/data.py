"""Faults of the application's own rows."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import Plan

_STUCK = """
WITH owner AS (INSERT INTO "User" (type, "updatedAt") VALUES ('INDIVIDUAL', now()) RETURNING id),
     integration AS (INSERT INTO "Integration" ("userId", status, "updatedAt")
                     SELECT id, 'ENABLED', now() FROM owner RETURNING id)
INSERT INTO "Process" ("userId", "integrationId", name, type, state, "updatedAt")
SELECT owner.id, integration.id, 'contacts', 'CRM_SYNC', state, now() - interval '1 day'
FROM owner, integration, unnest(ARRAY['FETCHING_PAGE', 'FETCHING_PAGE', 'PROCESSING_BATCHES']) AS state
"""


@fault("stuck-process")
def stuck_process(plan: Plan) -> None:
    """Three syncs have not moved since yesterday: their worker has ended."""
    plan.afterwards.append(_STUCK)
