"""The fixes of a run as files, and the commands that apply them; written also where no ``--report`` was asked for."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.clients.cache import cache_directory
from health.report.fix_files import patch_name, patches, sql_name, suggests_sql
from health.report.order import numbered
from health.report.record import Record
from health.sanitize import one_line
from plugins.fixes.commands import quote
from plugins.output.private_files import write_private
from plugins.output.sql_files import sql_file

_KEPT = 20  # runs; the files of older ones go
_YOUNG_S = 3600.0  # within which nobody's files go, however many runs there are


def texts(record: Record) -> dict[str, str]:
    """Give the files by their names; of two judgements of an environment the second one's, where it was made."""
    files = {}
    for environment in record.current:
        files[sql_name(environment)] = "\n".join(sql_file(environment))
        for order, fix in patches(environment):
            files[patch_name(environment, order)] = fix.body.removesuffix("\n")
    return files


def commands(record: Record, directory: Path) -> Iterator[str]:
    """Say where the fixes of each environment are and what applies them, a line each."""
    for environment in record.current:
        for order, fix in patches(environment):
            path = quote(str(directory / patch_name(environment, order)))
            command = fix.note.rpartition(" < ")[0]  # a patch's note is the command that applies it
            yield _line(f"{environment.name}: fix {order} is applied by: {command} < {path}")
        if not suggests_sql(environment):
            continue
        path = quote(str(directory / sql_name(environment)))
        run = [order for order, fix in numbered(environment.findings) if fix.kind == "sql"]
        if not run:
            yield _line(f"{environment.name}: none of the SQL is to be run yet; it is in {path}")
            continue
        overview = environment.overview
        yield _line(f"{environment.name}: read the SQL, then run it {overview.way}: {overview.psql_command} -f {path}")


def write(_config: pytest.Config, record: Record) -> None:
    """Write the fixes that the terminal has shown in part to a directory of this user, and say how to apply them."""
    if not any(suggests_sql(each) or patches(each) for each in record.current):
        return
    try:
        directory = _directory()
        for name, text in texts(record).items():
            write_private(directory / name, text + "\n")
    except OSError as error:  # nobody has asked for them: the verdict stands
        print(one_line(f"The fixes could not be written: {error.strerror}. --report DIR writes them.", 1000))
        return
    tell(record, directory)


def tell(record: Record, directory: Path) -> None:
    """Print how to apply what was written."""
    for line in commands(record, directory):
        print(line)


def _directory() -> Path:
    """A new directory that only this user can enter, beside those of the last runs."""
    prefix = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-"
    try:
        kept = cache_directory("fixes")
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=kept))
    except OSError:  # no home, or a read-only one
        return Path(tempfile.mkdtemp(prefix="fixes-"))
    for old in sorted(each for each in kept.iterdir() if each.is_dir() and not each.is_symlink())[:-_KEPT]:
        if _age_s(old) > _YOUNG_S:
            shutil.rmtree(old, ignore_errors=True)
    return made


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:  # another run removes it
        return 0.0


def _line(text: str) -> str:
    return one_line(text, 4000)
