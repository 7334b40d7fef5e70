"""Which migrations a database without a history has seen."""

from __future__ import annotations

import pytest

from health.catalog.catalog import Catalog, Key
from health.catalog.changes import Change, Replay
from health.history.baselining import Prefix, best_prefix
from health.migrations.directory import Migration, MigrationDirectory

A, B, C = (("column", "t", name) for name in "abc")
DIRECTORY = MigrationDirectory("m", "test", tuple(Migration(name, "", "") for name in ("one", "two", "three", "four")))
# The second alters, the third drops, the fourth changes data alone.
REPLAY = Replay(
    {
        "one": (Change(A, None, "int"), Change(B, None, "int")),
        "two": (Change(A, "int", "text"), Change(C, None, "int")),
        "three": (Change(B, "int", None),),
        "four": (),
    }
)


@pytest.mark.parametrize(
    ("live", "count", "missing", "differing"),
    [
        pytest.param({}, 0, (), (), id="nothing"),
        pytest.param({"a": "int", "b": "int"}, 1, (), (), id="the first"),
        pytest.param({"a": "text", "b": "int", "c": "int"}, 2, (), (), id="two"),
        pytest.param({"a": "text", "c": "int"}, 4, (), (), id="all, and what leaves no trace"),
        pytest.param({"a": "text", "c": "int", "other": "int"}, 4, (), (), id="more than all"),
        pytest.param({"a": "text"}, 4, (C,), (), id="one is missing"),
        pytest.param({"a": "date", "c": "int"}, 4, (), (A,), id="one differs"),
        pytest.param({"a": "int", "b": "text"}, 1, (), (B,), id="one differs from the first"),
    ],
)
def test_best_prefix(live: dict[str, str], count: int, missing: tuple[Key, ...], differing: tuple[Key, ...]) -> None:
    catalog = Catalog("public", (), tuple((("column", "t", name), text) for name, text in live.items()))
    assert best_prefix(DIRECTORY, REPLAY, catalog) == Prefix(count, missing, differing)
