"""Which objects are parts of others: with those they come and go."""

from __future__ import annotations

import re
from collections.abc import Iterator

from health.catalog.catalog import Key, name_in, schema_of

COMMENT = "comment on "
PARTITION = "partition"
_RELATIONS = ("table", "view", "materialized view", "foreign table", "composite type")
_OF = {"enum label": ("enum",), "domain constraint": ("domain",)}
# As fixtures.database.kinds spells it; the table is in the sequence's own schema.
_OWNED = re.compile(r'(?:OWNED BY|IDENTITY OF) (?:.*\.)?("(?:[^"]|"")+"|\w+)\.(?:"(?:[^"]|"")+"|\w+)$')


def wholes(key: Key, definition: str = "") -> Iterator[Key]:
    """The objects that an object is a part of, if they are there."""
    kind, owner, name = key
    if kind.startswith(COMMENT):
        commented = (kind.removeprefix(COMMENT), owner, name)
        yield commented
        yield from wholes(commented)
        return
    if (schema := schema_of(owner or name)) is not None:
        yield "schema", "", schema
    if owner:
        for whole in _OF.get(kind, _RELATIONS):
            yield whole, "", owner
    if kind == PARTITION:
        yield "table", "", name
    if kind == "publication of table":
        yield "publication", "", name
    if kind == "sequence" and (owned := _OWNED.search(definition)):
        table = owned[1][1:-1].replace('""', '"') if owned[1].startswith('"') else owned[1]
        yield "table", "", name_in(schema_of(name), table)
