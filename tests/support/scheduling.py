"""With ``-n``: the tests of a file, a fault or a case go to one worker; the longest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

_BY_PARAMETER = ("tests/faults/test_faults.py", "tests/cases/test_cases.py", "tests/versions/test_faults.py")
# What begins late must be short, else one worker ends alone. What is not listed comes last.
_LONGEST_FIRST = (
    "tests/command_line/test_second_environment.py",
    "tests/command_line/",
    "tests/containers/",
    "tests/sandbox/",
    "tests/attack/",
    "tests/engine/",
    "tests/versions/",
    "tests/unit/fixtures/",
    "tests/faults/test_several_faults.py",
    "tests/cases/",
    "tests/docs/",
    "tests/ci/",
    "tests/faults/",
)


def scope_of(nodeid: str) -> str:
    """The group that a test belongs to: its file, or the fault or case with which its id begins."""
    path, _, name = nodeid.partition("::")
    fault = name.partition("[")[2].rstrip("]").partition(":")[0]
    return f"{path}[{fault}]" if path in _BY_PARAMETER and fault else path


def is_one_world(nodeid: str) -> bool:
    """Whether the tests of its group share what a fault or case has set up."""
    return nodeid.partition("::")[0] in _BY_PARAMETER


def rank(scope: str) -> int:
    """The place of a group in the run; equal ranks keep their order."""
    return next((place for place, prefix in enumerate(_LONGEST_FIRST) if scope.startswith(prefix)), len(_LONGEST_FIRST))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest groups first, and the tests of a group together: its fixture is then set up once."""
    scopes = {item: scope_of(item.nodeid) for item in items}
    first: dict[str, int] = {}
    for number, scope in enumerate(scopes.values()):
        first.setdefault(scope, number)
    items.sort(key=lambda item: (rank(scopes[item]), first[scopes[item]]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Make the scheduler, unless another one is asked for by ``--dist``."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByScope(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    config.option.loadscopereorder = False  # the tests are in order already
    return ByScope(config, log)
