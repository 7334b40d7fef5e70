"""From a finding's code to the fixes that are suggested for it.

A module registers a function with :func:`fixes`; its first parameter is the finding, the others are facts. It
yields :class:`Fix` values, the preferred one first, or one :class:`NoFix` that says why there is none.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from health.finding import CouldNotCheck, Finding, Fix, NoFix, NothingToCheck

Builder = Callable[..., Iterable[Fix | NoFix]]
FIXES: dict[str, Builder] = {}


def fixes(*codes: str) -> Callable[[Builder], Builder]:
    """Register a function that builds the fixes for findings of these codes; its docstring says what they are."""

    def register(builder: Builder) -> Builder:
        FIXES.update(dict.fromkeys(codes, builder))
        return builder

    return register


def needs(code: str) -> tuple[str, ...]:
    """The facts that the fixes of a code are built from."""
    return tuple(inspect.signature(FIXES[code]).parameters)[1:]


def title(code: str) -> str:
    """What the fixes of a code are, in a sentence or two."""
    return " ".join((inspect.getdoc(FIXES[code]) or "").split())


def suggest(finding: Finding, facts: Mapping[str, Any]) -> tuple[list[Fix], str | None]:
    """The fixes of a finding, and why there is none if there is none."""
    try:
        arguments = {name: facts[name] for name in needs(finding.code)}
        built = list(FIXES[finding.code](finding, **arguments))
    except (CouldNotCheck, NothingToCheck) as error:
        return [], f"What a fix depends on could not be read: {error}"
    except Exception as error:  # noqa: BLE001 - a finding must be told also where its fix cannot be built
        return [], f"A fix could not be built ({type(error).__name__}): this is a defect of the suite, report it."
    suggested = [each for each in built if isinstance(each, Fix)]
    reasons = [each.reason for each in built if isinstance(each, NoFix)]
    return suggested, " ".join(reasons) or None


for _module in pkgutil.walk_packages(__path__, f"{__name__}."):  # those with fixes register them
    importlib.import_module(_module.name)
