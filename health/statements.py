"""Finding single statements in the SQL of migrations."""

from __future__ import annotations

import re
from collections.abc import Iterable

from health.history import Migration

_LONGEST = 5_000  # characters of a statement that is looked for; it also bounds the search in foreign text


def adding_column(migrations: Iterable[Migration], table: str, column: str) -> tuple[Migration, str] | None:
    """The first migration that adds a column by ALTER TABLE, with that statement as it stands in the file."""
    adds = re.compile(
        rf'ALTER\s+TABLE\s+(?:ONLY\s+|IF\s+EXISTS\s+)*(?:"?\w+"?\.)?"{table}"\s[^;]{{0,{_LONGEST}}}?'
        rf'\bADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?"{column}"\s',
        re.IGNORECASE,
    )
    for migration in migrations:
        for hit in adds.finditer(migration.sql or ""):
            statement = _statement(migration.sql or "", hit.start())
            if statement is not None and adds.match(statement):
                return migration, statement
    return None


def _statement(text: str, start: int) -> str | None:
    """The statement that begins at an offset, without comments; None within a comment or behind other text."""
    import sqlparse  # lazy: most runs need none of it
    from sqlparse.exceptions import SQLParseError

    line = text[text.rfind("\n", 0, start) + 1 : start]
    if line.strip() or text.count("/*", 0, start) > text.count("*/", 0, start):
        return None
    try:
        first = sqlparse.split(text[start : start + 2 * _LONGEST])[0]
        return str(sqlparse.format(first, strip_comments=True)).strip()
    except SQLParseError:  # more tokens than its own limit
        return None
