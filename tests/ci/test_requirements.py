"""What a wheel asks for is what is tested."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from plugins.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")
)
EVERY = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]


@pytest.mark.parametrize("requirement", [*map(Requirement, EVERY)], ids=str)
def test_the_tested_version_is_in_range(requirement: Requirement) -> None:
    assert requirement.specifier.contains(PINNED[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("requirement", [*map(Requirement, PROJECT["dependencies"])], ids=str)
def test_nothing_older_than_what_is_tested_is_taken(requirement: Requirement) -> None:
    (least,) = [each.version for each in requirement.specifier if each.operator == ">="]
    assert PINNED[canonicalize_name(requirement.name)].startswith(least)
