"""The plan of an environment as text for a person: its steps, and what came of simulating them."""

from __future__ import annotations

from health.finding import DEPLOY
from health.report.order import worst_first
from health.report.record import EnvironmentResult
from health.sanitize import one_line
from health.words import listed, numbered_fixes


def plan_steps(environment: EnvironmentResult, at_least: int = 2) -> list[tuple[int, str]]:
    """The numbered fixes in their order, a line each; none where the plan has fewer: it stands at its finding."""
    steps: dict[int, str] = {}
    for finding in worst_first(environment.findings):
        for fix in finding.fixes:
            if fix.order:
                # Of a path the name is enough.
                about = "" if fix.rank == DEPLOY else f"{finding.subject.rpartition('/')[2]}: "
                steps.setdefault(fix.order, one_line(f"{about}{fix.title} ({fix.kind})", 2000))
    return sorted(steps.items()) if len(steps) >= at_least else []


def rehearsal_line(environment: EnvironmentResult) -> str | None:
    """What came of simulating the plan on a copy: its fixes, then a deploy; None where nothing was simulated."""
    outcome = environment.rehearsal
    if outcome is None:
        return None
    if outcome.status == "unproven":
        return f"Not proven to the end: {(outcome.detail or '').rstrip('.')}."
    fixes = {fix.order: fix for finding in environment.findings for fix in finding.fixes if fix.order}
    run = [number for number in sorted(fixes) if number not in outcome.apart]
    done = numbered_fixes(run) + (" in this order" if len(run) > 1 else "")
    done += "" if any(fix.rank == DEPLOY for fix in fixes.values()) else ", a deploy"
    done += ", then healthy" if not outcome.stays else ""
    apart = f", apart from {numbered_fixes(outcome.apart)}, which no copy can run" if outcome.apart else ""
    then = f", {outcome.detail}" if outcome.detail else ""  # of a replay: when that was
    stays = f" What stays, as no fix of the plan is for it: {listed(outcome.stays, 3, '; ')}." if outcome.stays else ""
    return f"Proven to the end on a copy{apart}: {done} ({outcome.seconds:.1f} s{then}).{stays}"
