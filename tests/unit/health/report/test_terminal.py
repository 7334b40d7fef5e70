"""What a person sees at the end of a run, as snapshots; ``UPDATE_SNAPSHOTS=1`` writes them anew."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from typing import Any

import pytest

from health.finding import DEPLOY, FixProof, Severity
from health.report.json_values import from_json, to_json
from health.report.record import EnvironmentResult, FactsOverview, Record, judge_environment
from health.report.results import CheckResult, FindingResult, FixResult, Outcome, RehearsalOutcome, WaivedBy
from health.report.terminal import block, header
from plugins.output.markdown_summary import summary
from plugins.output.sql_files import sql_file
from tests.support.paths import DATA

SNAPSHOTS = DATA / "snapshots"
SQL = "BEGIN;\nUPDATE t SET x = 1;\nCOMMIT;\n"
HOSTILE = "evil\x1b[31m\u202e<script>`rm`|\n::error:: " + "x" * 70 + " ::error::y"


def check(identifier: str, outcome: Outcome = "passed", *findings: FindingResult, **more: Any) -> CheckResult:
    nodeid = f"checks/x.py::{identifier}[prod]"
    return CheckResult(identifier, nodeid, outcome, "error", 0.0, findings=findings, **more)


def finding(code: str, subject: str, severity: Severity = "error", **more: Any) -> FindingResult:
    message = more.pop("message", f"Something about {subject} is wrong.")
    return FindingResult(code=code, subject=subject, message=message, severity=severity, **more)


def fix(kind: Any, title: str, body: str, **more: Any) -> FixResult:
    return FixResult(kind, title, body, proof=FixProof("unproven", "not rehearsed"), **more)


WAIVED: dict[str, Any] = {"waived": WaivedBy(f"Known. {HOSTILE}", "@ann", "2026-12-31")}
EVERY = frozenset({"one", "two", "three", "four"})
HEALTHY = [check(name) for name in sorted(EVERY)]
DEPLOY_IT = fix("command", "Deploy prod", "npx frigg deploy", rank=DEPLOY)
RECORDS: dict[str, list[CheckResult]] = {
    "healthy": HEALTHY,
    "partial": HEALTHY[:2],
    "skipped": [*HEALTHY[:3], check("two", "skipped", reason="there is no tunnel script at /app/x.sh")],
    "unknown": [
        *HEALTHY[:2],
        check("three", "unknown", reason="AWS did not answer (sts:GetCallerIdentity). Check the network."),
        check("four", "unknown", reason="AWS did not answer (sts:GetCallerIdentity). Check the network."),
    ],
    "root-cause": [
        check(
            "one",
            "failed",
            finding(
                "bastion-not-running",
                "i-1",
                fixes=(fix("command", "Start it", "aws ec2 …", undo="aws ec2 stop …", rank=1),),
            ),
        ),
        check("two", "unknown", reason="the bastion is stopped", explained_by="bastion-not-running:i-1"),
        check("three", "unknown", reason="the bastion is stopped", explained_by="bastion-not-running:i-1"),
        check("four"),
    ],
    "symptom": [
        check("api-status", "failed", finding("api-reports-failed", "url", no_fix="It only repeats.")),
        check(
            "bastion-running",
            "failed",
            finding("bastion-not-running", "i-1", fixes=(fix("command", "Start it", "aws ec2 …", undo="…", rank=1),)),
        ),
        *(
            check(name, "unknown", reason="the bastion is stopped", explained_by="bastion-not-running:i-1")
            for name in ("no-failed-migration", "no-phantom-row")
        ),
    ],
    "symptom-alone": [
        check("api-status", "failed", finding("api-reports-failed", "url", no_fix="It only repeats.")),
        check("no-failed-migration", "unknown", what="AWS denies it", reason="AWS denies it (IAM). Ask for it."),
    ],
    "several": [
        check(
            "one",
            "passed",
            finding(
                "pending-migration", "m9", "info", fixes=(fix("command", "Deploy prod", "npx frigg deploy", rank=50),)
            ),
        ),
        check(
            "two", "warned", finding("endpoint-not-attributed", "x.sh", "warning", no_fix="Write it as a plain text.")
        ),
        check(
            "three",
            "failed",
            *(
                finding(
                    "orphaned-migration",
                    f"m{n}",
                    fixes=(
                        fix("command", "Restore it", f"git log {n}", rank=90),
                        fix("sql", "Delete the row", SQL, fallback=True, undo=SQL, note="It costs."),
                    ),
                )
                for n in range(7)
            ),
        ),
        check(
            "four",
            "failed",
            finding(
                "failed-migration",
                "m8",
                fixes=(
                    fix("sql", "Mark it", SQL, undo=SQL, note="Then deploy."),
                    fix("sql", "Delete it", SQL, fallback=True, option="A", undo=SQL),
                ),
            ),
            finding("api-reports-failed", "url", no_fix="It only repeats."),
        ),
    ],
    "plan": [
        check("one", "failed", finding("failed-migration", "m8", fixes=(fix("sql", "Mark it", SQL), DEPLOY_IT))),
        check(
            "two",
            "failed",
            finding(
                "pending-data-violates",
                "m9: T.key",
                fixes=(fix("decision", "Decide which stays", "SELECT 1;", rank=8, note="It reads."), DEPLOY_IT),
            ),
            finding("pending-data-violates", "m9: U.key", fixes=(fix("decision", "Decide", "", rank=8), DEPLOY_IT)),
        ),
        check(
            "three",
            "warned",
            finding("stale-endpoint", "/app/x.sh", "warning", fixes=(fix("patch", "Patch it", "-a\n+b\n", rank=3),)),
        ),
        check("four"),
    ],
    "waiting": [
        *HEALTHY[:2],
        check(
            "three",
            "failed",
            finding(
                "migration-running",
                "m8",
                fixes=(
                    fix("wait", "Wait 3 min", "", rank=8, note="It may commit."),
                    fix("command", "End it", "psql", fallback=True),
                ),
            ),
        ),
        check(
            "four",
            "failed",
            finding("phantom-row", "m7", fixes=(fix("sql", "Mark it", SQL), DEPLOY_IT)),
        ),
    ],
    "warned": [
        *HEALTHY[:3],
        check("two", "warned", finding("endpoint-not-attributed", "x.sh", "warning", no_fix="Write it.")),
    ],
    "waived": [
        check("one", "waived", finding("endpoint-not-attributed", "x.sh", "warning", no_fix="Write it.", **WAIVED)),
        check(
            "two",
            "failed",
            finding("orphaned-migration", "m1", fixes=(fix("sql", "Delete the row", SQL, undo=SQL),), **WAIVED),
            finding("orphaned-migration", "m2", fixes=(fix("sql", "Delete it", SQL, fallback=True),), **WAIVED),
            finding("orphaned-migration", "m3", fixes=(fix("command", "Restore it", "git log 3", rank=90),)),
        ),
        check(
            "three",
            "waived",
            finding("failed-migration", "m8", fixes=(fix("sql", "Mark it", SQL, undo=SQL),), **WAIVED),
            finding("api-reports-failed", "url", no_fix="It only repeats."),
        ),
        check("four", "waived", finding("api-reports-diverged", "url", no_fix="It only repeats.", **WAIVED)),
    ],
    "waiver-expired": [
        *HEALTHY[:2],
        check("three", "failed", finding("orphaned-migration", "m1")),
        check("two", "warned", finding("expired-waiver", "waivers.toml:1", "warning", no_fix="Decide.")),
    ],
    "waived-healthy": [
        *HEALTHY[:3],
        check(
            "two", "waived", finding("orphaned-migration", "m1", fixes=(fix("sql", "Delete the row", SQL),), **WAIVED)
        ),
    ],
    "plain-assert": [*HEALTHY[:3], check("own-rule", "failed", reason="AssertionError: wanted twelve")],
    "hostile": [
        check(
            "one",
            "failed",
            finding(
                "failed-migration",
                HOSTILE,
                message=f"It said {HOSTILE}",
                fixes=(fix("sql", f"Mark {HOSTILE}", SQL, note=HOSTILE),),
                no_fix=HOSTILE,
            ),
        ),
        check("two", "unknown", reason=HOSTILE),
        check("three", "skipped", reason=HOSTILE),
        check("four"),
    ],
}


FACTS = {"account": "123456789012 as ann (profile p)", "region": "us-east-1 (environments.toml)"}


def record(name: str) -> EnvironmentResult:
    judged = judge_environment("prod", "before", RECORDS[name], EVERY)
    return replace(judged, overview=FactsOverview(FACTS))


def test_json_is_as_the_first_version_wrote_it() -> None:
    file = SNAPSHOTS / "records.json"
    written = {name: record(name).to_json() for name in ("root-cause", "several", "waived")}
    assert json.dumps(written, indent=1) + "\n" == file.read_text()


@pytest.mark.parametrize("name", RECORDS)
def test_results_are_the_same_after_a_journey_as_json(name: str) -> None:
    for result in record(name).checks:
        assert from_json(CheckResult, json.loads(json.dumps(to_json(result)))) == result


def matches_snapshot(name: str, text: str) -> None:
    file = SNAPSHOTS / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("verbose", [False, True], ids=["", "verbose"])
def test_terminal(name: str, verbose: bool) -> None:
    judged = record(name)
    lines = [*header("prod", judged.overview.facts), *block(judged, verbose, lambda text, style: text)]
    text = "\n".join(lines) + "\n"
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not any(line.lstrip().startswith("::") for line in lines)
    matches_snapshot(f"{name}{'-verbose' if verbose else ''}.txt", text)


@pytest.mark.parametrize("name", ["several", "hostile", "waived", "waived-healthy", "plan", "waiting"])
def test_files(name: str) -> None:
    judged = record(name)
    matches_snapshot(f"{name}.sql", "\n".join(sql_file(judged)) + "\n")
    markdown = "\n".join(summary(Record("", "", 0.0, 1, (judged,)))) + "\n"
    assert "<script>" not in markdown
    matches_snapshot(f"{name}.md", markdown)


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("healthy", "healthy"),
        ("partial", "partial"),
        ("skipped", "healthy"),
        ("unknown", "unknown"),
        ("root-cause", "blocked"),
        ("several", "blocked"),
        ("waived", "blocked"),
        ("waived-healthy", "healthy"),
    ],
)
def test_verdicts(name: str, verdict: str) -> None:
    assert record(name).verdict == verdict


def test_skipped_checks_with_one_reason_are_one_line() -> None:
    checks = [check(name, "skipped", reason="there is no table User here") for name in ("one", "two")]
    checks += [check("three", "skipped", reason="there is no table Process here"), check("four")]
    judged = judge_environment("prod", "before", checks, EVERY)
    lines = list(block(judged, False, lambda text, _: text))
    assert lines[-3:] == [
        "", "skipped one, two: there is no table User here", "skipped three: there is no table Process here",
    ]  # fmt: skip


def test_nothing_judged_is_not_healthy() -> None:
    skipped = [check(name, "skipped", reason="x") for name in EVERY]
    assert judge_environment("prod", "before", skipped, EVERY).verdict == "unknown"
    assert judge_environment("prod", "before", [], EVERY).verdict == "unknown"
    assert judge_environment("prod", "before", [check("one", "unknown")], EVERY).verdict == "unknown"


def test_a_run_that_did_not_tell_of_all_its_checks_is_not_healthy() -> None:
    judged = judge_environment("prod", "before", HEALTHY, EVERY, sound=False)
    assert judged.verdict == "unknown"
    assert "Not all checks told" in "\n".join(block(judged, False, lambda text, style: text))
    assert judge_environment("prod", "before", HEALTHY[:2], EVERY, sound=False).verdict == "unknown"


def test_fixes_are_numbered_in_the_order_of_applying() -> None:
    judged = record("several")
    orders = {f.subject: [fix.order for fix in f.fixes] for f in judged.findings}
    assert orders["m8"] == [1, None]
    assert orders["m9"] == [2]
    assert [orders[f"m{n}"][0] for n in range(7)] == [3, 4, 5, 6, 7, 8, 9]


def test_what_is_waived_is_not_numbered() -> None:
    judged = record("waived")
    orders = {f.subject: [fix.order for fix in f.fixes] for f in judged.findings}
    assert (orders["m1"], orders["m2"], orders["m3"], orders["m8"]) == ([None], [None], [1], [None])


def test_a_consequence_names_its_cause() -> None:
    consequence = next(f for f in record("several").findings if f.code == "api-reports-failed")
    assert consequence.explained_by == "failed-migration:m8"


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (("AWS denies it", "AWS denies it"), True),
        (("AWS denies it", "the key is absent"), False),
        ((None, None), False),  # a test that crashed
    ],
)
def test_one_reason_for_all_open_questions_is_the_root_cause(found: tuple[str | None, ...], cause: bool) -> None:
    names = ("three", "four")
    checks = [*HEALTHY[:2], *(check(n, "unknown", reason="r", what=w) for n, w in zip(names, found, strict=True))]
    shown = list(block(judge_environment("prod", "before", checks, EVERY), False, lambda text, style: text))
    assert ("Root cause: AWS denies it" in shown) is cause


def test_what_a_consequence_leaves_open_stands_under_the_root() -> None:
    closed = finding("security-group-closed", "c", message="Closed.")
    unreachable = finding("database-unreachable", "h:1", message="Unreachable.")
    api = finding("api-database-unreachable", "u", message="Blind.")
    open_ = check("four", "unknown", reason="r", what="Unreachable", explained_by="database-unreachable:h:1")
    checks = [check("one", "failed", closed), check("two", "failed", unreachable), check("three", "failed", api), open_]
    shown = list(block(judge_environment("prod", "before", checks, EVERY), False, lambda text, style: text))
    assert "Root cause: security-group-closed, c" in shown
    assert [line for line in shown if line.startswith("  explains")] == [
        "  explains database-unreachable: Unreachable.", "  explains api-database-unreachable: Blind.",
    ]  # fmt: skip
    assert "  because of it could not be checked: four" in shown


def test_what_a_consequence_explains_stands_under_the_cause() -> None:
    checks = [
        check("one", "failed", finding("failed-migration", "a")),
        check("two", "failed", finding("migration-run-failed", "42")),
        check("three", "failed", finding("pending-migration", "b")),
        check("four"),
    ]
    lines = "\n".join(block(judge_environment("prod", "after", checks, EVERY), False, lambda text, _: text))
    assert "Root cause: failed-migration, a\n" in lines
    assert "explains migration-run-failed: Something about 42" in lines
    assert "explains pending-migration: Something about b" in lines


@pytest.mark.parametrize(
    ("fixes", "outcome", "shown"),
    [
        (1, RehearsalOutcome("proven", None, 0.42), "fix 1, a deploy, then healthy (0.4 s)."),
        (2, RehearsalOutcome("proven", None, 1), "fixes 1 and 2 in this order, a deploy, then healthy"),
        (3, RehearsalOutcome("proven", None, 1), "fixes 1 to 3 in this order, a deploy, then healthy"),
        (1, RehearsalOutcome("unproven", "a b.", 1), "Not proven to the end: a b."),
        (
            3,
            RehearsalOutcome("proven", None, 1, True, (1, 2)),
            "on a copy, apart from fixes 1 and 2, which no copy can run: fix 3, a deploy, then healthy",
        ),
        (
            1,
            RehearsalOutcome("proven", None, 1, True, (), ("x, y",)),
            "fix 1, a deploy (1.0 s). What stays, as no fix of the plan is for it: x, y.",
        ),
    ],
)
def test_what_came_of_all_fixes_in_their_order(fixes: int, outcome: RehearsalOutcome, shown: str) -> None:
    suggested = tuple(fix("sql", "Mend it", f"SELECT {number};") for number in range(fixes))
    judged = judge_environment(
        "prod", "before", [check("one", "failed", finding("failed-migration", "a", fixes=suggested))], EVERY
    )
    lines = " ".join(block(replace(judged, rehearsal=outcome), False, lambda text, _: text, 200))
    lines = re.sub(r"\s+", " ", lines)
    assert shown in lines
    assert "to the end" not in " ".join(block(judged, False, lambda text, _: text))


def test_deploy_that_fails_is_no_step() -> None:
    outcome = RehearsalOutcome("unproven", "a deploy then fails", 1, deploys=False)
    judged = judge_environment("prod", "before", RECORDS["plan"], EVERY, rehearsal=outcome)
    fixes = [fix for finding in judged.findings for fix in finding.fixes]
    assert {fix.order for fix in fixes if fix.rank == DEPLOY} == {None}
    assert sorted(fix.order for fix in fixes if fix.order) == [1, 2, 3, 4]
