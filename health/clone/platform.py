"""What a platform has put into a database before any migration: extensions, each in its schema."""

from __future__ import annotations

import re

from health.catalog.catalog import Catalog, Extension
from health.clone.server_choice import extensions_made


def platform_extensions(catalog: Catalog, sql: str) -> tuple[Extension, ...]:
    """The extensions that something in a database hangs on, and that no migration makes.

    Args:
        catalog: of the database.
        sql: all files of the directory.
    """
    return tuple(each for each in catalog.extensions if each.used and not _made(each, sql, catalog.schema))


def _made(extension: Extension, sql: str, first: str) -> bool:
    """Whether scripts ask for it, and name its schema where that is not the first of their ``search_path``."""
    if extension.name not in extensions_made(sql):
        return False
    named = rf'\bSCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?"?{re.escape(extension.schema)}\b'
    return extension.schema == first or re.search(named, sql, re.IGNORECASE) is not None
