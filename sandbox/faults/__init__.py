"""The known ways to break the local environment: each turns it into a real case.

A module registers functions that change the plan; the option ``--fault`` knows each by its function's name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.plan import Plan

Change = Callable[[Plan], None]


@dataclass(frozen=True)
class Fault:
    """One way to break it.

    Attributes:
        name: of the option ``--fault``.
        does: what it does, in a sentence.
        raises: the code of the finding that a run must show as the root cause; empty where there is none.
        unanswered: where there is none, how the reason begins why questions stay open; empty in a healthy case.
        apply: changes the plan.
    """

    name: str
    does: str
    raises: str
    unanswered: str
    apply: Change


FAULTS: dict[str, Fault] = {}


def fault(raises: str = "", *, unanswered: str = "") -> Callable[[Change], Change]:
    """Register a function that breaks a plan; its name and docstring are the fault's."""

    def register(apply: Change) -> Change:
        name = apply.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, (apply.__doc__ or "").strip(), raises, unanswered, apply)
        return apply

    return register


def apply(plan: Plan, names: list[str]) -> None:
    """Put faults into a plan."""
    for name in names:
        FAULTS[name].apply(plan)


for _module in pkgutil.iter_modules(__path__, f"{__name__}."):  # each registers its faults
    importlib.import_module(_module.name)
