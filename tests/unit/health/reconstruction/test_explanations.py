"""What belongs together, and which explanation is the likeliest."""

from __future__ import annotations

import pytest

from health.catalog.catalog import Key
from health.reconstruction.explanations import Explanation, cheapest, components, explanation, named_in, tops
from health.reconstruction.hypotheses import Hypothesis

A, B, OTHER = ("column", "t", "a"), ("column", "t", "b"), ("column", "u", "a")
TABLE, KIND, LABEL = ("table", "", "t"), ("enum", "", "k"), ("enum label", "k", "A")
NEVER, SURELY = Hypothesis("one", (), 1.0), Hypothesis("one", (), 2.0)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([A, B], {TABLE}),
        ([A, TABLE], {TABLE}),
        ([KIND, LABEL], {KIND}),
        ([A, OTHER, KIND], {TABLE, ("table", "", "u"), KIND}),
    ],
)
def test_a_part_stands_for_its_whole(keys: list[Key], expected: set[Key]) -> None:
    assert tops(keys) == expected


@pytest.mark.parametrize(
    ("touched", "expected"),
    [
        ({}, [{A, B}, {OTHER}, {KIND, LABEL}]),
        ({"one": [A, KIND]}, [{A, B, KIND, LABEL}, {OTHER}]),
        ({"one": [A, OTHER], "two": [OTHER, LABEL]}, [{A, B, OTHER, KIND, LABEL}]),
        ({"one": [("column", "v", "x")]}, [{A, B}, {OTHER}, {KIND, LABEL}]),
    ],
)
def test_what_one_migration_touches_belongs_together(touched: dict[str, list[Key]], expected: list[set[Key]]) -> None:
    found = components({A, B, OTHER, KIND, LABEL}, touched)
    assert sorted(map(sorted, (each.keys for each in found))) == sorted(map(sorted, expected))
    for each in found:
        assert each.names == tuple(name for name, keys in touched.items() if each.keys.intersection(keys))


def test_a_migration_that_the_engine_recorded_did_not_rather_run_than_a_hand_was_there() -> None:
    """One object by hand is less than a row that is wrong, two are more."""
    hand, hands = explanation((), [A], others=False), explanation((), [A, OTHER], others=False)
    assert cheapest([hand, explanation([SURELY], (), others=False)], others=False) == [hand]
    never = explanation([SURELY], (), others=False)
    assert cheapest([hands, never], others=False) == [never]
    resolved = explanation([NEVER], (), others=False)
    assert cheapest([hand, resolved], others=False) == [resolved]


def test_what_costs_the_same_is_a_tie() -> None:
    one, two = (explanation([Hypothesis(name, (), 1.0)], (), others=False) for name in ("one", "two"))
    assert cheapest([one, explanation((), [A], others=False), two], others=False) == [one, two]


def test_what_another_file_may_have_done_is_no_explanation_beside_one_that_leaves_nothing() -> None:
    many = [("column", name, "a") for name in "tuvw"]
    label, run = explanation((), many, others=True), explanation([Hypothesis("one", None, 3.0)], (), others=True)
    assert label.cost < run.cost
    assert cheapest([label, run], others=True) == [run]
    half = Explanation((NEVER,), frozenset([A]), 2.05)
    assert cheapest([label, half], others=True) == [label]


@pytest.mark.parametrize(
    ("script", "expected"),
    [('ALTER TABLE "t" ADD b int;', [A, TABLE]), ("SELECT 'k'", [LABEL, KIND]), ("DROP TABLE tt", [])],
)
def test_a_script_names_what_it_speaks_of(script: str, expected: list[Key]) -> None:
    assert list(named_in(script, [A, OTHER, LABEL, KIND, TABLE])) == expected


def test_a_row_that_the_engine_wrote_is_believed_before_another_file_is_left_out() -> None:
    never = Hypothesis("one", (), 2.0, counted=True)
    by_another = explanation((), [A, B, OTHER], others=True)
    assert cheapest([by_another, explanation([never], (), others=True)], others=True) == [by_another]
    assert cheapest([by_another, explanation([SURELY], (), others=True)], others=True) != [by_another]
