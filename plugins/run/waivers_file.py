"""``--waivers FILE``: the accepted findings, read before anything is asked of the outside."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import pytest

from health.waivers import file as waivers_file
from health.waivers.file import WaiversError
from health.waivers.waivers import Waivers
from plugins import fixes
from plugins.run import registry_file
from plugins.run.user_files import from_here, read_text, shown


def load(config: pytest.Config, environments: Collection[str]) -> Waivers:
    """The waivers of the option's file, or of its twin's in pytest.ini, or of ``waivers.toml`` if there is one.

    Raises:
        pytest.UsageError: the file cannot be read, or is no list of waivers.
    """
    if value := config.getoption("waivers"):
        file, source = from_here(config, value), "--waivers"
    elif value := config.getini("waivers"):
        file, source = config.rootpath / Path(value).expanduser(), "pytest.ini"
    else:
        # Beside the registry of where the user stands; the suite's own go with any that is named.
        found = registry_file.find(config)
        file, source = (config.rootpath if found.source else found.directory) / "waivers.toml", "default"
        if not file.exists():
            return Waivers()
    text = read_text(file, source, "waivers file", "--waivers")
    try:
        return waivers_file.parse(text, shown(file), environments, fixes.FIXES, datetime.now(UTC).date())
    except WaiversError as error:
        raise pytest.UsageError(str(error)) from None
