"""From a finding's code to the fixes that are suggested for it.

A module registers a function with :func:`fixes`; its first parameter is the finding, the others are facts. It
yields :class:`Fix` values, the preferred one first, or one :class:`NoFix` that says why there is none. Codes that
never have a fix stand in a table, which a module registers with :func:`no_fix`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from health.config.environment import Environment
from health.finding import CouldNotCheck, Finding, Fix, NoFix, NothingToCheck
from health.parts import Part

Builder = Callable[..., Iterable[Fix | NoFix]]


@dataclass(frozen=True)
class Suggestion:
    """How the fixes of a code are built.

    Attributes:
        title: what they are, in a sentence or two.
        needs: the facts that they are built from.
    """

    build: Builder
    title: str
    needs: tuple[str, ...]


FIXES: dict[str, Suggestion] = {}


def fixes(*codes: str) -> Callable[[Builder], Builder]:
    """Register a function that builds the fixes for findings of these codes; its docstring says what they are."""

    def register(builder: Builder) -> Builder:
        needed = tuple(inspect.signature(builder).parameters)[1:]
        suggestion = Suggestion(builder, " ".join((inspect.getdoc(builder) or "").split()), needed)
        FIXES.update(dict.fromkeys(codes, suggestion))
        return builder

    return register


def no_fix(table: Mapping[str | tuple[str, ...], tuple[str, str] | tuple[str, str, str]]) -> None:
    """Register codes without a fix: a title, and why; `{finding…}` and `{environment…}` are filled in there.

    Args:
        table: the third text of a code, where it has one, is why in an environment whose database has a URL.
    """
    for codes, (title, *reasons) in table.items():
        suggestion = Suggestion(_reason(reasons[0], reasons[-1]), title, ("environment",))
        FIXES.update(dict.fromkeys((codes,) if isinstance(codes, str) else codes, suggestion))


def needs(code: str) -> tuple[str, ...]:
    """The facts that the fixes of a code are built from."""
    return FIXES[code].needs


def title(code: str) -> str:
    """What the fixes of a code are, in a sentence or two."""
    return FIXES[code].title


def suggest(finding: Finding, facts: Mapping[str, Any]) -> tuple[list[Fix], str | None]:
    """The fixes of a finding, and why there is none if there is none."""
    try:
        arguments = {name: facts[name] for name in needs(finding.code)}
        built = list(FIXES[finding.code].build(finding, **arguments))
    except (CouldNotCheck, NothingToCheck) as error:
        return [], f"What a fix depends on could not be read: {error}"
    except Exception as error:  # noqa: BLE001 - a finding must be told also where its fix cannot be built
        return [], f"A fix could not be built ({type(error).__name__}): this is a defect of the suite, report it."
    suggested = [each for each in built if isinstance(each, Fix)]
    environment = arguments.get("environment")
    if environment is not None and Part.FRIGG not in environment.parts:  # the guide is Frigg's
        suggested = [replace(each, option=None) for each in suggested]
    reasons = [each.reason for each in built if isinstance(each, NoFix)]
    return suggested, " ".join(reasons) or None


def texts(finding: Finding, name: str) -> tuple[str, ...]:
    """The texts that a finding's evidence holds under a name."""
    value = finding.evidence[name]
    if not isinstance(value, tuple):
        raise TypeError(f"{finding.code}: {name} holds no texts")
    return value


def _reason(text_over_aws: str, text_by_url: str) -> Builder:
    def build(finding: Finding, environment: Environment) -> Iterator[NoFix]:
        text = text_over_aws if environment.url_login is None else text_by_url
        yield NoFix(text.format(finding=finding.shown, environment=environment))

    return build


for _module in pkgutil.walk_packages(__path__, f"{__name__}."):  # those with fixes register them
    importlib.import_module(_module.name)
