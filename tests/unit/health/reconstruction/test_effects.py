"""What took effect of a migration, once the whole schema is explained."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from health.catalog.catalog import Key
from health.catalog.changes import Change
from health.history.effects import MigrationEffect
from health.history.history import History
from health.history.rows import HistoryTable, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.reconstruction.effects import judged, left_midway
from health.reconstruction.explanations import Explanation
from health.reconstruction.hypotheses import Hypothesis, Ran
from health.reconstruction.reconstruction import Reconstruction, Tie, put_together

NOW = datetime(2026, 11, 22, tzinfo=UTC)
A, B = ("column", "t", "a"), ("column", "t", "b")
MAKES, DROPS = (Change(A, None, "int"), Change(B, None, "int")), (Change(A, "int", None),)
NOTHING, ALL = MigrationEffect("nothing", missing=(A, B)), MigrationEffect("all", done=(A, B))
TRACELESS = MigrationEffect("unknown", reason="none")
PART = MigrationEffect("part", done=(A,), missing=(B,))


@dataclass(frozen=True)
class Case:
    """What the objects of a migration tell, what the whole schema does, and what is held for true."""

    effect: MigrationEffect
    happened: Reconstruction
    expected: MigrationEffect
    changes: tuple[Change, ...] = MAKES
    state: str = "failed"


TIED = Reconstruction(ties={"m": Tie((None, ()), ("m", "n"))})
CASES = {
    "they agree": Case(ALL, Reconstruction({"m": None}), ALL),
    "half of it, and later ones hide that": Case(
        ALL, Reconstruction({"m": (0,)}), MigrationEffect("part", done=(A, B), ran=(0,))
    ),
    "all of it, and a hand took something away": Case(
        PART, Reconstruction({"m": None}), MigrationEffect("all", done=(A,), missing=(B,))
    ),
    "nothing, and another made the same": Case(ALL, Reconstruction(), NOTHING),
    "a difference that nothing explains": Case(PART, Reconstruction(left=frozenset([B])), PART),
    "nothing was found": Case(PART, Reconstruction(problem="no time"), PART),
    "no trace": Case(TRACELESS, Reconstruction(), TRACELESS),
    "this one or another": Case(
        ALL, TIED,
        MigrationEffect("unknown", (A, B), reason="one of these ran, and the schema does not tell which: m, n"),
    ),
    "how far is a tie": Case(PART, Reconstruction(ties={"m": Tie(((0,), (0, 1)), ("m",))}), PART),
    "never ran though it is recorded": Case(ALL, Reconstruction({"m": ()}), NOTHING, state="applied"),
    "what it made is gone by hand or never was": Case(
        NOTHING, Reconstruction(left=frozenset([A, B])), NOTHING, state="applied"
    ),
    "what it dropped was brought back by hand": Case(
        MigrationEffect("nothing", missing=(A,)), Reconstruction(left=frozenset([A])),
        MigrationEffect("all", missing=(A,)), DROPS, "applied",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_whole_schema_has_the_last_word(name: str) -> None:
    case = CASES[name]
    ended = NOW if case.state == "applied" else None
    directory = MigrationDirectory("m", "test", (Migration("m", "", ""),))
    rows = (Row("1", "", ended, "m", None, None, NOW, 1),)
    history = History(directory, HistoryTable("public", True, rows, NOW))
    assert judged(case.effect, case.happened, history, "m", case.changes) == case.expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('CREATE INDEX CONCURRENTLY "i" ON "t" ("a");', True),
        ('CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);', True),
        ('CREATE INDEX "i" ON "t" ("a");', False),
        ('CREATE INDEX CONCURRENTLY "j" ON "t" ("a");', False),
    ],
)  # fmt: skip
def test_only_what_is_made_outside_of_a_transaction_is_left_invalid(script: str, expected: bool) -> None:
    live = {("index", "t", "i"): "ON t USING btree (a) INVALID", ("index", "t", "k"): "ON t USING btree (a)"}
    assert bool(list(left_midway(script, live))) is expected


@dataclass(frozen=True)
class Component:
    """The cheapest explanations of each component, and what is put together."""

    found: list[list[tuple[dict[str, Ran], set[Key]]]]
    ran: dict[str, Ran] = field(default_factory=dict)
    ties: dict[str, Tie] = field(default_factory=dict)
    left: set[Key] = field(default_factory=set)


@pytest.mark.parametrize(
    "case",
    [
        Component([]),
        Component([[({"one": ()}, set())], [({}, {A})]], {"one": ()}, {}, {A}),
        Component([[({"two": None}, set()), ({"one": ()}, set())]], {},
                  {"one": Tie((None, ()), ("one", "two")), "two": Tie((None, ()), ("one", "two"))}),
        Component([[({"two": (0,)}, {A}), ({"two": (0, 1)}, {A, B})]], {},
                  {"two": Tie(((0,), (0, 1)), ("two",))}, {A}),
    ],
)  # fmt: skip
def test_it_names_what_is_certain_and_what_is_tied(case: Component) -> None:
    found = [
        [Explanation(tuple(Hypothesis(name, ran, 1.0) for name, ran in each.items()), frozenset(left), 1.0)
         for each, left in component]
        for component in case.found
    ]  # fmt: skip
    assert put_together(found, {}, {"one": None, "two": ()}) == Reconstruction(
        case.ran, case.ties, frozenset(case.left)
    )
