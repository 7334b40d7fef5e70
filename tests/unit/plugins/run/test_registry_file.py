"""Which ``environments.toml`` a run takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from health.config.validation import RegistryError
from plugins.paths import ROOT
from plugins.run import registry_file
from tests.unit.plugins.run.test_clone_option import Config

OWN = '[qa]\ndatabase_url = "${QA_URL}"\n'


@dataclass
class At(Config):
    """Pytest's configuration for a user who stands somewhere."""

    here: Path
    option: str | None = None
    ini: str = ""
    rootpath: Path = ROOT
    invocation_params: Any = field(init=False)

    def __post_init__(self) -> None:
        self.invocation_params = SimpleNamespace(dir=self.here)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with a registry at its top, below a directory of somebody else's with another."""
    (tmp_path / "shop" / "src").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "shop" / ".git").mkdir()
    for place in (tmp_path, tmp_path / "shop"):
        (place / "environments.toml").write_text(OWN)
    return tmp_path


@pytest.mark.parametrize(
    ("config", "file", "name"),
    [
        ({"here": "shop"}, "{tree}/shop/environments.toml", "environments.toml"),
        ({"here": "shop/src"}, "{tree}/shop/environments.toml", "../environments.toml"),
        ({"here": "other"}, f"{ROOT}/environments.toml", "environments.toml"),  # what is above may be anybody's
        ({"here": "shop", "option": "../other/x.toml"}, "{tree}/other/x.toml", "{tree}/other/x.toml"),
        ({"here": "shop", "ini": "x.toml"}, f"{ROOT}/x.toml", "x.toml"),
    ],
)
def test_the_nearest_is_taken_unless_one_is_named(tree: Path, config: dict[str, str], file: str, name: str) -> None:
    at: Any = At(**{**config, "here": tree / config["here"]})  # type: ignore[arg-type]
    found = registry_file.find(at)
    assert (str(found.file), found.name) == (file.format(tree=tree), name.format(tree=tree))


def test_the_local_environment_is_in_every_registry(tree: Path) -> None:
    at: Any = At(tree / "shop")
    known = registry_file.load(at)
    assert (known.names, known.deployed) == (("qa", "local"), ("qa",))
    assert registry_file.select(at, known, "local") == ("local",)
    with pytest.raises(RegistryError, match=r"no environment 'prod' in environments\.toml; it has qa, local"):
        registry_file.select(at, known, "prod")


def test_a_database_of_the_users_own_may_be_named_local(tree: Path) -> None:
    (tree / "shop" / "environments.toml").write_text(OWN.replace("[qa]", "[local]"))
    at: Any = At(tree / "shop")
    known = registry_file.load(at)
    assert registry_file.select(at, known, "local") == ("local",)
    assert not known.embedded("local")
    assert known.entries == {"local": {"database_url": "${QA_URL}"}}


def test_of_an_installed_suite_only_the_local_environment_can_be_judged(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_file, "INSTALLED", True)
    at: Any = At(tree / "other")
    known = registry_file.load(at)
    assert known.names == ("local",)
    with pytest.raises(RegistryError, match="Write one by migration-health init, or name one by --environments FILE"):
        registry_file.select(at, known, "prod")
