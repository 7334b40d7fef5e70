"""Collects the queries of ``checks/invariants``, and a team's own, each as a test file of its own."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from plugins.paths import CHECKS, INVARIANTS
from plugins.run.invariant_checks import declared, shipped
from plugins.run.items import target_name


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Declare them before the facts become fixtures, and collect a team's own beside the suite's."""
    shipped()
    for directory in _own(config):
        declared(directory)
        if any(CHECKS.is_relative_to(Path(argument).resolve()) for argument in config.args):
            config.args += [str(path) for path in sorted(directory.glob("*.sql")) if str(path) not in config.args]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect a query as a file with one test."""
    if file_path.suffix != ".sql" or file_path.parent not in {INVARIANTS, *_own(parent.config)}:
        return None
    return _File.from_parent(parent, path=file_path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The data come last in each environment: whatever keeps them from being read is told before."""
    targets = list(dict.fromkeys(map(target_name, items)))
    items.sort(key=lambda item: (targets.index(target_name(item)), isinstance(item.parent, _File)))


def _own(config: pytest.Config) -> tuple[Path, ...]:
    """The directories of invariants that the environments of the run name."""
    from plugins.run.options import RUN  # pytest loads that plugin after this one, and rewrites its assertions then

    return config.stash[RUN].invariants


class _File(pytest.Module):
    """A module that holds the test of one file."""

    def _getobj(self) -> ModuleType:
        module = ModuleType(self.path.stem)
        test = declared(self.path.parent)[self.path.stem]
        vars(module)[test.__name__] = test
        return module
