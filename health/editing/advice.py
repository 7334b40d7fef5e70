"""May a migration's SQL be edited, and how: what trying it in each environment showed, and the answer."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from health.catalog.catalog import Catalog, Key, describe_some
from health.catalog.changes import Change
from health.history.history import History, matches
from health.migrations.directory import MigrationDirectory
from health.prisma.engine import LOCK_FILE, PROVIDER, provider
from health.sanitize import one_line
from health.sql.failure import SqlFailure
from health.sql.statements import leaves_transaction_open, split

_COMMITS = re.compile(r"\s*(?:COMMIT|END|ROLLBACK(?!\s+TO\b)|ABORT)\b", re.IGNORECASE)
_CONCURRENTLY = re.compile(r"\s*(?:CREATE|DROP|REINDEX)\b[^;]*\bCONCURRENTLY\b", re.IGNORECASE)
_STAMPED = re.compile(r"[0-9]{14}_")
_OF_TABLES = ("column", "constraint", "index", "trigger", "policy", "rule", "partition", "statistics")
_SHOWN = 100


@dataclass(frozen=True)
class EditConflict:
    """A statement that an environment refuses.

    Attributes:
        number: its place in the script, from 0.
        line: of its first word, from 1.
        statement: its beginning, on one line.
        failure: what PostgreSQL said.
        reason: why no guard may be put on it; None where all that it makes is there as it makes it.
    """

    number: int
    line: int
    statement: str
    failure: SqlFailure
    reason: str | None = None

    def __str__(self) -> str:
        code = f"{self.failure.sqlstate} " if self.failure.sqlstate else ""
        return f"line {self.line}: {code}{self.failure}"


@dataclass(frozen=True)
class MigrationState:
    """Whether one environment has applied a migration, by its rows.

    Attributes:
        word: pending, running, failed or applied.
        since: when the row was written.
        sentence: the same for a person.
    """

    word: str
    since: datetime | None
    sentence: str

    @property
    def open(self) -> bool:
        """Whether a deploy is still to apply it."""
        return self.word in ("pending", "failed")


def migration_state(history: History, name: str) -> MigrationState:
    """Find the state of a migration by the rows of its name."""
    if rows := history.applied.get(name):
        row = rows[0]
        same = matches(history.directory.by_name[name], row)
        file = "the file is as it was then" if same else "the file has been edited since"
        when = row.finished_at or row.started_at
        sentence = f"applied {when:%Y-%m-%d %H:%M:%S} UTC, row {one_line(row.id, 36)}; {file}."
        return MigrationState("applied", when, sentence)
    if rows := history.running_by_name.get(name):
        when = rows[0].started_at
        return MigrationState("running", when, f"running since {when:%Y-%m-%d %H:%M:%S} UTC: wait for its end.")
    if rows := history.failed_by_name.get(name):
        row = rows[-1]
        logs = f" It said: {one_line(row.logs)}" if row.logs else ""
        sentence = f"failed {row.started_at:%Y-%m-%d %H:%M:%S} UTC, row {one_line(row.id, 36)}.{logs}"
        return MigrationState("failed", row.started_at, sentence)
    late = history.applied_after(name)
    behind = f" {one_line(late)}, which sorts behind it, is applied already." if late else ""
    back = " An earlier attempt was rolled back." if name in history.by_name else ""
    return MigrationState("pending", None, f"pending.{back}{behind}")


def why_no_guard(changes: Sequence[Change], now: Catalog, end: Catalog) -> str | None:
    """Why a guard on a statement that was refused would hide something; None where it would not.

    Args:
        changes: what the statement does to a database that has none of it.
        now: what is there.
        end: what is there after the whole script on that other database.
    """
    if not changes:
        return "what it does cannot be seen in the catalog, so nobody knows whether it is done"
    there, wanted = now.objects, end.objects
    other = [c.key for c in changes if there.get(c.key) not in (c.after, c.before)]
    if other:
        return f"{describe_some(other)} is there, but differs from what the statement makes: a guard would keep it so"
    tables = {c.key[2] for c in changes if c.key[0] == "table" and c.before is None and c.key in there}
    more = [key for key in there if _part_of(key, tables, _OF_TABLES) and key not in wanted]
    missing = [c.key for c in changes if _part_of(c.key, tables, ("column", "constraint")) and c.key not in there]
    types = {c.key[2] for c in changes if c.key[0] in ("enum", "domain") and c.before is None and c.key in there}
    more += [key for key in there if _part_of(key, types, ("enum label",)) and key not in wanted]
    missing += [c.key for c in changes if _part_of(c.key, types, ("enum label",)) and c.key not in there]
    if more or missing:
        return f"what is there has {_sides(more, missing)}: a guard would keep it so"
    if all(there.get(c.key) == c.before for c in changes):
        return "nothing of what it does is there: something else is in its way"
    return None


def traps(directory: MigrationDirectory, name: str) -> list[str]:
    """What can be told of a migration from the directory alone: its place, the lock file, its encoding, its traps."""
    script = directory.by_name[name].sql
    if script is None:
        return [*_of_place(directory, name), "It has no migration.sql: a deploy stops here (P3015)."]
    return [*_of_place(directory, name), *_of_encoding(script), *_of_transactions(script)]


def unified(name: str, old: str, new: str) -> str:
    """The edit as ``patch -p1`` takes it in the migrations directory."""
    path = f"{name}/migration.sql"
    lines = difflib.unified_diff(_lines(old), _lines(new), f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def beginning(statement: str) -> str:
    """How a statement is named to a person."""
    return one_line(statement, _SHOWN)


def _of_place(directory: MigrationDirectory, name: str) -> Iterator[str]:
    if directory.lock_file is None:
        yield f"There is no {LOCK_FILE}. Deploys run without it; Prisma's own commands write it."
    elif (named := provider(directory.lock_file)) != PROVIDER:
        yield f"{LOCK_FILE} names {one_line(str(named), 40)}, not {PROVIDER}: every deploy stops (P3019)."
    if not _STAMPED.match(name):
        yield "Its name does not begin with a time of 14 digits: it runs where its letters sort it."
    names = [each.name for each in directory.migrations]
    if sorted(names).index(name) != names.index(name):
        yield "Prisma's order is not that of the bytes of the names: ls and git show it at another place."


def _of_encoding(script: str) -> Iterator[str]:
    if script.startswith("\ufeff"):
        yield "It begins with a byte order mark, which PostgreSQL takes for a syntax error. Save it without."
    if "\ufffd" in script:
        yield "It is not UTF-8: Prisma's checksum is of its repaired text, not of its bytes. Save it as UTF-8."
    if "\r\n" in script:
        yield "Its lines end with CRLF. Prisma takes its checksum for the same as with LF."


def _of_transactions(script: str) -> Iterator[str]:
    if leaves_transaction_open(script):
        yield "It has BEGIN without COMMIT: a deploy reports success and keeps nothing."
    parts = split(script) or []
    commits = [number for number, each in enumerate(parts) if _COMMITS.match(each)]
    if commits and commits[0] + 1 < len(parts):
        yield "Statements follow its COMMIT: when one of them fails, what came before it stays."
    if len(parts) > 1 and any(_CONCURRENTLY.match(each) for each in parts):
        yield "CONCURRENTLY stands beside other statements: one query is one transaction, it fails (25001)."


def _lines(text: str) -> list[str]:
    lines: list[str] = re.findall(r"[^\n]*\n|[^\n]+", text)  # only a newline ends a line
    return lines


def _part_of(key: Key, owners: set[str], kinds: tuple[str, ...]) -> bool:
    return key[0] in kinds and key[1] in owners


def _sides(more: Sequence[Key], missing: Sequence[Key]) -> str:
    sides = []
    if more:
        sides.append(f"{describe_some(more)} besides")
    if missing:
        sides.append(f"no {describe_some(missing)}")
    return " and ".join(sides)
