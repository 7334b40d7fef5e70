"""``--report DIR``: report.json, the fixes of each environment, and summary.md."""

from __future__ import annotations

import json
import os

import pytest

from health.nightly.svg import trend_svg
from health.report.record import Record
from plugins.output import fix_files
from plugins.output.markdown_summary import summary
from plugins.output.private_files import locked, write_private
from plugins.run.user_files import from_here

_LOCK = pytest.StashKey[int | None]()  # held until the process ends


def pytest_configure(config: pytest.Config) -> None:
    """Make the directory at once: a run whose report cannot be kept must not begin."""
    directory = config.getoption("report")
    if directory and not hasattr(config, "workerinput"):
        path = from_here(config, directory)
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
            config.stash[_LOCK] = locked(path)
        except OSError as error:
            raise pytest.UsageError(f"--report: {path}: {error.strerror}. Name a directory to write to.") from None
        if config.stash[_LOCK] is None:
            raise pytest.UsageError(f"--report: another run is writing to {path}. Name another directory, or wait.")


def write(config: pytest.Config, record: Record) -> None:
    """Write the files.

    Raises:
        OSError: one of them could not be written; the others are there.
    """
    path, failed = from_here(config, config.getoption("report")), list[OSError]()
    files = {
        "report.json": json.dumps(record.to_json(), indent=2, ensure_ascii=True),
        "summary.md": "\n".join(summary(record)),
    }
    files |= fix_files.texts(record)
    for environment in record.current:
        if environment.drift is not None:
            files[f"trend-{environment.name}.svg"] = trend_svg(environment.drift.trend, environment.name)
    for name, text in files.items():
        try:
            write_private(path / name, text + "\n")
        except OSError as error:
            failed.append(OSError(error.errno, error.strerror, str(path / name)))
    if failed:
        raise failed[0]
    fix_files.tell(record, path)
