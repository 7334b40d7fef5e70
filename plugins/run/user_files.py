"""Files that the user names: paths as they are meant, texts as they are, or one line that says why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fixtures.clients.filesystem import NoPlainFileError, read_bounded
from plugins.paths import ROOT

_LARGEST = 1_000_000


def from_here(config: pytest.Config, path: str) -> Path:
    """A path of the command line: relative to where the user stands."""
    return Path(os.path.normpath(config.invocation_params.dir / Path(path).expanduser()))


def read_text(file: Path, source: str, what: str, option: str) -> str:
    """The text of a file of settings.

    Args:
        file: which one.
        source: what named it.
        what: what it is, such as ``registry``.
        option: the option that names another.

    Raises:
        pytest.UsageError: it is not a regular file, too large, not readable or not UTF-8.
    """
    try:
        return read_bounded(file, _LARGEST).decode().replace("\r\n", "\n")
    except NoPlainFileError as error:
        raise pytest.UsageError(f"{source}: {file} is no {what}: it {error}. Name another.") from None
    except OSError as error:
        remedy = f"Name a {what} by {option} FILE."
        raise pytest.UsageError(f"{source}: {file}: {error.strerror}. {remedy}") from None
    except UnicodeDecodeError as error:
        raise pytest.UsageError(f"{file}: not UTF-8 at byte {error.start}. Save it as UTF-8.") from None


def shown(file: Path) -> str:
    """How to name a file to a person."""
    return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)
