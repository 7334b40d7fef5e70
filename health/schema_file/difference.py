"""Differences between the schema file and what the migrations make, read from the script of Prisma's own diff."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from health.catalog.catalog import Catalog
from health.sanitize import short
from health.schema_file.clauses import split_clauses
from health.sql.splitter import locate

KNOWN = "schema file: "  # how an entry of known_differences begins that is about the schema file
_LONGEST = 200  # characters of an object's name

Kind = Literal["unwritten", "slower", "renamed", "unmodelled", "required"]
_WORST: tuple[Kind, ...] = ("unwritten", "required", "slower", "unmodelled", "renamed")

_NAME = r'(?:(?P<schema>"(?:[^"]|"")+")\.)?(?P<name>"(?:[^"]|"")+")'
_STATEMENT_WORDS: tuple[tuple[str, str, Kind], ...] = (
    (r"CREATE\s+TABLE", "table", "unwritten"),
    (r"DROP\s+TABLE", "table", "unmodelled"),
    (r"(?:CREATE|ALTER)\s+TYPE", "enum", "unwritten"),
    (r"DROP\s+TYPE", "enum", "unmodelled"),
    (r"CREATE\s+UNIQUE\s+INDEX", "index", "unwritten"),
    (r"CREATE\s+INDEX", "index", "slower"),
    (r"ALTER\s+INDEX", "index", "renamed"),
    (r"DROP\s+INDEX", "index", "unmodelled"),
    (r"CREATE\s+SCHEMA(?:\s+IF\s+NOT\s+EXISTS)?", "schema", "unwritten"),
    (r"CREATE\s+EXTENSION(?:\s+IF\s+NOT\s+EXISTS)?", "extension", "unwritten"),
    (r"DROP\s+EXTENSION(?:\s+IF\s+EXISTS)?", "extension", "unmodelled"),
)
_CLAUSE_WORDS: tuple[tuple[str, str, Kind], ...] = (
    (r"(?:ADD|ALTER)\s+COLUMN", "column", "unwritten"),
    (r"DROP\s+COLUMN", "column", "unmodelled"),
    (r"ADD\s+CONSTRAINT", "constraint", "unwritten"),
    (r"DROP\s+CONSTRAINT", "constraint", "unmodelled"),
    (r"RENAME\s+CONSTRAINT", "constraint", "renamed"),
)
_STATEMENTS = [(re.compile(rf"{words}\s+{_NAME}"), subject, kind) for words, subject, kind in _STATEMENT_WORDS]
_CLAUSES = [
    (re.compile(rf'{words}\s+(?P<name>"(?:[^"]|"")+")'), subject, kind) for words, subject, kind in _CLAUSE_WORDS
]
_ALTER_TABLE = re.compile(rf"ALTER\s+TABLE\s+{_NAME}\s+")


@dataclass(frozen=True)
class SchemaChange:
    """One object in which the schema file and the migrations differ.

    Attributes:
        subject: the object, such as ``column "User"."name"``.
        kind: ``unwritten``: the schema file has it, and the migrations do not make it so; ``slower``: the same of an
            index that only makes queries faster; ``renamed``: only its name differs; ``unmodelled``: the migrations
            make it, and the schema file does not have it; ``required``: the same of a column without which no row can
            be inserted.
        sql: the statements by which a new migration would bring the schema file's state.
    """

    subject: str
    kind: Kind
    sql: tuple[str, ...]


@dataclass(frozen=True)
class SchemaFileDiff:
    """What Prisma's own diff says.

    Attributes:
        schema: the schema file or directory, as a person names it.
        file: the whole path of the schema file; empty where it is a directory.
        migrations: the directory of the migrations.
        how: by which Prisma and which of its engines.
        changes: the differences that the registry does not declare.
        unused: what the registry declares and does not differ.
        refused: why Prisma does not read the schema file, in its own words; else empty.
    """

    schema: str
    migrations: str
    how: str
    changes: tuple[SchemaChange, ...] = ()
    unused: tuple[str, ...] = ()
    refused: str = ""
    file: str = ""


def changes(script: str, catalog: Catalog) -> tuple[SchemaChange, ...]:
    """Read the script that leads from what the migrations make to the schema file; one change for each object.

    Args:
        script: of ``prisma migrate diff --script``.
        catalog: of what the migrations make.
    """
    found: dict[str, tuple[list[Kind], list[str]]] = {}
    for subject, kind, sql in _parts(script):
        kinds, statements = found.setdefault(subject, ([], []))
        kinds.append(_of_column(subject, catalog) if kind == "unmodelled" else kind)
        if sql not in statements:
            statements.append(sql)
    return tuple(
        SchemaChange(subject, min(kinds, key=_WORST.index), tuple(sql)) for subject, (kinds, sql) in found.items()
    )


def apart_from_known(
    found: Sequence[SchemaChange], known: Sequence[str]
) -> tuple[tuple[SchemaChange, ...], tuple[str, ...]]:
    """Take out what the registry declares, and tell which of its declarations nothing needs."""
    declared = {each.removeprefix(KNOWN) for each in known if each.startswith(KNOWN)}
    subjects = {change.subject for change in found}
    return tuple(change for change in found if change.subject not in declared), tuple(sorted(declared - subjects))


def known_of_database(known: Sequence[str]) -> tuple[str, ...]:
    """Return the declared differences that are about the database, not the schema file."""
    return tuple(each for each in known if not each.startswith(KNOWN))


def _parts(script: str) -> Iterator[tuple[str, Kind, str]]:
    """The subject, kind and SQL of each statement; a table's changes are one for each column and constraint."""
    block: list[str] | None = None  # Prisma replaces an enum between BEGIN and COMMIT
    for statement in locate(script):
        text = statement.text
        if text.upper() == "BEGIN":
            block = []
        if block is not None:
            block.append(f"{text};")
            if text.upper() == "COMMIT":
                yield _replaced(block), "unwritten", " ".join(block)
                block = None
        elif (table := _ALTER_TABLE.match(text)) is not None:
            for clause in split_clauses(text[table.end() :]):
                yield _of_clause(table, clause)
        else:
            yield _of_statement(text)


