"""Random histories of real shape: what Prisma generates and people write, with rows and hands in between.

A generated statement is valid on the schema that the statements before it make, most of the time; what rows, hands and
a statement that comes twice make of it is for PostgreSQL to say.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

_TYPES = ("INTEGER", "BIGINT", "TEXT", "VARCHAR(8)", "BOOLEAN", "JSONB", "TIMESTAMP(3)", "DECIMAL(6,2)", "DATE")
_DEFAULTS = {
    "INTEGER": "0", "BIGINT": "7", "TEXT": "'none'", "VARCHAR(8)": "'none'", "BOOLEAN": "false", "JSONB": "'{}'",
    "TIMESTAMP(3)": "CURRENT_TIMESTAMP", "DECIMAL(6,2)": "1.5", "DATE": "'2026-01-01'",
}  # fmt: skip
_VALUES = {
    "INTEGER": ("1", "1", "2", "70000", "NULL"), "BIGINT": ("1", "1", "5000000000", "NULL"),
    "TEXT": ("'a'", "'A'", "'a'", "'12'", "'a text that is rather long'", "''", "NULL"),
    "VARCHAR(8)": ("'a'", "'12345678'", "NULL"),
    "BOOLEAN": ("true", "false", "NULL"), "JSONB": ("'{}'", "'[1]'", "NULL"), "TIMESTAMP(3)": ("now()", "NULL"),
    "DECIMAL(6,2)": ("1.25", "1234.5", "NULL"), "DATE": ("'2026-01-01'", "NULL"),
}  # fmt: skip
_TO = ("TEXT", "VARCHAR(8)", "BIGINT", "INTEGER", "DECIMAL(6,2)")


@dataclass
class Schema:
    """What there is, as far as the generator knows: tables with their columns' types, enums with their labels."""

    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    enums: dict[str, list[str]] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RandomHistory:
    """One state.

    Attributes:
        migrations: all of the directory, by name.
        applied: how many of them are applied.
        rows: INSERTs into what is there then; some may not fit.
        hands: what somebody did to the schema by hand, each statement by itself.
    """

    migrations: dict[str, str]
    applied: int
    rows: tuple[str, ...]
    hands: tuple[str, ...]


