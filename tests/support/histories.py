"""Histories with the answers of Prisma's own engines: the shape of ``tests/data/prisma-histories-1.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from health.history.history import Diagnosis
from health.history.rows import COLUMNS, Row
from health.migrations.directory import Migration
from health.prisma.version import Generation
from tests.support.paths import DATA

T = TypeVar("T")

OWN = DATA / "prisma-histories-1.json"
ENGINES = {Generation.UP_TO_7_8: "engine", Generation.FROM_7_9: "engine_7_10_1"}
DIAGNOSTICS = {
    None: None,
    "databaseIsBehind": "unapplied",
    "migrationsDirectoryIsBehind": "unpersisted",
    "historiesDiverge": "diverged",
}

_LONGEST_NAME = 255  # bytes, in Linux's file systems and in Prisma's column


class ShapeError(Exception):
    """A text is not of the shape; the text says where."""


@dataclass(frozen=True)
class Verdicts:
    """What ``diagnoseMigrationHistory``, ``migrate status`` and ``migrate deploy`` answer.

    Attributes:
        differs: which side lacks something: ``unapplied``, ``unpersisted``, ``diverged``; None if neither does.
    """

    diagnosis: Diagnosis
    differs: str | None
    status_exit: int
    deploy_error: str | None
    applies: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """An engine's answer to one case.

    Attributes:
        failed_in_deploy: the migrations whose scripts failed; None where the file does not say it.
        tables_after: the tables after the deploy; None where the file does not say it.
    """

    verdicts: Verdicts
    failed_in_deploy: tuple[str, ...] | None
    tables_after: frozenset[str] | None


@dataclass(frozen=True)
class Case:
    """A directory and a database, and what the engines answered.

    Attributes:
        tie: whether rows of equal start make the engine's order a matter of chance.
        setup: a script that makes the database's other tables.
        disk: in the order of the CLI.
        rows: in the order in which they were inserted.
    """

    id: str
    tie: bool
    lock: str | None
    table_exists: bool
    setup: str
    disk: tuple[Migration, ...]
    rows: tuple[Row, ...]
    answers: Mapping[Generation, Answer]


GIVEN = pytest.StashKey[tuple[Case, ...]]()  # by --histories


def read(file: Path) -> tuple[Case, ...]:
    """The cases of a file.

    Raises:
        ShapeError: it cannot be read, or is not of the shape.
    """
    try:
        return parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ShapeError(error.strerror or type(error).__name__) from None
    except UnicodeDecodeError as error:
        raise ShapeError(f"not UTF-8 at byte {error.start}") from None


def parse(text: str) -> tuple[Case, ...]:
    """The cases of a text.

    Raises:
        ShapeError: it is not of the shape.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ShapeError(f"not JSON: {error}") from None
    cases = tuple(_case(part) for part in _Part(whole, "the file").parts("cases"))
    if not cases:
        raise ShapeError("it holds no cases")
    return cases


@dataclass(frozen=True)
class _Part:
    """A JSON object and the name of its place."""

    value: Any
    place: str

    def __post_init__(self) -> None:
        if not isinstance(self.value, dict):
            raise ShapeError(f"{self.place} is not an object")

    def get(self, key: str, kind: type[T]) -> T:
        value = self.maybe(key, kind)
        if value is None:
            raise ShapeError(f"{self.place} has no {key}")
        return value

    def maybe(self, key: str, kind: type[T]) -> T | None:
        value = self.value.get(key)
        if value is None:
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ShapeError(f"{self.place}: {key} is not a {kind.__name__}")
        if isinstance(value, str) and not _storable(value):
            raise ShapeError(f"{self.place}: {key} holds a character that PostgreSQL or UTF-8 has not")
        return value

    def parts(self, key: str) -> Iterator[_Part]:
        for number, value in enumerate(self.get(key, list)):
            name = value.get("id") if isinstance(value, dict) and key == "cases" else None
            yield _Part(value, f"case {name}" if name else f"{self.place}: {key}[{number}]")

    def names(self, key: str) -> tuple[str, ...]:
        names = self.get(key, list)
        if not all(isinstance(name, str) for name in names):
            raise ShapeError(f"{self.place}: {key} holds something else than names")
        return tuple(names)


def _storable(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _case(part: _Part) -> Case:
    case = Case(
        part.get("id", str),
        part.get("tie_started_at", bool),
        part.maybe("lock", str),
        part.get("table_exists", bool),
        part.get("setup_sql", str),
        tuple(_migration(each) for each in part.parts("disk")),
        tuple(_row(each) for each in part.parts("rows")),
        {
            generation: _answer(_Part(part.get(key, dict), f"{part.place}: {key}"))
            for generation, key in ENGINES.items()
        },
    )
    if len({migration.name for migration in case.disk}) < len(case.disk):
        raise ShapeError(f"{part.place}: disk names a migration twice")
    if case.rows and not case.table_exists:
        raise ShapeError(f"{part.place} has rows without a table")
    return case


def _migration(part: _Part) -> Migration:
    name = part.get("name", str)
    if name in {"", ".", ".."} or "/" in name or len(name.encode()) > _LONGEST_NAME:
        raise ShapeError(f"{part.place}: {name!r:.80} names no directory")
    return Migration(name, part.maybe("sql", str), part.maybe("checksum", str))


def _row(part: _Part) -> Row:
    values: dict[str, Any] = {}
    for column in COLUMNS:
        if column == "applied_steps_count":
            values[column] = part.get(column, int)
        elif column.endswith("_at"):
            values[column] = _time(part, column)
        else:
            values[column] = part.maybe(column, str) if column == "logs" else part.get(column, str)
    return Row(**values)


def _time(part: _Part, column: str) -> datetime | None:
    text = part.get(column, str) if column == "started_at" else part.maybe(column, str)
    try:
        time = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise ShapeError(f"{part.place}: {column} is not a time") from None
    if time is not None and time.tzinfo is None:
        raise ShapeError(f"{part.place}: {column} has no time zone")
    return time


def _answer(part: _Part) -> Answer:
    diagnosis, differs = _diagnosis(part)
    verdicts = Verdicts(
        diagnosis,
        differs,
        part.get("status_exit_code", int),
        part.maybe("deploy_error_code", str),
        part.names("applied_by_deploy"),
    )
    return Answer(
        verdicts,
        part.names("failed_in_deploy") if "failed_in_deploy" in part.value else None,
        frozenset(part.names("tables_after")) if "tables_after" in part.value else None,
    )


def _diagnosis(part: _Part) -> tuple[Diagnosis, str | None]:
    if (error := part.maybe("diagnose_error", dict)) is not None:
        return Diagnosis(error=_Part(error, f"{part.place}: diagnose_error").get("code", str)), None
    told = _Part(part.get("diagnose", dict), f"{part.place}: diagnose")
    history = _Part(told.maybe("history", dict) or {}, f"{told.place}: history")
    diagnostic = history.maybe("diagnostic", str)
    if diagnostic not in DIAGNOSTICS:
        raise ShapeError(f"{history.place}: {diagnostic!r:.80} is an unknown diagnostic")
    differs = DIAGNOSTICS[diagnostic]
    diagnosis = Diagnosis(
        told.names("editedMigrationNames"),
        told.names("failedMigrationNames"),
        history.names("unappliedMigrationNames") if differs in {"unapplied", "diverged"} else (),
        history.names("unpersistedMigrationNames") if differs in {"unpersisted", "diverged"} else (),
        history.maybe("lastCommonMigrationName", str) if differs == "diverged" else None,
    )
    return diagnosis, differs
