"""Records with all that a writer may have to write."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from health.finding import Evidence, Finding, Fix, Place
from health.report.record import EnvironmentResult, FactsOverview, Record, judge_environment
from health.report.results import CheckResult, FindingResult, Outcome, WaivedBy
from health.sanitize import one_line
from health.waivers.waivers import Waiver
from plugins.run.check_catalog import all_checks

FACTS = FactsOverview({"account": "123456789012 as ann (profile p)", "region": "us-east-1 (environments.toml)"})
FILE = "/checkout/prisma/migrations/m9/migration.sql"
EVERY = frozenset({"no-failed-migration", "pending-will-apply", "pending-sql-reviewed", "migration-files"})


def check(identifier: str, topic: str, environment: str, outcome: Outcome, *found: FindingResult, **more: Any) -> Any:
    """A check's result as the suite names its test."""
    nodeid = f"checks/test_{topic}.py::test_{identifier.replace('-', '_')}[{environment}]"
    return CheckResult(identifier, nodeid, outcome, "error", 0.0, findings=found, **more)


def found(code: str, subject: str, severity: Any, place: Place | None = None, **more: Any) -> FindingResult:
    """A finding as a run records it."""
    fixes = [Fix("sql", more.pop("fix"), "SELECT 1;")] if "fix" in more else []
    finding = Finding(code, subject, more.pop("message", f"{subject} is wrong."), place=place)
    return replace(FindingResult.of(finding, severity, None, fixes), **more)


def environment(name: str, state: str) -> EnvironmentResult:
    """An environment that is healthy, blocked, unknown or waived."""
    failed = found("failed-migration", "m8", "error", fix="Mark it as rolled back")
    fails = found("pending-migration-fails", "m9", "error", Place(FILE, 3), message="It fails: 100% sure, says 23505.")
    remark = found("pending-sql-remark", "m9/migration.sql:7", "warning", Place(FILE, 7))
    passed = [check("migration-files", "migrations", name, "passed")]
    checks = {
        "healthy": [
            check("no-failed-migration", "history", name, "passed"),
            check("pending-will-apply", "pending", name, "passed"),
            check("pending-sql-reviewed", "pending", name, "warned", remark),
        ],
        "blocked": [
            check("no-failed-migration", "history", name, "failed", failed),
            check("pending-will-apply", "pending", name, "failed", fails),
            check("pending-sql-reviewed", "pending", name, "warned", remark),
        ],
        "unknown": [
            check("no-failed-migration", "history", name, "passed"),
            check("pending-will-apply", "pending", name, "unknown", reason="AWS did not answer (sts). Try again."),
            check("pending-sql-reviewed", "pending", name, "skipped", reason="squawk is not installed"),
        ],
        "waived": [
            check("no-failed-migration", "history", name, "passed"),
            check("pending-will-apply", "pending", name, "passed"),
            check(
                "pending-sql-reviewed", "pending", name, "waived",
                replace(remark, waived=WaivedBy("Small table.", "@ann", "2026-12-31")),
            ),
        ],
    }  # fmt: skip
    all_checks()  # the checks declare what explains what
    return replace(judge_environment(name, "before", [*passed, *checks[state]], EVERY), overview=FACTS)


def record(*environments: EnvironmentResult) -> Record:
    """The record of a run."""
    blocked = any(each.verdict == "blocked" for each in environments)
    return Record("1.0", "2026-01-01T00:00:00+00:00", 1.0, int(blocked), environments)


def hostile(text: str) -> Record:
    """A record in which everything that may come from outside is this text."""
    place = Place(f"/checkout/{text}/migration.sql", 1)
    evidence: Evidence = {"migration": text, "keys": (text,)}
    finding, waived = (
        FindingResult.of(
            Finding(code, text, text, evidence, place=place),
            "error",
            waiver,
            [Fix("sql", "Mark it", "SELECT 1;")],
            text,
        )
        for code, waiver in (
            ("failed-migration", None),
            ("edited-migration", Waiver("w", "edited-migration", "prod", text, text, text, date(2030, 1, 1))),
        )
    )
    checks = [
        check("no-failed-migration", "history", "prod", "failed", finding),
        check("no-edited-migration", "history", "prod", "waived", waived),
        check("pending-will-apply", "pending", "prod", "unknown", reason=Finding("", text, text).shown.message),
    ]
    judged = judge_environment("prod", "before", checks, EVERY)
    return record(replace(judged, overview=FactsOverview({"region": one_line(text)})))
