"""Fixes for the tunnel script: unified diffs that ``patch`` applies."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from health.config.environment import Environment
from health.finding import SCRIPT, Finding, Fix, NoFix
from health.sanitize import printable
from health.tunnel.script import TunnelScript
from health.tunnel.variable_names import HostKind
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix, texts

_SECRET = re.compile(r"passw|secret|token|pgpass", re.IGNORECASE)


no_fix(
    {
        "tunnel-script-absent": (
            "None: a checkout need not have the script.",
            "Nothing is to be mended. Name the script by --tunnel-script FILE if it is to be judged.",
        ),
        ("endpoint-not-attributed", "bastion-not-attributed"): (
            "None: a value that cannot be attributed is not guessed. Write it as a plain text under its stage.",
            "What the script means cannot be told without running it: write the value as a plain text.",
        ),
    }
)


@fixes("stale-endpoint", "instance-endpoint", "wrong-stage-endpoint")
def endpoint(finding: Finding, tunnel_script: TunnelScript, environment: Environment) -> Iterator[Fix | NoFix]:
    """A patch of the script that puts today's writer endpoint in."""
    yield _patch(finding, tunnel_script, "endpoint", environment)


@fixes("stale-bastion", "wrong-stage-bastion")
def bastion(finding: Finding, tunnel_script: TunnelScript, environment: Environment) -> Iterator[Fix | NoFix]:
    """A patch of the script that puts the bastion's address of today in."""
    yield _patch(finding, tunnel_script, "bastion", environment)


def _patch(finding: Finding, script: TunnelScript, kind: HostKind, environment: Environment) -> Fix | NoFix:
    stage, host = str(finding.evidence["stage"]), str(finding.evidence["aws"])
    value = script.value(kind, stage)
    assert value is not None  # noqa: S101 - the check found it
    if others := texts(finding, "shared_with"):
        return NoFix(
            f"Line {value.line} is {' and '.join(others)}'s too, which must not change: give {stage} a value of its "
            f"own by hand, {host}."
        )
    saved = f"{kind}.diff" if stage == environment.stage else f"{kind}-{re.sub(r'[^A-Za-z0-9_.-]', '_', stage)}.diff"
    before = _lines(script.text)
    if _SECRET.search(before[value.line - 1]):
        return NoFix(f"Line {value.line} seems to hold a secret beside the value: change it by hand to {host}.")
    path = Path(script.path)
    name = path.relative_to(environment.app) if path.is_relative_to(environment.app) else Path(path.name)
    # No context lines: those of a script may hold anything, and two patches of neighbouring lines must both apply.
    lines = difflib.unified_diff(before, _lines(script.with_host(value, host)), f"a/{name}", f"b/{name}", n=0)
    diff = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    if printable(diff.replace("\r\n", "\n")) != diff.replace("\r\n", "\n"):
        return NoFix(f"Line {value.line} holds control characters: change it by hand to {host}.")
    directory = environment.app if path.is_relative_to(environment.app) else path.parent
    return Fix(
        "patch",
        f"Put today's {kind} into the script: save this as {saved}, then run the patch command",
        diff,
        undo=f"patch -R -d {shell.quote(str(directory))} -p1 < {saved}",
        note=f"patch -d {shell.quote(str(directory))} -p1 < {saved}",
        rank=SCRIPT,
    )


def _lines(text: str) -> list[str]:
    """The lines as ``patch`` counts them: only a newline ends one."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
