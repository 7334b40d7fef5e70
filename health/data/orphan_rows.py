"""Foreign keys that the migrations make and the database does not hold: their rows may point nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from health.catalog.catalog import Catalog, Key, schema_of

_NAME = r'(?:"(?:[^"]|"")+"|\w+)'
_NAMES = rf"{_NAME}(?:, {_NAME})*"
# As pg_get_constraintdef spells it, with the schema before the table where search_path does not hold it.
_DEFINITION = re.compile(
    rf"FOREIGN KEY \((?P<columns>{_NAMES})\) REFERENCES (?:{_NAME}\.)?(?P<parent>{_NAME})\((?P<keys>{_NAMES})\)"
)
_NOT_VALID = " NOT VALID"


@dataclass(frozen=True)
class ForeignKey:
    """A constraint by which each row that names a parent has one."""

    name: str
    table: str
    columns: tuple[str, ...]
    parent: str
    keys: tuple[str, ...]

    @property
    def subject(self) -> str:
        """``Table.column``."""
        return f"{self.table}.{'+'.join(self.columns)}"


@dataclass(frozen=True)
class Orphans:
    """How many rows of a foreign key's table have no parent; and what the first few name."""

    key: ForeignKey
    rows: int
    samples: tuple[str, ...]


def parse(name: str, table: str, definition: str) -> ForeignKey | None:
    """The foreign key in a constraint's definition; None if it is another constraint."""
    found = _DEFINITION.match(definition)
    if found is None:
        return None
    columns, keys = _split(found["columns"]), _split(found["keys"])
    return ForeignKey(name, table, columns, _split(found["parent"])[0], keys)


def unguarded(made: Mapping[Key, str], catalog: Catalog) -> Iterator[ForeignKey]:
    """Those of these objects whose columns are there, and which are missing or not validated."""
    for (kind, table, name), definition in made.items():
        if kind != "constraint" or schema_of(table) is not None:  # rows of another schema are another application's
            continue
        live = catalog.objects.get(("constraint", table, name))
        if live is not None and not live.endswith(_NOT_VALID):
            continue
        key = parse(name, table, definition)
        if key is not None and all(
            catalog.column(owner, column)
            for owner, columns in ((key.table, key.columns), (key.parent, key.keys))
            for column in columns
        ):
            yield key


def _split(names: str) -> tuple[str, ...]:
    return tuple(name[1:-1].replace('""', '"') if name.startswith('"') else name for name in re.findall(_NAME, names))
