"""Outcomes that readers return in place of a value: a check makes the finding, every other check refers to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from health.finding import CouldNotCheck, Finding

T = TypeVar("T")
_JUDGED: dict[type, tuple[str, Callable[[Any], Finding]]] = {}


def judges(outcome: type[T], check: str) -> Callable[[Callable[[T], Finding]], Callable[[T], Finding]]:
    """Declare that a function makes the finding of an outcome, which the check with this id returns."""

    def declare(function: Callable[[T], Finding]) -> Callable[[T], Finding]:
        _JUDGED[outcome] = check, function
        return function

    return declare


def finding_of(outcome: object) -> Finding:
    """Make the finding of an outcome, as the check that judges it does."""
    return _JUDGED[type(outcome)][1](outcome)


def because(outcome: object, where: str, *, what: str = "", remedy: str = "") -> CouldNotCheck:
    """Make the error of a reader that needs what an outcome stands in place of.

    Args:
        outcome: why there is no value.
        where: where it was looked for.
        what: what was found instead of an answer; empty for the finding's own message.
        remedy: what to do; empty for a look at the check that finds it.
    """
    finding = finding_of(outcome)
    remedy = remedy or f"See the check {_JUDGED[type(outcome)][0]}."
    return CouldNotCheck(what or finding.message.rstrip("."), where, remedy, explained_by=finding.key)


def judged() -> dict[str, list[type]]:
    """The outcomes that each check judges, by its id."""
    checks: dict[str, list[type]] = {}
    for outcome, (check, _) in _JUDGED.items():
        checks.setdefault(check, []).append(outcome)
    return checks
