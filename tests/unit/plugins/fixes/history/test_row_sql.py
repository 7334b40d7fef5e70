"""What SQL fixes and their undos do to rows on a real server, whatever the texts in the rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from health.finding import Finding, Fix
from health.history.history import History
from health.history.rows import Row
from health.prisma.engine import checksum
from tests.support.effort import scaled
from tests.support.fix_cases import (
    CASES,
    CLEAN,
    FILE,
    NAME,
    NOW,
    ROW_CODES,
    STATES,
    Case,
    Facts,
    found,
    row,
    suggested,
)
from tests.support.history_table import put, refused, snapshot, stored
from tests.support.hostile import HOSTILE, texts

# Cases whose fixes stand by themselves; steps, which lean on each other, have a test of their own.
ALONE = {title: case for title, case in CASES.items() if case.shape.atomic and case.code in ROW_CODES}
Rows = dict[str, Row]


# What each fix promises, by its title: the rows that it may touch, and what becomes of them


@dataclass(frozen=True)
class Applied:
    """A fix that was run: what it was made from, and the rows before and after."""

    finding: Finding
    history: History
    before: Rows
    after: Rows

    @property
    def name(self) -> str:
        """Of the migration that the finding speaks of."""
        return self.named[0].migration_name if self.named else str(self.finding.evidence["name"])

    @property
    def named(self) -> list[Row]:
        """The rows that the finding speaks of."""
        evidence = self.finding.evidence
        ids = evidence["ids"] if "ids" in evidence else (evidence.get("id"),)
        return [row for row in self.history.recorded.rows if row.id in ids]  # type: ignore[operator]

    @property
    def surplus(self) -> list[Row]:
        """The same, of rows that record one migration twice: without the one that is kept."""
        rows = self.named
        if self.finding.code != "duplicated-row":
            return rows
        as_the_file = [
            row for row in rows if row.checksum == checksum(FILE) and self.name in self.history.directory.names
        ]
        kept = [*as_the_file, *rows][0]
        return [row for row in rows if row is not kept]

    def rolled_back(self, rows: list[Row]) -> Rows:
        """The rows with the mark, which must be of now."""
        marks = {row.id: self.after[row.id].rolled_back_at for row in rows}
        assert all(mark is not None and abs(datetime.now(UTC) - mark) < timedelta(minutes=1) for mark in marks.values())
        return {row.id: replace(row, rolled_back_at=marks[row.id]) for row in rows}


def rolls_back(done: Applied) -> Rows:
    return {**done.before, **done.rolled_back(done.surplus)}


def deletes(done: Applied) -> Rows:
    gone = {row.id for row in done.surplus}
    return {key: row for key, row in done.before.items() if key not in gone}


def applies(done: Applied, digest: str = checksum(FILE), steps: int = 0) -> Rows:
    """As ``resolve --applied`` leaves it."""
    (new,) = done.after.keys() - done.before.keys()
    started = done.after[new].started_at
    assert abs(datetime.now(UTC) - started) < timedelta(minutes=1)
    made = Row(new, digest, started, done.name, "", None, started, steps)
    return {**done.before, **done.rolled_back(done.named), new: made}


def applies_by_hand(done: Applied) -> Rows:
    return applies(done, "manual", 1)


def sets_checksum(done: Applied) -> Rows:
    (changed,) = [row for row in done.before.values() if done.after[row.id] != row]
    assert changed.applied
    assert changed.migration_name == done.name
    return {**done.before, changed.id: replace(changed, checksum=checksum(FILE))}


def renames(done: Applied) -> Rows:
    (row,) = done.named
    return {**done.before, row.id: replace(row, migration_name=done.history.pending[0].name)}


PROMISES: dict[str, Callable[[Applied], Rows]] = {
    r"(.*: m|M)ark the .*rows? as rolled back|.*: mark it as rolled back": rolls_back,
    r"Delete the rows?, by id": deletes,
    r"Give the row the name that the directory has": renames,
    r"Record the migration as applied.*|.*: record it as applied|Run .*, and record the migration .*": applies,
    r"Then record the migration as applied": applies,
    r"Record it with the checksum manual": applies_by_hand,
    r"Record the checksum of the file.*|Run .*, and record the file's checksum": sets_checksum,
}


def try_fix(database: psycopg.Connection, fix: Fix, finding: Finding, history: History) -> None:
    """Run a fix and its undo: each keeps its promise, touches nothing else, and is refused when it must be."""
    (promised,) = {promise for title, promise in PROMISES.items() if re.fullmatch(title, fix.title)}
    rows = history.recorded.rows
    put(database, *rows)
    before = stored(database)
    database.execute(fix.body.encode())
    after = stored(database)
    done = Applied(
        finding, history, {key: each.row for key, each in before.items()}, {k: each.row for k, each in after.items()}
    )
    assert done.after == promised(done)
    assert done.after != done.before
    for key, each in before.items():  # what is as before was not written either
        assert key not in after or after[key].row != each.row or after[key] == each
    refused(database, fix.body)
    if fix.undo is None:
        database.execute(CLEAN.encode())
        return
    newer = replace(rows[0] if rows else row(), id="newer", migration_name=done.name)
    put(database, *done.after.values(), newer)
    refused(database, fix.undo, "There is a newer row of this migration")
    database.execute("DELETE FROM _prisma_migrations WHERE id = 'newer'")
    database.execute(fix.undo.encode())
    assert snapshot(database) == {key: each.text for key, each in before.items()}


def try_every_fix(database: psycopg.Connection, facts: Facts, codes: list[str]) -> int:
    history: History = facts["history"]
    count = 0
    for code in codes:
        for finding in found(code, facts):
            for fix in suggested(finding, facts)[0]:
                if fix.kind == "sql":
                    try_fix(database, fix, finding, history)
                    count += 1
    return count


def others(name: str) -> list[Row]:
    """Rows of other names: one that blocks, one in force, one that is rolled back."""
    names = [f"{name}x"[-255:] if len(name) < 255 else name[1:], name.swapcase()[:254] + "~", f" {name}"[:255]]
    assert name not in names
    return [
        row("crashed", id="other-1", migration_name=names[0], started_at=NOW - timedelta(minutes=1)),
        row("applied", id="other-2", migration_name=names[1], checksum="", logs=name),
        row("rolled back", id="other-3", migration_name=names[2]),
    ]


@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE)
@pytest.mark.parametrize("text", ["", HOSTILE[12]], ids=["plain", "hostile"])
def test_each_fix_keeps_its_promise(database: psycopg.Connection, case: Case, text: str) -> None:
    name = f"{NAME}{text}"
    assert try_every_fix(database, case.facts(name, text, others(name)), [case.code]) >= 1


moments = st.datetimes(datetime(1, 1, 2), NOW.replace(tzinfo=None) - timedelta(hours=1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


@st.composite
def rows_of(draw: st.DrawFn, case: Case, name: str) -> list[Row]:
    """The rows that a case needs, and more of the same name, in any order."""
    made = []
    for number, state in enumerate([*case.states, *draw(st.lists(st.sampled_from(STATES), max_size=3))]):
        changes: dict[str, Any] = {}
        if state in ("hand-written", "failed", "crashed", "rolled back", "taken back"):
            changes["checksum"] = draw(texts)[:64]
        if state != "crashed":
            changes["logs"] = draw(st.none() | texts)
        made.append(
            row(
                state,
                id=f"{number}{draw(texts)}"[:36],
                migration_name=name,
                started_at=draw(moments),
                applied_steps_count=draw(st.integers(-(2**31), 2**31 - 1)),
                **changes,
            )
        )
    return made


@dataclass(frozen=True)
class Situation:
    """A case with hostile texts."""

    title: str
    name: str
    text: str
    rows: list[Row]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    title = draw(st.sampled_from(list(ALONE)))
    name = draw(texts)[:255]
    return Situation(title, name, draw(texts), draw(rows_of(ALONE[title], name)))


def examples(test: Any) -> Any:
    for number, text in enumerate(HOSTILE):
        for title in list(ALONE)[number % 6 :: 6]:
            test = example(Situation(title, text[:255], text, list(ALONE[title].rows(text[:255], text))))(test)
    return test


def test_a_renamed_row_goes_back_beside_another_of_its_name(database: psycopg.Connection) -> None:
    """Another row that was there before is no newer one, whichever of the two names it has."""
    case = CASES["orphaned, renamed"]
    now = case.of(NAME, "", [])["history"].pending[0].name
    more = [row("crashed", id="beside", migration_name=NAME), row("rolled back", id="back", migration_name=now)]
    assert try_every_fix(database, case.facts(NAME, "", more), [case.code]) >= 1


@examples
@given(situations())
@settings(
    max_examples=scaled(70),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_any_rows_with_any_texts(database: psycopg.Connection, situation: Situation) -> None:
    case, name = ALONE[situation.title], situation.name
    facts = case.of(name, situation.text, [*situation.rows, *others(name)])
    try_every_fix(database, facts, ROW_CODES)
