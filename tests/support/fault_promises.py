"""What holds for a broken environment: its findings, and that the suggested SQL repairs it."""

from __future__ import annotations

from fixtures.clone.servers.private_postgres import Address
from health.catalog.catalog import Key
from health.finding import DEPLOY, Finding
from health.prisma.engine import TABLE
from health.report.root_causes import explain
from sandbox.database.prisma_deploy import deploy
from tests.support.fault_fixes import FixCase
from tests.support.faults import Broken, rehearse

COSTS = {"B": "hand-written-row"}  # what an option of the guide leaves behind


def raises_its_finding(broken: Broken) -> None:
    """Assert that a fault raises its finding, and only what that explains."""
    causes = explain(broken.judged.all)
    assert {finding.code for finding in broken.roots} == broken.raises
    last = {cause for cause in causes.values() if cause not in causes}  # a consequence may have some of its own
    assert {cause.partition(":")[0] for cause in last} <= broken.raises


def fixes_and_restores(broken: Broken, case: FixCase) -> None:
    """Assert that a SQL fix ends its finding, and that its undo brings the database back."""
    finding, fix = broken.fix_of(case)
    with broken.restoring() as before:
        broken.apply(fix.body)
        fixed = broken.judge_anew()
        assert not fixed.unanswered
        assert finding.key not in fixed.keys
        costs = {f"{COSTS[fix.option]}:{finding.subject}"} if fix.option in COSTS else set()
        assert fixed.serious - broken.judged.serious == costs
        assert pending(finding, fixed.keys) == any(other.rank == DEPLOY for other in broken.suggested[finding.key][0])

        if fix.undo is None:
            assert "undo" in fix.note
        else:
            broken.apply(fix.undo)
            assert broken.state() == before


def ends_as_rehearsed(broken: Broken) -> None:
    """Assert that no fix is refuted, and that what is proven ends so by the printed SQL and Prisma's deploy."""
    rehearsed = rehearse(broken)
    assert rehearsed.refuted == []
    if rehearsed.status is None:
        assert rehearsed.sql == []  # there are fallbacks alone
        return
    if rehearsed.status == "unproven":
        assert rehearsed.detail
        return
    assert rehearsed.status == "proven"
    with broken.restoring():
        for fix in rehearsed.sql:
            if fix.rank < DEPLOY:
                broken.apply(fix.body)
        login = broken.read["secret_read"]
        list(deploy(Address("127.0.0.1", broken.read["tunnel"].port), login.password.reveal(), broken.env.migrations))
        for fix in rehearsed.sql:
            if fix.rank > DEPLOY:
                broken.apply(fix.body)
        ended = broken.judge_anew()
        assert not ended.unanswered
        assert set(ended.of_severity("after", "error")) <= set(broken.judged.of_severity("after", "error")) - {
            root.key for root in broken.roots
        }
        assert without_history(broken.state().objects) == fresh(broken)


def fresh(broken: Broken) -> dict[Key, str]:
    """The schema that all migrations make of an empty database."""
    objects: dict[Key, str] = {}
    for changes in broken.read["replay"].changes.values():
        objects |= {change.key: change.after for change in changes}
    return {key: definition for key, definition in objects.items() if definition is not None}


def without_history(objects: dict[Key, str]) -> dict[Key, str]:
    """The objects that are not of Prisma's own table."""
    return {key: definition for key, definition in objects.items() if not any(TABLE in word for word in key)}


def pending(finding: Finding, keys: set[str]) -> bool:
    """Whether the finding's migration is found to be pending."""
    return not {f"{code}:{finding.subject}" for code in ("pending-migration", "rolled-back-unapplied")}.isdisjoint(keys)
