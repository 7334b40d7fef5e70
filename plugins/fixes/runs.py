"""Fixes for the run of the migrations that ``--migrate`` asked for."""

from __future__ import annotations

from collections.abc import Iterator

from health.config.environment import Environment
from health.finding import Finding, Fix, NoFix
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix

no_fix(
    {
        "migration-not-started": (
            "None: the finding says what the API answered. Mend that, then run with `--migrate` again.",
            "Nothing was queued and nothing has changed. Mend what the API names, then run with --migrate again.",
        ),
    }
)


@fixes("migration-run-failed")
def failed(finding: Finding, environment: Environment) -> Iterator[Fix | NoFix]:
    """Read the worker's log since the run began: Prisma's own words stand there, and nowhere in the API."""
    yield _log(finding, environment)
    yield NoFix("Mend what is behind it: the history tells whether a failed row stays, the log why it failed.")


@fixes("migration-run-unfinished")
def unfinished(finding: Finding, environment: Environment) -> Iterator[Fix | NoFix]:
    """Read the worker's log, and wait: the worker ends by itself after 900 s. Ask for no other run beside it."""
    yield _log(finding, environment)
    yield NoFix(
        "Wait until the run has ended, then judge again with --phase=after. Ask for no other run meanwhile: a worker "
        "that was killed is started again by its queue after 900 s."
    )


def _log(finding: Finding, environment: Environment) -> Fix:
    group, since = f"/aws/lambda/{environment.functions['worker']}", str(finding.evidence["started_at"])
    return Fix(
        "command",
        "Read what the worker said",
        shell.aws(environment, "logs", "tail", group, "--since", since),
        note="It only reads; there is nothing to undo.",
        rank=1,
    )
