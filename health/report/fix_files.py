"""The names of the files that hold an environment's fixes whole."""

from __future__ import annotations

from health.report.order import accepted_keys, numbered
from health.report.record import EnvironmentResult
from health.report.results import FixResult


def sql_name(environment: EnvironmentResult) -> str:
    """Name the file with the environment's SQL."""
    return f"fixes-{environment.name}.sql"


def patch_name(environment: EnvironmentResult, order: int) -> str:
    """Name the file with the patch that is the plan's step of this number."""
    return f"fixes-{environment.name}-{order}.patch"


def file_of(environment: EnvironmentResult, fix: FixResult) -> str | None:
    """Name the file that holds a fix whole; None where none does."""
    if fix.kind == "sql":
        return sql_name(environment)
    return patch_name(environment, fix.order) if fix.kind == "patch" and fix.order else None


def patches(environment: EnvironmentResult) -> list[tuple[int, FixResult]]:
    """List the patches of the plan with their numbers."""
    return [(order, fix) for order, fix in numbered(environment.findings) if fix.kind == "patch"]


def suggests_sql(environment: EnvironmentResult) -> bool:
    """Tell whether a finding that is not accepted has a fix by SQL."""
    beside = accepted_keys(environment.findings)
    return any(fix.kind == "sql" for f in environment.findings if f.key not in beside for fix in f.fixes)
