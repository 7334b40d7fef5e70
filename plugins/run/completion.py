"""Completes environments, ids and choices in a shell, where argcomplete is installed and asks pytest for them."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from health.config import registry
from health.config.validation import RegistryError
from health.finding import PHASES
from plugins.paths import ROOT
from plugins.run.check_catalog import all_checks
from plugins.run.registry_file import NAME, nearest
from plugins.run.sandbox_faults import list_faults


def pytest_addoption(parser: pytest.Parser) -> None:
    """Give the options their words; pytest has no public way to do so."""
    if not os.environ.get("_ARGCOMPLETE"):
        return
    options = getattr(parser.optparser, "_option_string_actions", {})
    for option, words in _WORDS.items():
        if option in options:
            options[option].completer = words


def environments(prefix: str, parsed_args: Namespace, **_: Any) -> list[str]:
    """The names of the registry's environments; of several with a comma between them the last is completed."""
    file = Path(parsed_args.environments or nearest(Path.cwd()) or ROOT / NAME)
    try:
        names = registry.parse(file.read_text(encoding="utf-8"), str(file), file.parent).names
    except (OSError, UnicodeDecodeError, RegistryError):
        names = ()
    before = prefix[: prefix.rfind(",") + 1]
    taken = before.split(",")
    return [before + name for name in (*names, *(() if before else ("all",))) if name not in taken]


def ids(**_: Any) -> list[str]:
    """The ids of checks and the codes of findings."""
    checks = all_checks()
    return sorted({*checks, *(code for check in checks.values() for code in check.finds)})


def _faults(**_: Any) -> list[str]:
    return [fault["name"] for fault in list_faults()]


def _of(words: Iterable[str]) -> Callable[..., list[str]]:
    return lambda **_: list(words)


_WORDS: dict[str, Callable[..., list[str]]] = {
    "--env": environments,
    "--explain": ids,
    "--fault": _faults,
    "--phase": _of(PHASES),
    "--fail-on": _of(("error", "warning")),
}
