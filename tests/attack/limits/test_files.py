"""What stands in the place of a file: nobody waits for a FIFO, opens a device, or reads without end."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fixtures.application.environment import _head
from fixtures.clients.filesystem import NoPlainFileError, read_bounded
from fixtures.clients.ssh import key_file
from fixtures.config.env_files import read_env_files
from fixtures.data.invariants import _load
from fixtures.migrations.directory import read_migrations
from fixtures.tunnel.script import tunnel_script
from health.config.database_hosts import DatabaseUrlError
from health.config.environment import Environment
from health.config.registry import parse
from health.config.validation import RegistryError
from health.data.invariants import InvariantError
from health.finding import CouldNotCheck
from health.waivers.file import WaiversError
from health.waivers.file import parse as parse_waivers
from plugins.run.user_files import read_text

LARGEST = 10_000_000_000


def fifo(path: Path) -> None:
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.mkdir()


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LARGEST)


def itself(path: Path) -> None:
    path.symlink_to(path.name)


PLACES = [fifo, directory, device, sparse, itself]
READERS: dict[str, Callable[[Path], object]] = {
    "bounded": lambda path: read_bounded(path, 1000),
    "settings": lambda path: read_text(path, "x", "registry", "--environments"),
    ".env": lambda path: read_env_files({}, [path]),
    "invariant": lambda path: _load(path, "x"),
    "tunnel script": lambda path: tunnel_script(Environment("a", "a", tunnel_script=path), script_exists=True),
    "key": lambda path: key_file(Environment("a", "a", ssh_key=path)),
}
REFUSED = (NoPlainFileError, OSError, pytest.UsageError, DatabaseUrlError, InvariantError, CouldNotCheck)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_plain_file_is_refused(reader: str, place: Callable[[Path], None], tmp_path: Path) -> None:
    place(tmp_path / "file")
    with pytest.raises(REFUSED):
        READERS[reader](tmp_path / "file")


@pytest.mark.parametrize("place", [fifo, directory, device, sparse])
def test_migration_that_is_no_plain_file(place: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "1_a").mkdir()
    place(tmp_path / "1_a" / "migration.sql")
    assert _head(tmp_path / "1_a" / "migration.sql") == b""
    if place is sparse:
        with pytest.raises(CouldNotCheck, match="larger than"):
            read_migrations(tmp_path, "x")
    else:
        assert read_migrations(tmp_path, "x").migrations[0].sql is None


def test_file_that_is_replaced_by_a_fifo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    original = os.open
    monkeypatch.setattr(os, "open", lambda _, *words: original(tmp_path / "fifo", *words))  # in the last moment
    with pytest.raises(NoPlainFileError):
        read_bounded(tmp_path / "file", 1000)


def test_file_whose_size_is_a_lie() -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("only Linux has files in /proc")
    with pytest.raises(NoPlainFileError, match="larger than 3 bytes"):
        read_bounded(Path("/proc/self/status"), 3)  # its size is 0


TOML = {
    "deep": "a = " + "[" * 100_000,
    "deep tables": "[" + "a." * 400_000 + "a]",
    "an integer of 100,000 digits": "[a]\nssh_port = " + "9" * 100_000,
    "a date that is none": "[a]\napp = 9999-99-99",
    "control characters": "[a]\n\x1b[2J = 1",
    "infinite": "[a]\nlimits.connect_s = inf",
    "not a number": "[a]\nlimits.connect_s = nan",
    "1e999999": "[a]\nlimits.fact_s = 1e999999",
    "longer than any clock": "[a]\nlimits.fact_s = 1e12",
}


@pytest.mark.parametrize("name", TOML)
def test_hostile_toml_is_one_line(name: str) -> None:
    with pytest.raises(RegistryError) as error:
        parse(TOML[name], "environments.toml", Path())
    assert len(str(error.value)) < 1000
    assert str(error.value).isprintable()
    with pytest.raises(WaiversError) as refused:
        parse_waivers(TOML[name], "waivers.toml", [], [], date(2026, 1, 1))
    assert str(refused.value).isprintable()
