"""What a platform has put into a database before any migration: extensions, each in its schema."""

from __future__ import annotations

import re
from collections.abc import Iterable

from health.catalog.catalog import Catalog, Extension
from health.clone.server_choice import extensions_made


def platform_extensions(catalog: Catalog, sql: str) -> tuple[Extension, ...]:
    """The extensions that something in a database hangs on, and that no migration makes.

    Args:
        catalog: of the database.
        sql: all files of the directory.
    """
    return tuple(
        each for each in catalog.extensions if each.used and not _made(each.name, each.schema, sql, catalog.schema)
    )


def any_unmade(extensions: Iterable[tuple[str, str]], sql: str, first: str) -> bool:
    """Whether there may be such extensions: some, each with its schema, are of no migration.

    Args:
        extensions: of the database.
        sql: all files of the directory.
        first: the schema that an extension goes to where a script names none.
    """
    return any(not _made(name, schema, sql, first) for name, schema in extensions)


def _made(name: str, schema: str, sql: str, first: str) -> bool:
    """Whether scripts ask for it, and name its schema where that is not the first of their ``search_path``."""
    if name not in extensions_made(sql):
        return False
    named = rf'\bSCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?"?{re.escape(schema)}\b'
    return schema == first or re.search(named, sql, re.IGNORECASE) is not None
