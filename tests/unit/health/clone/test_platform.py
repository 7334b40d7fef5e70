"""An extension is the platform's where no migration makes it in the schema that it is in."""

from __future__ import annotations

import pytest

from health.catalog.catalog import Catalog, Extension
from health.clone.platform import platform_extensions

UUID = Extension("uuid-ossp", "extensions", used=True)


@pytest.mark.parametrize(
    ("sql", "extension", "platforms"),
    [
        ("SELECT 1;", UUID, True),
        ("SELECT 1;", Extension("uuid-ossp", "public", used=True), True),
        ("SELECT 1;", Extension("pg_stat_statements", "public", used=False), False),
        ('CREATE EXTENSION IF NOT EXISTS "uuid-ossp";', Extension("uuid-ossp", "public", used=True), False),
        # It would have gone into the first schema.
        ('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"; SELECT extensions.uuid_generate_v4();', UUID, True),
        ('CREATE EXTENSION "uuid-ossp" WITH SCHEMA "extensions";', UUID, False),
        ('create schema if not exists extensions; create extension "uuid-ossp" schema extensions;', UUID, False),
    ],
)
def test_platform(sql: str, extension: Extension, platforms: bool) -> None:
    found = platform_extensions(Catalog("public", extensions=(extension,)), sql)
    assert found == ((extension,) if platforms else ())