def _of_statement(text: str) -> tuple[str, Kind, str]:
    for pattern, subject, kind in _STATEMENTS:
        if (match := pattern.match(text)) is not None:
            return _subject(subject, match["schema"], match["name"]), kind, f"{text};"
    return short(text, _LONGEST), "unwritten", f"{text};"


def _of_clause(table: re.Match[str], clause: str) -> tuple[str, Kind, str]:
    sql = f"{table[0].rstrip()} {clause};"
    for pattern, subject, kind in _CLAUSES:
        if (match := pattern.match(clause)) is not None:
            return _subject(subject, table["schema"], table["name"], match["name"]), kind, sql
    return _subject("table", table["schema"], table["name"]), "unwritten", sql


def _replaced(block: Sequence[str]) -> str:
    """The enum that a block replaces by a new type of another name."""
    pattern = re.compile(rf"DROP\s+TYPE\s+{_NAME}")
    match = next(filter(None, map(pattern.match, block)), None)
    if match is None:
        return short(block[0], _LONGEST)
    return _subject("enum", match["schema"], re.sub(r'_old"$', '"', match["name"]))


def _subject(kind: str, schema: str | None, *names: str) -> str:
    """An object as the other checks name it."""
    shown = (each for each in (schema if schema != '"public"' else None, *names) if each)
    return short(f"{kind} {'.'.join(shown)}", _LONGEST)


def _of_column(subject: str, catalog: Catalog) -> Kind:
    """Whether what is only in the migrations is a column that every new row needs."""
    needed = {
        f'column "{column.table}"."{column.name}"'
        for column in catalog.columns
        if column.not_null and column.default is None
    }
    return "required" if subject in needed else "unmodelled"
