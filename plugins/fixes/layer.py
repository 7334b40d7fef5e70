"""Fixes for the deployed layer: a deploy that builds it anew, or another checkout."""

from __future__ import annotations

from collections.abc import Iterator

from health.config.environment import Environment
from health.finding import DEPLOY, Finding, Fix, NoFix
from health.history.history import History, matches
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix

_MARK = "layers/prisma/.build-complete"


no_fix(
    {
        "layer-ahead": (
            "None in the database: bring the checkout up to date.",
            "Bring the checkout up to date, run npm ci, and judge again. To go back to this older code on purpose, "
            "judge first what the database holds that it does not know.",
        ),
    }
)


def _built_anew(environment: Environment, why: str = "") -> Fix:
    return Fix(
        "command",
        "Deploy with the layer built anew",
        f"rm -f -- {_MARK} && {shell.deploy(environment)}",
        note=f"{why}Run it in the application's backend, after npm ci. With that file there, a deploy ships the layer "
        "of an earlier build. There is no undo but another deploy.",
        rank=DEPLOY,
    )


@fixes("stale-layer", "layer-versions-differ")
def built_anew(finding: Finding, environment: Environment) -> Iterator[Fix]:
    """Deploy, with the mark of an earlier build removed, so that the layer is built from the checkout."""
    yield _built_anew(environment)


@fixes("layer-mismatch")
def mismatch(finding: Finding, history: History, environment: Environment) -> Iterator[Fix | NoFix]:
    """Deploy the checkout's text where the database has applied that, or nothing yet; else restore the layer's."""
    name, deployed = str(finding.evidence["migration"]), str(finding.evidence["deployed"])
    rows = history.applied.get(name, [])
    migration = history.directory.by_name[name]
    if any(row.checksum == deployed for row in rows):
        yield NoFix(
            "The database has applied the layer's text: the checkout is the side that was changed. Restore its file "
            "from the version that was deployed; where that was an edit in node_modules (Option C of the guide), the "
            "next install takes it away again, so put the change into the package or into a new migration."
        )
    elif not rows:
        yield _built_anew(environment, "The database has applied neither text yet. ")
    elif any(matches(migration, row) for row in rows):
        yield _built_anew(environment, "The database has applied the checkout's text. ")
    else:
        yield NoFix(
            "The database has applied a third text, neither the layer's nor the checkout's: find out which one was "
            "meant, as the check no-edited-migration says, before anything is deployed."
        )
