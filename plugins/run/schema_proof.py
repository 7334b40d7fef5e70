"""Holds a rehearsed copy against what its migrations make by the eye of ``pg_dump``, and asks what a fix would lose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from fixtures.clone.rehearsal import RehearsalClone, run_again, stage
from fixtures.clone.replays import Replays
from fixtures.clone.schema_dump import SchemaEye, SchemaReading
from fixtures.clone.server import CloneError
from fixtures.clone.stored_tables import stored_tables
from fixtures.data.lost_rows import lost_rows
from fixtures.database.session import ReadOnlySession
from fixtures.facts import Facts
from fixtures.pending.data_check import data_check
from health.catalog.changes import differing
from health.finding import CouldNotCheck, Finding, NothingToCheck
from health.history.history import History
from health.migrations.directory import Migration
from health.sanitize import one_line
from health.schema.drift import Drift
from health.schema.dump_difference import SchemaDifference, beside, history_of, names_of
from health.schema.dump_text import Pieces
from health.schema.losses import Loss, StoredTables, losses
from health.schema_file.difference import known_of_database
from health.sql.statements import taking_rows

_SHOWN = 60  # characters of a statement
_GRANTS = re.compile(r"\b(?:GRANT|REVOKE)\b", re.IGNORECASE)
_OF_DRIFT = {
    "schema-object-missing", "schema-object-different", "schema-object-extra", "constraint-not-validated",
    "index-invalid",
}  # fmt: skip
_SEEN = "as pg_dump writes it,"


class _Untouched(NamedTuple):
    """The environment's copy before anything was tried on it."""

    eye: SchemaEye
    schema: SchemaReading
    stored: StoredTables


