"""Faults that only the functions' logs tell of."""

from __future__ import annotations

from sandbox.aws.logs import COLUMN_MISSING, failed
from sandbox.faults import fault
from sandbox.plan import Plan


@fault("auth-log-column-missing")
def auth_log_error(plan: Plan) -> None:
    """The auth function has met a missing column a minute ago, which was mended since."""
    plan.log_lines["auth"] = COLUMN_MISSING


@fault("worker-log-migration-failed")
def worker_log_error(plan: Plan) -> None:
    """A migration failed in the worker a minute ago, which was mended since."""
    plan.log_lines["dbMigrationWorker"] = failed("20260422120001_create_process_table")
