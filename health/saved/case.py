"""A saved environment as a case: its migrations, its history and its schema, without rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from health.history.history import History, matches
from health.history.rows import Row
from health.prisma.version import PrismaVersion

_SCHEMA = "public"  # where a case is put


class CaseError(Exception):
    """There is no case of an environment; the text says why on one line."""


def case_files(
    gist: str, history: History, prisma: PrismaVersion, schema_sql: str | None, *, as_migrated: bool
) -> dict[str, str | None]:
    """Describe an environment, as docs/reference/cases.md says: the text of each file by its path; None: a directory.

    Where the applied migrations make the schema, the case runs them; else it makes the schema as it is, first, and
    all rows are recorded beside it.

    Args:
        gist: what it shows, in a sentence.
        history: the migrations and their rows.
        prisma: the version that deploys.
        schema_sql: what makes the schema; None where that is not known.
        as_migrated: whether it is known that the applied migrations make it.

    Raises:
        CaseError: it cannot be described so.
    """
    recorded = history.recorded
    if recorded.schema != _SCHEMA:
        raise CaseError(f"its schema is {recorded.schema}, and a case is put into {_SCHEMA}")
    if prisma.version is None:
        raise CaseError(f"the version of its Prisma is not known ({prisma.source})")
    plain = _plainly_applied(history) if as_migrated else None
    if plain is None and schema_sql is None:
        raise CaseError("its schema is not what its applied migrations make, and there is no dump of it")
    applied = [] if plain is None else plain
    others = [row for row in recorded.rows if row not in applied]
    files: dict[str, str | None] = dict(_migrations(history))
    files["case.toml"] = "\n".join(_settings(gist, prisma.version, applied, others))
    if plain is None:
        files["before.sql"] = schema_sql
    return files


def _plainly_applied(history: History) -> list[Row] | None:
    """The applied rows, if each is of a file of its own as that is, run by the engine."""
    applied = [row for row in history.recorded.rows if row.applied]
    by_name = history.directory.by_name
    for row in applied:
        migration = by_name.get(row.migration_name)
        if migration is None or migration.checksum != row.checksum or not matches(migration, row):
            return None
        if not row.applied_steps_count or row.logs or len(history.applied[row.migration_name]) > 1:
            return None
    return applied


def _migrations(history: History) -> Iterator[tuple[str, str | None]]:
    yield "migrations", None
    if history.directory.lock_file is not None:
        yield "migrations/migration_lock.toml", history.directory.lock_file
    for migration in history.directory.migrations:
        name = migration.name
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise CaseError(f"{name[:60]!r} is no name of a directory")
        yield f"migrations/{name}", None
        if migration.sql is not None:
            yield f"migrations/{name}/migration.sql", migration.sql


def _settings(gist: str, prisma: str, applied: Sequence[Row], others: Sequence[Row]) -> Iterator[str]:
    yield f"gist = {_text(gist)}"
    yield f"prisma = {_text(prisma)}"
    yield f"applied = [{', '.join(_text(row.migration_name) for row in applied)}]"
    for row in others:
        yield "\n[[row]]"
        yield f"name = {_text(row.migration_name)}"
        yield f"checksum = {_text(row.checksum)}"
        if row.finished_at is None:
            yield "finished = false"
        if row.rolled_back_at is not None:
            yield "rolled_back = true"
        if row.finished_at is not None and row.applied_steps_count:
            yield "ran = true"
        if row.logs is not None:
            yield f"logs = {_text(row.logs)}"
    yield ""


def _text(text: str) -> str:
    """A string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
