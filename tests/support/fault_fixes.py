"""The table of the SQL fixes of each fault: the tests that run them are collected from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tests.support.paths import DATA

_FILE = DATA / "fault_fixes.json"


@dataclass(frozen=True)
class FixCase:
    """A SQL fix that is suggested for a root finding.

    Attributes:
        undo: whether it has one.
        of_rows: whether the finding is about rows of a migration.
    """

    code: str
    title: str
    undo: bool
    of_rows: bool


def read_cases() -> dict[str, list[FixCase]]:
    """Read the fixes by fault."""
    return {fault: [FixCase(**case) for case in cases] for fault, cases in json.loads(_FILE.read_text()).items()}


def write_cases(fault: str, cases: Sequence[FixCase]) -> None:
    """Put the fixes of a fault into the table; a fault that it lacks comes last, one without SQL is left out."""
    table = {name: fixes for name, fixes in {**read_cases(), fault: cases}.items() if fixes}
    _FILE.write_text(
        "{\n" + ",\n".join(f"{json.dumps(name)}: {_listed(cases)}" for name, cases in table.items()) + "\n}\n"
    )


def _listed(cases: Sequence[FixCase]) -> str:
    return "[" + ",".join(f"\n  {json.dumps(asdict(case))}" for case in cases) + "]"
