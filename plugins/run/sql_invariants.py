"""Makes a check of every file in ``checks/invariants``, collected by pytest as a test file of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
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
from plugins.run.items import target_name


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Declare them before the facts become fixtures."""
    declared()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect a query as a file with one test."""
    if file_path.suffix != ".sql" or file_path.parent != INVARIANTS:
        return None
    return _File.from_parent(parent, path=file_path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The data come last in each environment: whatever keeps them from being read is told before."""
    targets = list(dict.fromkeys(map(target_name, items)))
    items.sort(key=lambda item: (targets.index(target_name(item)), isinstance(item.parent, _File)))


@cache
def declared() -> Mapping[str, Listed]:
    """The test of each invariant, by the name of its file; they are checks from the first call on.

    Raises:
        pytest.UsageError: a file cannot be used, or has the name of a check or of a finding.
    """
    try:
        invariants = load(INVARIANTS)
        taken = {*CHECKS, *(code for check in CHECKS.values() for code in check.finds)}
        for invariant in invariants:
            if used := taken.intersection((invariant.id, *invariant.finds)):
                raise InvariantError(
                    f"checks/invariants/{invariant.id}.sql: there is a check or a finding {min(used)} already. "
                    "Give the file another name."
                )
    except InvariantError as error:
        raise pytest.UsageError(str(error)) from None
    READERS["invariants"] = FactReader("invariants", _suite(invariants), live=False)
    return {invariant.id: _declare(invariant) for invariant in invariants}


def _suite(invariants: tuple[Invariant, ...]) -> Callable[[], tuple[Invariant, ...]]:
    def read() -> tuple[Invariant, ...]:
        return invariants

    read.__doc__ = "The invariants that the suite holds."
    return read


class _File(pytest.Module):
    """A module that holds the test of one file."""

    def _getobj(self) -> ModuleType:
        module = ModuleType(self.path.stem)
        test = declared()[self.path.stem]
        vars(module)[test.__name__] = test
        return module


def _declare(invariant: Invariant) -> Listed:
    name = invariant.id.replace("-", "_")
    answer = f"rows_of_{name}"
    READERS[answer] = FactReader(answer, _reader(invariant), live=False)

    def test(**facts: Any) -> list[Finding]:
        environment: Environment = facts["environment"]
        return list(findings(invariant, facts[answer], environment.baselines.get(invariant.id, 0)))

    parameters = [inspect.Parameter(each, inspect.Parameter.KEYWORD_ONLY) for each in (answer, "environment")]
    test.__name__ = test.__qualname__ = f"test_{name}"
    test.__doc__ = invariant.documentation
    test.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # pytest and Check read it
    # pytest takes the place of a test from its code alone: an item class of ours would not be parametrized.
    test.__code__ = test.__code__.replace(co_filename=str(INVARIANTS / f"{invariant.id}.sql"), co_firstlineno=1)
    check = Check(invariant.id, test, invariant.finds, invariant.documentation, part=Part.FRIGG)
    test.check = check  # type: ignore[attr-defined]  # how the pytest hooks know it
    CHECKS[invariant.id] = check
    FIXES.update(dict.fromkeys(invariant.finds, _no_fix(invariant)))
    return test


def _reader(invariant: Invariant) -> Callable[[Mapping[str, InvariantResult]], InvariantResult]:
    def read(invariant_answers: Mapping[str, InvariantResult]) -> InvariantResult:
        answer = invariant_answers[invariant.id]
        if answer.absent:
            raise NothingToCheck(answer.absent)
        if answer.problem:
            raise CouldNotCheck(answer.problem, f"checks/invariants/{invariant.id}.sql:{invariant.line}", answer.remedy)
        return answer

    read.__doc__ = f"The rows that offend the invariant {invariant.id}."
    return read


def _no_fix(invariant: Invariant) -> Suggestion:
    def build(finding: Finding) -> Iterator[NoFix]:
        yield NoFix(invariant.fix)

    return Suggestion(build, f"None: {invariant.fix[:1].lower()}{invariant.fix[1:]}", needs=())
