"""What of a script took effect, and what is still to be run, told by the objects alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from health.catalog.catalog import Catalog, Key
from health.catalog.changes import Change, Replay, difference
from health.history.effects import EffectReader, FailedMigration, MigrationEffect, MissingStatements, foreseen, repair
from health.history.history import History
from health.history.rows import HistoryTable, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.outcomes import finding_of
from health.prisma.engine import checksum
from plugins.run.check_catalog import all_checks

all_checks()  # registers them

A, B, C = (("column", "t", name) for name in "abc")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def made(key: Key, after: str = "int") -> Change:
    return Change(key, None, after)


def dropped(key: Key, before: str = "int") -> Change:
    return Change(key, before, None)


def catalog(**columns: str) -> Catalog:
    return Catalog("public", (), tuple((("column", "t", name), text) for name, text in columns.items()))


def history(*applied: str) -> History:
    directory = MigrationDirectory("m", "test", tuple(Migration(name, "", "") for name in ("one", "two", "three")))
    rows = tuple(Row(name, "", NOW, name, None, None, NOW, 1) for name in applied)
    return History(directory, HistoryTable("public", True, rows, NOW))


@dataclass(frozen=True)
class Case:
    """What the second of three migrations does, and the catalog as it stands."""

    effects: tuple[Change, ...]
    live: Catalog
    told: MigrationEffect
    later: tuple[Change, ...] = ()
    later_applied: bool = True


CASES = {
    "nothing of it": Case((made(A), made(B)), catalog(), MigrationEffect("nothing", missing=(A, B))),
    "all of it": Case((made(A), made(B)), catalog(a="int", b="int"), MigrationEffect("all", done=(A, B))),
    "a part of it": Case((made(A), made(B)), catalog(a="int"), MigrationEffect("part", done=(A,), missing=(B,))),
    "another kind of object": Case((made(A),), catalog(a="text"), MigrationEffect("part", differing=(A,))),
    "another kind beside the rest": Case(
        (made(A), made(B)), catalog(a="text", b="int"), MigrationEffect("part", done=(B,), differing=(A,))
    ),
    "an altered column as before": Case(
        (Change(A, "int", "text"),), catalog(a="int"), MigrationEffect("nothing", missing=(A,))
    ),
    "an altered column as after": Case(
        (Change(A, "int", "text"),), catalog(a="text"), MigrationEffect("all", done=(A,))
    ),
    "an altered column that is gone": Case(
        (Change(A, "int", "text"),), catalog(), MigrationEffect("nothing", missing=(A,))
    ),
    "what is to be dropped is there": Case(
        (dropped(A),), catalog(a="int"), MigrationEffect("nothing", missing=(A,), kept=(A,))
    ),
    "what is to be dropped has changed": Case(
        (dropped(A),), catalog(a="text"), MigrationEffect("nothing", missing=(A,), kept=(A,))
    ),
    "what is to be dropped is gone": Case((dropped(A),), catalog(), MigrationEffect("all", done=(A,))),
    "one of two is dropped": Case(
        (dropped(A), dropped(B)), catalog(b="int"), MigrationEffect("part", done=(A,), missing=(B,), kept=(B,))
    ),
    "what others made does not matter": Case((made(A),), catalog(a="int", c="int"), MigrationEffect("all", done=(A,))),
    "a later one has dropped a part": Case(
        (made(A), made(B)), catalog(b="int"), MigrationEffect("all", done=(B,)), later=(dropped(A),)
    ),
    "a later one has changed a part": Case(
        (made(A), made(B)),
        catalog(a="text", b="int"),
        MigrationEffect("all", done=(B,)),
        later=(Change(A, "int", "text"),),
    ),
    "a later one has overwritten all": Case(
        (made(A),),
        catalog(),
        MigrationEffect("unknown", reason="its script leaves no trace of its own in the catalog"),
        later=(dropped(A),),
    ),
    "a later one is not applied": Case(
        (made(A),), catalog(), MigrationEffect("nothing", missing=(A,)), later=(dropped(A),), later_applied=False
    ),
    "data alone": Case(
        (), catalog(a="int"), MigrationEffect("unknown", reason="its script leaves no trace of its own in the catalog")
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_extent(name: str) -> None:
    case = CASES[name]
    replay = Replay({"one": (made(C),), "two": case.effects, "three": case.later})
    reader = EffectReader(history("one", *(["three"] if case.later_applied else [])), replay, case.live)
    assert reader.of("two") == case.told


def test_what_stands_does_not_hang_on_its_own_later_row() -> None:
    """Its own effects are not overwritten by itself, and earlier ones overwrite nothing."""
    replay = Replay({"one": (made(A),), "two": (Change(A, "int", "text"),), "three": ()})
    assert EffectReader(history("one", "two"), replay, catalog(a="int")).of("two") == MigrationEffect(
        "nothing", missing=(A,)
    )
    assert EffectReader(history("one"), replay, catalog(a="int")).of("one") == MigrationEffect("all", done=(A,))


@pytest.mark.parametrize(
    ("replay", "said"),
    [
        (Replay(problem="no binaries"), "no binaries"),
        (Replay({"one": ()}, {"two": "syntax error"}), "its script does not run on an empty database: syntax error"),
        (Replay({"one": (), "three": ()}), "the directory does not hold two"),
    ],
)
def test_what_was_not_replayed_is_unknown(replay: Replay, said: str) -> None:
    told = EffectReader(history(), replay, catalog()).of("two")
    assert (told.extent, told.reason) == ("unknown", said)


def test_a_deploy_is_known_to_end_where_it_was_foreseen() -> None:
    judged = history("one")
    assert foreseen(judged, {}).deployment.error is None
    ended = foreseen(judged, {"three": "P3018"}, {"two": "P1014"}).deployment
    assert (ended.stops_at, ended.error) == ("two", "P1014")


STEPS = (("s0", (made(A),)), ("s1", (made(B),)), ("s2", (Change(A, "int", "text"),)))
PASSING = (("s0", (made(A),)), ("s1", (made(B),)), ("s2", (dropped(A),)))


@pytest.mark.parametrize(
    ("steps", "live", "told"),
    [
        pytest.param(STEPS, catalog(), MissingStatements((0, 1, 2), ("s0", "s1", "s2")), id="all is to be run"),
        pytest.param(STEPS, catalog(a="int"), MissingStatements((1, 2), ("s1", "s2")), id="the first has run"),
        pytest.param(STEPS, catalog(a="int", b="int"), MissingStatements((2,), ("s2",)), id="the last has not"),
        pytest.param(STEPS, catalog(a="text", b="int"), MissingStatements(), id="all has run"),
        pytest.param(
            STEPS, catalog(b="int"), MissingStatements((0, 2), ("s0", "s2")), id="the second was there before"
        ),
        pytest.param(STEPS, catalog(a="date"), "neither as before its script nor as after it", id="of another kind"),
        pytest.param(PASSING, catalog(), "change data only", id="made and dropped by the same script"),
        pytest.param(
            PASSING, catalog(b="int"), MissingStatements(traceless=2), id="made, dropped, and the rest is there"
        ),
        pytest.param(PASSING, catalog(a="int"), MissingStatements((1, 2), ("s1", "s2")), id="made and not dropped yet"),
        pytest.param((("s0", (made(A),)), ("s1", ())), catalog(), "change data only", id="data beside what is missing"),
        pytest.param(
            (("s0", (made(A),)), ("s1", ())), catalog(a="int"), MissingStatements(traceless=1), id="data beside all"
        ),
        pytest.param((("s0", (made(A), made(B))),), catalog(a="int"), "in part", id="half of a statement"),
    ],
)
def test_repair(
    steps: tuple[tuple[str, tuple[Change, ...]], ...], live: Catalog, told: MissingStatements | str
) -> None:
    found = repair(steps, live.objects)
    if isinstance(told, str):
        assert told in found.reason
        assert found.statements == ()
    else:
        assert found == told


def test_difference_of_two_catalogs() -> None:
    before, after = {A: "int", B: "int"}, {B: "text", C: "int"}
    assert difference(before, after) == (dropped(A), Change(B, "int", "text"), made(C))
    assert difference(before, before) == ()


FILE = "SELECT 1;"


@pytest.mark.parametrize(
    ("checksums", "applied", "edited"),
    [
        ((checksum(FILE),), False, False),
        (("0" * 64,), False, True),
        ((checksum(FILE), "0" * 64), False, True),
        (("0" * 64, checksum(FILE)), False, False),
        ((checksum(FILE.replace("1", "2")),), True, False),
    ],
)
def test_a_file_that_was_edited_since_it_failed_is_told(
    checksums: tuple[str, ...], applied: bool, edited: bool
) -> None:
    rows = [Row(f"{number}", each, None, "one", "ERROR", None, NOW, 0) for number, each in enumerate(checksums)]
    rows += [Row("applied", "", NOW, "one", None, None, NOW, 1)] if applied else []
    directory = MigrationDirectory("m", "test", (Migration("one", FILE, checksum(FILE)),))
    failed = FailedMigration(History(directory, HistoryTable("public", True, tuple(rows), NOW)), "one")
    assert failed.edited_since is edited
    message = finding_of(failed).message
    assert ("the next deploy would run the file as it is now" in message) is edited


def test_a_file_that_is_gone_was_not_edited() -> None:
    row = Row("1", "", None, "one", "ERROR", None, NOW, 0)
    for listed in ((), (Migration("one", None, None),)):
        failed = FailedMigration(
            History(MigrationDirectory("m", "test", listed), HistoryTable("public", True, (row,), NOW)), "one"
        )
        assert not failed.edited_since
