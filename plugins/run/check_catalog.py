"""Lists every check of the suite, and describes one as JSON."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from fixtures.facts import parts_of
from fixtures.parts import instead_of_absent
from health.check import CHECKS, Check
from health.finding import PHASES
from health.parts import Part
from plugins import fixes
from plugins.paths import CHECKS as CHECKS_DIRECTORY
from plugins.run.invariant_checks import shipped


def checks_as_far_as_they_load() -> dict[str, Check]:
    """Every check whose file can be imported; a broken one has been reported by pytest."""
    for path in sorted(CHECKS_DIRECTORY.glob("test_*.py")):
        with suppress(Exception):
            importlib.import_module(f"checks.{path.stem}")
    return CHECKS


def all_checks() -> dict[str, Check]:
    """Every check of the suite by its id, also where pytest has not collected."""
    for path in sorted(CHECKS_DIRECTORY.glob("test_*.py")):
        importlib.import_module(f"checks.{path.stem}")
    shipped()
    return CHECKS


def checks_of_parts(parts: Collection[Part]) -> dict[str, Check]:
    """Every check that an environment with these parts is judged by."""
    return {name: check for name, check in all_checks().items() if judged(check, parts)}


def judged(check: Check, parts: Collection[Part]) -> bool:
    """Whether an environment with these parts has what a check judges."""
    return parts_of(check.needs, given=instead_of_absent(parts)) | ({check.part} - {None}) <= set(parts)


def describe(check: Check) -> dict[str, Any]:
    """A check as JSON: id, topic, severity, title and text, its findings with severity and fix, and the facts."""
    return {
        "id": check.id,
        "topic": check.topic,
        "severity": {phase: check.severity(phase) for phase in PHASES},
        "title": check.title,
        "documentation": check.documentation,
        "findings": [
            {
                "code": code,
                "severity": {phase: by.at(phase) for phase in PHASES},
                "fix": fixes.title(code),
            }
            for code, by in check.finds.items()
        ],
        "facts": list(check.needs),
    }
