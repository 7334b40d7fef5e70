"""Extensions of the sandbox's PostgreSQL: those that no other has, and those that it lacks itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg

from health.clone.contrib import CONTRIB
from health.clone.server_choice import extensions_made
from health.finding import CouldNotCheck
from health.sanitize import one_line
from health.words import plural

_CONTROL = "comment = 'of the sandbox'\ndefault_version = '1.0'\nrelocatable = true\n"
_UNAVAILABLE = re.compile(r'^extension ".+" is not available|^could not open extension control file ')  # before 15
_AVAILABLE = "SELECT name::text FROM pg_catalog.pg_available_extensions"
_SETTING_SINCE = 18


def settings(directory: Path, extensions: Mapping[str, str], major: int) -> dict[str, str]:
    """Write extensions; gives the settings by which a server finds them.

    Args:
        directory: a private one; the server's user may pass through it.
        extensions: by the name of each, the SQL that makes what it brings.
        major: the server's version.

    Raises:
        CouldNotCheck: the server is too old.
    """
    if not extensions:
        return {}
    if major < _SETTING_SINCE:
        what = f"an extension of the environment alone needs PostgreSQL {_SETTING_SINCE} or newer, not {major}"
        raise CouldNotCheck(what, "--postgres", "Leave --postgres out.")
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


def require(session: psycopg.Connection, error: psycopg.Error, scripts: Iterable[str], where: Path) -> None:
    """Refuse to go on where a script has failed for want of an extension that the server could have.

    Args:
        session: of a superuser, outside a transaction.
        error: what the script failed with.
        scripts: all that are to run, so that every extension is named at once.
        where: they are.

    Raises:
        CouldNotCheck: that is why.
    """
    if not _UNAVAILABLE.match(error.diag.message_primary or ""):
        return
    available = {name for (name,) in session.execute(_AVAILABLE)}
    missing = sorted({name for script in scripts for name in extensions_made(script)} - available)
    major = session.info.server_version // 10000
    named = one_line(", ".join(missing), 120)
    what = f"the local environment's PostgreSQL {major} lacks the {plural(len(missing), 'extension')} {named}"
    brought = [name for name in missing if name in CONTRIB]
    remedy = f"--fetch-postgres {major} brings {one_line(', '.join(brought), 120)}."
    if len(brought) < len(missing):
        remedy = "Judge an environment that has what is lacking, by --env."
    raise CouldNotCheck(what, str(where), remedy)
