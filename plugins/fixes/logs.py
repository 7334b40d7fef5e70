"""Fixes for what logs tell: a log is a witness, so what mends it is mostly the state that it speaks of."""

from __future__ import annotations

from collections.abc import Iterator

from health.environment import Environment
from health.finding import Finding, Fix, NoFix
from health.log_patterns import KINDS
from plugins.fixes import fixes, shell

_DEPLOYED = ("log-credentials-refused", "log-client-missing", "log-setting-missing")


@fixes(*(code for code in KINDS if code not in _DEPLOYED))
def told(finding: Finding) -> Iterator[NoFix]:
    """None of its own: the log is a witness. Mend the state that it tells of."""
    yield NoFix(KINDS[finding.code].mend)


@fixes(*_DEPLOYED)
def deployed(finding: Finding, environment: Environment) -> Iterator[Fix]:
    """Deploy: functions keep the variables and the layer of their last deploy."""
    yield Fix(
        "command",
        "Deploy again",
        shell.deploy(environment),
        note=f"{KINDS[finding.code].mend} There is no undo but another deploy.",
        rank=50,
    )


@fixes("log-incomplete")
def incomplete(finding: Finding) -> Iterator[NoFix]:
    """None: read a shorter window."""
    yield NoFix("Shorten log_minutes in the registry, or read the rest of the log in CloudWatch.")
