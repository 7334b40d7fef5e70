"""Fixes for what logs tell: a log is a witness, so what mends it is mostly the state that it speaks of."""

from __future__ import annotations

from collections.abc import Iterator

from health.config.environment import Environment
from health.finding import DEPLOY, Finding, Fix
from health.logs.patterns import KINDS, PURPOSES, codes
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix

_KIND = {code: kind for purpose in PURPOSES for kind, code in codes(purpose).items()}
_DEPLOYED = [code for code in _KIND if _KIND[code] in ("credentials-refused", "client-missing", "setting-missing")]


no_fix(
    {
        code: ("None of its own: the log is a witness. Mend the state that it tells of.", KINDS[kind].mend)
        for code, kind in _KIND.items()
        if code not in _DEPLOYED
    }
)
no_fix(
    {
        tuple(f"{purpose}-log-incomplete" for purpose in PURPOSES): (
            "None: read a shorter window.",
            "Shorten log_minutes in the registry, or read the rest of the log in CloudWatch.",
        )
    }
)


@fixes(*_DEPLOYED)
def deployed(finding: Finding, environment: Environment) -> Iterator[Fix]:
    """Deploy: functions keep the variables and the layer of their last deploy."""
    yield Fix(
        "command",
        "Deploy again",
        shell.deploy(environment),
        note=f"{KINDS[_KIND[finding.code]].mend} There is no undo but another deploy.",
        rank=DEPLOY,
    )
