"""What a load spells otherwise is the same; anything else is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.catalog.spelling import loaded, same

A = "((v)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))"
B = "((v)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]))"


@pytest.mark.parametrize(
    ("made", "after"),
    [
        (A, B),
        (f"CHECK ({A})", f"CHECK ({B})"),
        (f"(({A} AND (x > 1)) AND {A})", f"({B} AND (x > 1) AND {B})"),
        ("(((a > 1) OR (b > 1)) OR (c > 1))", "((a > 1) OR (b > 1) OR (c > 1))"),
        ("((((a > 1) AND (b > 1)) AND (c > 1)) AND (d > 1))", "((a > 1) AND (b > 1) AND (c > 1) AND (d > 1))"),
        ("(ARRAY['a, ]b'::x, (f(c, d))])::text[]", "ARRAY[('a, ]b'::x)::text, ((f(c, d)))::text]"),
    ],
)
def test_a_load_spells_it_otherwise(made: str, after: str) -> None:
    assert loaded(made) == after
    assert loaded(after) == after
    assert same(made, after)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A, A.replace("'b'", "'c'")),
        (A, A.replace("::text[]", "::citext[]")),
        ("((a > 1) AND ((b > 1) AND (c > 1)))", "((a > 1) AND (b > 1) AND (c > 1))"),
        ("(((a > 1) OR (b > 1)) AND (c > 1))", "((a > 1) OR (b > 1) AND (c > 1))"),
        ("((a) = (b) AND (c))", "(a) = (b AND (c))"),
        ("'((a AND b) AND c)'", "'(a AND b AND c)'"),
        ("f()\nAS $$ ((a AND b) AND c) $$", "f()\nAS $$ (a AND b AND c) $$"),
        (None, ""),
    ],
)
def test_anything_else_differs(one: str | None, other: str | None) -> None:
    assert not same(one, other)


@given(st.text("()[],:'\" aAND\0", max_size=40))
def test_any_text_has_one_spelling_after_a_load(text: str) -> None:
    assert loaded(loaded(text)) == loaded(text) or "\0" in text
