"""Declares a check for each query of ``checks/invariants``, and of a team's own directory."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fixtures.data.invariants import load
from fixtures.facts import READERS, FactReader
from health.check import CHECKS, Check, Listed
from health.config.environment import Environment
from health.data.invariants import Invariant, InvariantError, InvariantResult, findings
from health.finding import CouldNotCheck, Finding, NoFix, NothingToCheck
from health.parts import Part
from plugins.fixes import FIXES, Suggestion
from plugins.paths import INVARIANTS


@cache
def declared(directory: Path) -> Mapping[str, Listed]:
    """The test of each invariant in a directory, by the name of its file; they are checks from the first call on.

    Raises:
        pytest.UsageError: a file cannot be used, or has the name of a check or of a finding.
    """
    own = directory != INVARIANTS
    shown = str(directory) if own else "checks/invariants"
    try:
        invariants = load(directory, shown)
        taken = {*CHECKS, *(code for check in CHECKS.values() for code in check.finds)}
        for invariant in invariants:
            if used := taken.intersection((invariant.id, *invariant.finds)):
                raise InvariantError(
                    f"{invariant.file}: there is a check or a finding {min(used)} already. Give the file another name."
                )
    except InvariantError as error:
        raise pytest.UsageError(str(error)) from None
    _LOADED[directory] = invariants
    READERS["invariants"] = FactReader("invariants", _of_environment, live=False)
    return {invariant.id: _declare(invariant, None if own else Part.FRIGG) for invariant in invariants}


_LOADED: dict[Path, tuple[Invariant, ...]] = {}


def shipped() -> Mapping[str, Listed]:
    """The suite's own; see :func:`declared`."""
    return declared(INVARIANTS)


def _of_environment(environment: Environment) -> tuple[Invariant, ...]:
    """The invariants that an environment is judged by: the suite's where it is Frigg's, and a team's own."""
    of_frigg = _LOADED[INVARIANTS] if Part.FRIGG in environment.parts else ()
    return (*of_frigg, *_LOADED.get(environment.invariants, ()))


def _declare(invariant: Invariant, part: Part | None) -> Listed:
    name = invariant.id.replace("-", "_")
    answer = f"rows_of_{name}"
    path = INVARIANTS / f"{invariant.id}.sql" if part is not None else Path(invariant.file)
    READERS[answer] = FactReader(answer, _reader(invariant), live=False)

    def test(**facts: Any) -> list[Finding]:
        environment: Environment = facts["environment"]
        return list(findings(invariant, facts[answer], environment.baselines.get(invariant.id, 0)))

    parameters = [inspect.Parameter(each, inspect.Parameter.KEYWORD_ONLY) for each in (answer, "environment")]
    test.__name__ = test.__qualname__ = f"test_{name}"
    test.__doc__ = invariant.documentation
    test.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # pytest and Check read it
    # pytest takes the place of a test from its code alone: an item class of ours would not be parametrized.
    test.__code__ = test.__code__.replace(co_filename=str(path), co_firstlineno=1)
    check = Check(invariant.id, test, invariant.finds, invariant.documentation, part=part)
    test.check = check  # type: ignore[attr-defined]  # how the pytest hooks know it
    CHECKS[invariant.id] = check
    FIXES.update(dict.fromkeys(invariant.finds, _no_fix(invariant)))
    return test


def _reader(invariant: Invariant) -> Callable[[Mapping[str, InvariantResult]], InvariantResult]:
    def read(invariant_answers: Mapping[str, InvariantResult]) -> InvariantResult:
        answer = invariant_answers.get(invariant.id)
        if answer is None:
            raise NothingToCheck("the registry names other invariants for this environment")
        if answer.absent:
            raise NothingToCheck(answer.absent)
        if answer.problem:
            raise CouldNotCheck(answer.problem, f"{invariant.file}:{invariant.line}", answer.remedy)
        return answer

    read.__doc__ = f"The rows that offend the invariant {invariant.id}."
    return read


def _no_fix(invariant: Invariant) -> Suggestion:
    def build(finding: Finding) -> Iterator[NoFix]:
        yield NoFix(invariant.fix)

    return Suggestion(build, f"None: {invariant.fix[:1].lower()}{invariant.fix[1:]}", needs=())
