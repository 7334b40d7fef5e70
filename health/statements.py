"""Finding single statements in the SQL of migrations."""

from __future__ import annotations

import re
from collections.abc import Iterable

from health.history import Migration


def adding_column(migrations: Iterable[Migration], table: str, column: str) -> tuple[Migration, str] | None:
    """The first migration that adds a column by ALTER TABLE, with that statement as it stands in the file."""
    adds = re.compile(
        rf'ALTER\s+TABLE\s+(?:ONLY\s+|IF\s+EXISTS\s+)*(?:"?\w+"?\.)?"{table}"\s.*?'
        rf'\bADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?"{column}"\s',
        re.IGNORECASE | re.DOTALL,
    )
    for migration in migrations:
        if migration.sql is None or not adds.search(migration.sql):
            continue
        import sqlparse  # lazy: most runs need none of it

        for statement in sqlparse.split(migration.sql):
            bare = sqlparse.format(statement, strip_comments=True).strip()
            if adds.match(bare):
                return migration, bare
    return None
