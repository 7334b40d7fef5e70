"""Extensions that the sandbox's PostgreSQL has and no other: what a clone of it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_CONTROL = "comment = 'of the sandbox'\ndefault_version = '1.0'\nrelocatable = true\n"


def settings(directory: Path, extensions: Mapping[str, str]) -> dict[str, str]:
    """Write extensions; gives the settings by which a server finds them.

    Args:
        directory: a private one; the server's user may pass through it.
        extensions: by the name of each, the SQL that makes what it brings.
    """
    if not extensions:
        return {}
    place = directory / "share" / "extension"
    for path in (place.parent, place):
        path.mkdir()
        path.chmod(0o755)  # whatever the umask: as root, the server runs as nobody
    for name, sql in extensions.items():
        for file, text in ((f"{name}.control", _CONTROL), (f"{name}--1.0.sql", sql)):
            (place / file).write_text(text)
            (place / file).chmod(0o644)
    # Since PostgreSQL 18; in each of its directories the server looks into the subdirectory extension.
    return {"extension_control_path": f"$system:{place.parent}"}