class _Writer:
    def __init__(self, seed: int) -> None:
        self.chance, self.schema, self._numbers = random.Random(seed), Schema(), 0

    def history(self) -> RandomHistory:
        chance = self.chance
        count, pending = chance.randint(2, 8), chance.choice((1, 1, 2, 3))
        files = [self._file() for _ in range(count)]
        there = Schema(
            {name: dict(columns) for name, columns in self.schema.tables.items()},
            {name: list(labels) for name, labels in self.schema.enums.items()},
            dict(self.schema.indexes),
        )
        rows = tuple(self._row(there) for _ in range(chance.choice((0, 4, 12)) if there.tables else 0))
        coming = [self._file() for _ in range(pending)]
        hands = []
        if chance.random() < 0.3:
            statements = [each for file in coming for each in file if each.startswith(("CREATE TABLE", "ALTER TABLE"))]
            if statements and chance.random() < 0.6:
                hands.append(chance.choice(statements))  # somebody was faster
            elif there.tables:
                hands.append(self._by_hand(there))
        names = {f"{number:03}_m": "\n".join(file) + "\n" for number, file in enumerate([*files, *coming])}
        return RandomHistory(names, count, rows, tuple(hands))

    def _file(self) -> list[str]:
        return [self._statement() for _ in range(self.chance.choice((1, 1, 2, 3, 5)))]

    def _name(self, stem: str) -> str:
        self._numbers += 1
        return f"{stem}{self._numbers}"

    def _statement(self) -> str:
        chance, schema = self.chance, self.schema
        if len(schema.tables) < 2:
            return self._table()
        table = chance.choice(list(schema.tables))
        columns = [name for name in schema.tables[table] if name != "id"]
        kinds: list[Callable[[], str]] = [
            self._table, self._enum, lambda: self._add(table), lambda: self._add(table), lambda: self._key(table),
        ]  # fmt: skip
        if columns:
            column = chance.choice(columns)
            kinds += [
                lambda: self._drop(table, column), lambda: self._rename(table, column),
                lambda: self._type(table, column), lambda: self._null(table, column),
                lambda: self._index(table, column), lambda: self._index(table, column),
                lambda: self._check(table, column), lambda: self._data(table, column),
                lambda: self._default(table, column),
            ]  # fmt: skip
        if schema.enums:
            kinds += [self._label, self._without_label]
        if schema.indexes:
            kinds.append(self._drop_index)
        if len(schema.tables) > 3:
            kinds.append(lambda: self._drop_table(table))
        return chance.choice(kinds)()

    def _table(self) -> str:
        name = self._name("T")
        columns = {self._name("c"): self.chance.choice(_TYPES) for _ in range(self.chance.randint(1, 4))}
        self.schema.tables[name] = {"id": "INTEGER", **columns}
        lines = [f'"{column}" {type_}{self.chance.choice(("", "", " NOT NULL"))}' for column, type_ in columns.items()]
        lines = ['"id" SERIAL NOT NULL', *lines, f'CONSTRAINT "{name}_pkey" PRIMARY KEY ("id")']
        return f'CREATE TABLE "{name}" ({", ".join(lines)});'

    def _drop_table(self, table: str) -> str:
        del self.schema.tables[table]
        self.schema.indexes = {name: of for name, of in self.schema.indexes.items() if of != table}
        return f'DROP TABLE "{table}"{self.chance.choice(("", " CASCADE"))};'

    def _enum(self) -> str:
        name, labels = self._name("E"), ["ONE", "TWO", "THREE"][: self.chance.randint(2, 3)]
        self.schema.enums[name] = labels
        return f'CREATE TYPE "{name}" AS ENUM ({", ".join(f"{chr(39)}{label}{chr(39)}" for label in labels)});'

    def _label(self) -> str:
        name, label = self.chance.choice(list(self.schema.enums)), self._name("L")
        self.schema.enums[name].append(label)
        return f"ALTER TYPE \"{name}\" ADD VALUE {self.chance.choice(('', 'IF NOT EXISTS '))}'{label}';"

    def _without_label(self) -> str:
        """As Prisma takes a label away from an enum."""
        name = self.chance.choice(list(self.schema.enums))
        kept = self.schema.enums[name][:-1] or self.schema.enums[name]
        self.schema.enums[name] = kept
        uses = [
            (t, c) for t, columns in self.schema.tables.items() for c, type_ in columns.items() if type_ == f'"{name}"'
        ]
        labels = ", ".join(f"'{label}'" for label in kept)
        altered = " ".join(
            f'ALTER TABLE "{t}" ALTER COLUMN "{c}" DROP DEFAULT; '
            f'ALTER TABLE "{t}" ALTER COLUMN "{c}" TYPE "{name}_new" USING ("{c}"::text::"{name}_new");'
            for t, c in uses
        )
        return (
            f'BEGIN; CREATE TYPE "{name}_new" AS ENUM ({labels}); {altered} '
            f'ALTER TYPE "{name}" RENAME TO "{name}_old"; '
            f'ALTER TYPE "{name}_new" RENAME TO "{name}"; DROP TYPE "{name}_old"; COMMIT;'
        )

    def _add(self, table: str) -> str:
        column = self._name("c")
        type_ = self.chance.choice((*_TYPES, *(f'"{name}"' for name in self.schema.enums)))
        self.schema.tables[table][column] = type_
        default = _DEFAULTS.get(type_)
        how = ["", " NOT NULL"] + ([f" NOT NULL DEFAULT {default}", f" DEFAULT {default}"] * 2 if default else [])
        return f'ALTER TABLE "{table}" ADD COLUMN "{column}" {type_}{self.chance.choice(how)};'

    def _drop(self, table: str, column: str) -> str:
        del self.schema.tables[table][column]
        return f'ALTER TABLE "{table}" DROP COLUMN "{column}";'

    def _rename(self, table: str, column: str) -> str:
        name = self._name("c")
        self.schema.tables[table] = {name if c == column else c: t for c, t in self.schema.tables[table].items()}
        return f'ALTER TABLE "{table}" RENAME COLUMN "{column}" TO "{name}";'

    def _type(self, table: str, column: str) -> str:
        type_ = self.chance.choice(_TO)
        self.schema.tables[table][column] = type_
        using = f' USING "{column}"::{type_}' if self.chance.random() < 0.6 else ""
        return f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET DATA TYPE {type_}{using};'

    def _null(self, table: str, column: str) -> str:
        return f'ALTER TABLE "{table}" ALTER COLUMN "{column}" {self.chance.choice(("SET", "SET", "DROP"))} NOT NULL;'

    def _default(self, table: str, column: str) -> str:
        default = _DEFAULTS.get(self.schema.tables[table][column])
        return f'ALTER TABLE "{table}" ALTER COLUMN "{column}" ' + (
            f"SET DEFAULT {default};" if default else "DROP DEFAULT;"
        )

    def _index(self, table: str, column: str) -> str:
        name, unique = self._name(f"{table}_{column}_i"), self.chance.choice(("", "UNIQUE "))
        self.schema.indexes[name] = table
        what = (
            f'lower("{column}")'
            if self.schema.tables[table][column] == "TEXT" and self.chance.random() < 0.3
            else f'"{column}"'
        )
        return f'CREATE {unique}INDEX "{name}" ON "{table}"({what});'

    def _drop_index(self) -> str:
        name = self.chance.choice(list(self.schema.indexes))
        del self.schema.indexes[name]
        return f'DROP INDEX "{name}";'

    def _check(self, table: str, column: str) -> str:
        name = self._name(f"{table}_k")
        return f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" CHECK ("{column}" IS NOT NULL);'

    def _key(self, table: str) -> str:
        other, column = self.chance.choice(list(self.schema.tables)), self._name("r")
        self.schema.tables[table][column] = "INTEGER"
        name = self._name(f"{table}_f")
        return (
            f'ALTER TABLE "{table}" ADD COLUMN "{column}" INTEGER; ALTER TABLE "{table}" ADD CONSTRAINT "{name}" '
            f'FOREIGN KEY ("{column}") REFERENCES "{other}"("id") ON DELETE SET NULL ON UPDATE CASCADE;'
        )

    def _data(self, table: str, column: str) -> str:
        value = self._value(self.schema, self.schema.tables[table][column])
        return self.chance.choice((
            f'UPDATE "{table}" SET "{column}" = {value} WHERE "{column}" IS NULL;',
            f'DELETE FROM "{table}" WHERE "{column}" IS NULL;',
            f'INSERT INTO "{table}" ("id", "{column}") VALUES ({self.chance.randint(1, 9000)}, {value});',
        ))  # fmt: skip

    def _value(self, schema: Schema, type_: str) -> str:
        labels = [f"'{label}'" for label in schema.enums.get(type_.strip('"'), ())]
        return self.chance.choice(_VALUES.get(type_) or (*labels, "NULL"))

    def _row(self, schema: Schema) -> str:
        table = self.chance.choice(list(schema.tables))
        columns = {name: type_ for name, type_ in schema.tables[table].items() if name != "id"}
        if not columns:
            return f'INSERT INTO "{table}" DEFAULT VALUES;'
        names = ", ".join(f'"{name}"' for name in columns)
        return (
            f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(self._value(schema, t) for t in columns.values())});'
        )

    def _by_hand(self, schema: Schema) -> str:
        table = self.chance.choice(list(schema.tables))
        column = self.chance.choice(list(schema.tables[table]))
        return self.chance.choice((
            f'ALTER TABLE "{table}" ADD COLUMN "{self._name("h")}" TEXT;', f'DROP TABLE "{table}" CASCADE;',
            f'ALTER TABLE "{table}" DROP COLUMN "{column}" CASCADE;',
            f'CREATE VIEW "{self._name("v")}" AS SELECT * FROM "{table}";',
            f'CREATE INDEX "{self._name("h")}" ON "{table}"("{column}");',
            *(f'DROP INDEX "{name}";' for name in list(schema.indexes)[:1]),
        ))  # fmt: skip


def random_history(seed: int) -> RandomHistory:
    """Make the history of a seed."""
    return _Writer(seed).history()


def files(seed: int, count: int) -> list[str]:
    """The scripts of so many migrations; of some the statements may not run."""
    writer = _Writer(seed)
    return ["\n".join(writer._file()) + "\n" for _ in range(count)]
