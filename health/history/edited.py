"""Migrations whose file is not the one that was applied, and what is known of the difference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from health.history.history import History, matches
from health.history.provenance import Provenance, Version, applied_version
from health.history.rows import Row
from health.migrations.directory import Migration
from health.prisma.engine import checksum
from health.sql.statements import differ_in_comments_only

_MOST_TRIED = 50_000_000  # characters
EditKind = Literal["edited", "comments edited", "edited after failure"]


@dataclass(frozen=True)
class EditedMigration:
    """An applied migration with another file than was applied.

    Attributes:
        row: the one that the engine compares with the file.
        original: where the text that was applied is to be found, if that is known.
        version: the stored file, where git has it.
    """

    kind: EditKind
    migration: Migration
    row: Row
    original: str | None = None
    version: Version | None = None


def edits(history: History, provenance: Provenance, accepted: Mapping[str, Sequence[str]]) -> Iterator[EditedMigration]:
    """What the engine calls edited, without what was made by hand or is accepted."""
    for name in history.diagnosis.edited:
        migration, applied, compared = history.directory.by_name[name], history.applied.get(name), history.seen[name][0]
        differs = applied is not None and not any(matches(migration, row) for row in applied)
        row = applied[0] if applied is not None and differs else compared
        if row.checksum in accepted.get(name, ()) or not row.engine_made or row.failed:
            continue
        yield _edit(migration, row, provenance) if differs else EditedMigration("edited after failure", migration, row)


def _edit(migration: Migration, row: Row, provenance: Provenance) -> EditedMigration:
    assert migration.sql is not None  # noqa: S101 - the engine has compared it
    if version := applied_version(provenance.versions.get(migration.name, ()), row.checksum):
        same = differ_in_comments_only(version.sql, migration.sql)
        kind: EditKind = "comments edited" if same else "edited"
        told = f"commit {version.commit[:10]} of {version.committed_at:%Y-%m-%d}"
        return EditedMigration(kind, migration, row, told, version)
    if row.checksum in map(checksum, _without_added_comments(migration.sql)):
        return EditedMigration(
            "comments edited", migration, row, "the file itself, without the comments that were added"
        )
    return EditedMigration("edited", migration, row)


def _without_added_comments(sql: str) -> Iterator[str]:
    """The text without one run, or a part of a run, of lines that hold only a comment or nothing."""
    lines = sql.splitlines(keepends=True)
    idle = [re.fullmatch(r"\s*(--.*)?\s*", line) is not None for line in lines]
    tried = 0
    for start in range(len(lines)):
        end = start
        while end < len(lines) and idle[end]:
            end += 1
            without = "".join(lines[:start] + lines[end:])
            if (tried := tried + len(without)) > _MOST_TRIED:
                return  # a long text of comments has more parts than can be tried
            yield without