class SchemaProof:
    """The schema of copies after fixes, held against the one that the migrations then in force make.

    Args:
        facts: of the environment.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._made: dict[tuple[str | None, ...], SchemaReading] = {}
        self._reloaded: dict[int, tuple[SchemaReading, SchemaReading]] = {}  # the first keeps its number from others

    @property
    def detail(self) -> str:
        """What a proof says of who judged the schema; empty where it was ``pg_dump``."""
        instead = self._untouched.eye.instead
        return f"judged by our catalog alone, as {instead}" if instead else ""

    def refuted(self, copy: RehearsalClone, read: Facts, finding: Finding) -> str:
        """Why a fix does harm, or not what it is for; empty where neither is so.

        What differed in the same way before the fix, and is no object of it, is no matter of it.

        Args:
            copy: on which it was tried.
            read: the facts of that copy.
            finding: that it is for.

        Raises:
            CloneError: it is not known.
        """
        there, was, is_ = self._untouched.eye.read(copy.database), _in_force(self._facts), _in_force(read)
        of_drift = finding.code in _OF_DRIFT
        if not of_drift and was == is_ and there.pieces == self._untouched.schema.pieces:
            return ""
        before, after = self._differences(there, was, is_)
        if of_drift and before == after:
            _, after = self._differences(there, was, is_, reloaded=bool(after))
            return f"{_SEEN} nothing that differs has changed: {after.described()}" if after else ""
        return self._wrong(there, read, to_the_end=False)

    def remains(self, copy: RehearsalClone, read: Facts) -> str:
        """What is wrong with the schema at the end of all fixes and a deploy; empty where nothing is.

        What differed before must be what a finding names.

        Raises:
            CloneError: it is not known.
        """
        return self._wrong(self._untouched.eye.read(copy.database), read, to_the_end=True)

    def lost(self, copy: RehearsalClone, read: Facts) -> Iterator[str]:
        """What fixes take from the environment that holds rows there, or lets the next deploy take, in clauses.

        Args:
            copy: on which they were tried.
            read: the facts of that copy.

        Raises:
            CloneError: it is not known.
        """
        stored = self._untouched.stored
        gone = losses(stored, stored, stored_tables(copy.database))
        yield from (f"it {clause}" for clause in self._held(gone))
        live: History = self._facts["history"]
        history: History = read["history"]
        before = {migration.name for migration in live.pending}
        again = {each.name for each in history.pending if each.name in live.by_name} - before
        if again:
            yield from self._unfit(read, again)
            for name, was, is_ in run_again(copy, history.pending, again, one_query=read["prisma"].one_query):
                for clause in self._held(losses(stored, was, is_)):
                    yield f"the deploy then runs {one_line(name)} again, which {clause}"
                if taken := next(taking_rows(history.directory.by_name[name].sql or ""), None):
                    said = f"takes rows: line {taken.line}, {one_line(taken.text, _SHOWN)}"
                    yield f"the deploy then runs {one_line(name)} again, which {said}"

    def _unfit(self, read: Facts, again: set[str]) -> Iterator[str]:
        """What of the environment's rows stops migrations that the deploy runs again, or may."""
        try:
            session: ReadOnlySession = self._facts["catalog_session"]
            answers = data_check(self._facts["environment"], read["forecast"], session)
        except CouldNotCheck as error:
            yield one_line(error.what)
            return
        yield from filter(None, map(answers.trouble, sorted(again)))

    @cached_property
    def _untouched(self) -> _Untouched:
        history: History = self._facts["history"]
        grants = any(_GRANTS.search(migration.sql or "") for migration in history.directory.migrations)
        with stage(self._facts) as copy:
            eye = SchemaEye(self._facts["clone_server"], copy.database, grants=grants)
            return _Untouched(eye, eye.read(copy.database), stored_tables(copy.database))

    def _held(self, gone: Iterator[Loss]) -> Iterator[str]:
        if found := list(gone):  # a session for the data is opened only where there is a question
            yield from lost_rows(self._facts["data_session"], found)

    def _wrong(self, there: SchemaReading, read: Facts, *, to_the_end: bool) -> str:
        """What differs and may not, once what a load spells anew is out of the way."""
        said, was, is_ = "", _in_force(self._facts), _in_force(read)
        for reloaded in (False, True):
            before, after = self._differences(there, was, is_, reloaded=reloaded)
            untouched, *made = (
                self._pieces(each, reloaded=reloaded)
                for each in (self._untouched.schema, self._expected(was), self._expected(is_))
            )
            caused = (after - before).without(beside(untouched, *made) - {key for key, _ in history_of(untouched)})
            if caused and not to_the_end:
                caused = self._at_the_end(caused, read, reloaded=reloaded)
            touched = caused.touched(untouched)
            left = after if to_the_end else caused - touched
            wrong = touched or (left and left.unnamed(self._told(read, is_)))
            if not wrong:
                return ""
            said = after.of_objects(wrong.keys).described()
        return f"{_SEEN} the schema then is not what the migrations make: {said}"

    def _at_the_end(self, caused: SchemaDifference, read: Facts, *, reloaded: bool) -> SchemaDifference:
        """Those that the next deploy does not end by dropping the object or the piece: that is what counts of them."""
        history: History = read["history"]
        try:
            end = self._expected((*_in_force(read), *history.pending))
        except CloneError:  # the forecast says why
            return caused
        now, then = (self._pieces(each, reloaded=reloaded) for each in (self._expected(_in_force(read)), end))
        return caused.outliving(now, then)

    def _told(self, read: Facts, applied: tuple[Migration, ...]) -> frozenset[str]:
        """The names of all objects that our catalog sees to differ, where a finding tells of any."""
        try:
            drift: Drift = read["drift"]
        except (CouldNotCheck, NothingToCheck):
            return frozenset()
        known = known_of_database(self._facts["environment"].known_differences)
        if not (drift.differences or drift.partitions or known):
            return frozenset()
        replays: Replays = self._facts["replays"]
        with replays.copy(applied, "catalog") as copy:
            return names_of(differing(copy.catalog().objects, read["catalog"].objects))

    def _differences(
        self, there: SchemaReading, was: tuple[Migration, ...], is_: tuple[Migration, ...], *, reloaded: bool = False
    ) -> tuple[SchemaDifference, SchemaDifference]:
        """In what the copy differed from what was in force, and in what it differs from what is now."""
        own = history_of(self._pieces(self._untouched.schema, reloaded=reloaded))
        before, after = (
            SchemaDifference.of(
                self._pieces(schema, reloaded=reloaded), self._pieces(self._expected(applied), reloaded=reloaded), own
            )
            for schema, applied in ((self._untouched.schema, was), (there, is_))
        )
        return before, after

    def _pieces(self, schema: SchemaReading, *, reloaded: bool) -> Pieces:
        if reloaded:
            if id(schema) not in self._reloaded:
                self._reloaded[id(schema)] = schema, self._untouched.eye.reload(schema)
            schema = self._reloaded[id(schema)][1]
        return schema.pieces

    def _expected(self, applied: tuple[Migration, ...]) -> SchemaReading:
        """The schema that migrations make of an empty database.

        Raises:
            CloneError: one of them does not run there.
        """
        key = tuple(migration.checksum for migration in applied)
        if key not in self._made:
            replays: Replays = self._facts["replays"]
            refused = replays.refused(applied) if applied else {}
            for name, said in refused.items():
                why = f"{one_line(name)} does not run on an empty database ({said})"
                raise CloneError(f"what the migrations make is not known: {why}")
            with replays.copy(applied, "expected") as copy:
                self._made[key] = self._untouched.eye.read(copy)
        return self._made[key]


def _in_force(facts: Facts) -> tuple[Migration, ...]:
    as_run: History = facts["as_run"]
    return tuple(as_run.applied_files)
