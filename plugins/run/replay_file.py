"""``--replay FILE``: a run on facts that another one has read; nothing is asked of the outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from health.saved.file import LARGEST, SavedFileError, from_bytes
from health.saved.run import SavedRun
from health.secrets.secret import hide
from plugins.run.user_files import from_here, shown

# What the file has, or what a run without an outside cannot do. The attribute of pytest's options → how it is written.
_REFUSED = {
    "env": "--env", "database_url": "--database-url", "environments": "--environments", "app": "--app",
    "migrations": "--migrations", "tunnel_script": "--tunnel-script", "phase": "--phase", "fail_on": "--fail-on",
    "fault": "--fault", "case": "--case", "postgres": "--postgres", "migrate": "--migrate", "confirm": "--confirm",
    "waivers": "--waivers", "clone": "--clone", "rows": "--rows", "editing": "--editing", "save": "--save",
}  # fmt: skip
_INVARIANT = re.compile(r"[a-z0-9-]{1,100}\.sql")
_PLACES = pytest.StashKey[list[TemporaryDirectory[str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("migration health").addoption(
        "--replay", metavar="FILE", help="judge what a run with --save has read, without network or database"
    )


def replayed(config: pytest.Config) -> tuple[str, SavedRun] | None:
    """The run of the file, with how to name that; None where none was asked for.

    Raises:
        pytest.UsageError: the file is none that can be replayed, or another option does not go with it.
    """
    name = config.option.replay
    if name is None:
        return None
    for attribute, option in _REFUSED.items():
        if getattr(config.option, attribute, None):
            raise pytest.UsageError(f"{option} does not go with --replay: the file has what was read. Leave one out.")
    file = from_here(config, name)
    try:
        saved = from_bytes(_bytes(file))
        if not saved.targets:
            raise SavedFileError("it has no environment")
        return shown(file), _with_invariants(config, saved)
    except OSError as error:
        raise pytest.UsageError(f"--replay: {file}: {error.strerror}. Name a file of --save.") from None
    except SavedFileError as error:
        raise pytest.UsageError(f"--replay: {file}: {hide(str(error))}. Name another file of --save.") from None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take away what was written for pytest to collect."""
    for place in config.stash.get(_PLACES, []):
        place.cleanup()


def _bytes(file: Path) -> bytes:
    if file.exists() and not file.is_file():
        raise SavedFileError("no regular file")
    with file.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise SavedFileError(f"larger than {LARGEST // 1_000_000} MB")
    return data


def _with_invariants(config: pytest.Config, saved: SavedRun) -> SavedRun:
    """The run with a team's own invariants as files of their own: pytest collects files."""
    places: dict[str, Path] = {}
    targets = []
    for target in saved.targets:
        key = repr(sorted(target.invariants.items()))
        if target.invariants and key not in places:
            places[key] = _written(config, target.invariants)
        directory = places[key] if target.invariants else Path()
        targets.append(replace(target, environment=replace(target.environment, invariants=directory)))
    return replace(saved, targets=tuple(targets))


def _written(config: pytest.Config, texts: Mapping[str, str]) -> Path:
    place = TemporaryDirectory(prefix="migration-health-")
    config.stash.setdefault(_PLACES, []).append(place)
    for name, text in texts.items():
        if not _INVARIANT.fullmatch(name):
            raise SavedFileError(f"damaged: {name[:40]!r} is no file of an invariant")
        (Path(place.name) / name).write_text(text, encoding="utf-8", errors="replace")
    return Path(place.name)
