"""Values of facts as JSON and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from health.report.json_values import Json, from_json, to_json
from health.secrets.secret import Secret


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Circle:
    size: int


@dataclass(frozen=True)
class Square:
    size: int


@dataclass(frozen=True)
class Later:
    size: int
    added: str = "by a later version"
    more: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Holder:
    secret: Secret
    other: Secret | None = None


VALUES: list[tuple[Any, object]] = [
    (int, 3),
    (float, 3),
    (float, 0.5),
    (bool, True),
    (str | None, None),
    (str, "a\ud800\0"),
    (bytes, b"\0\xff"),
    (Path, Path("/a/b")),
    (datetime | None, datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)),
    (date, date(2026, 1, 2)),
    (Colour, Colour.RED),
    (Literal["x", 3] | None, 3),
    (frozenset[Colour], frozenset({Colour.RED})),
    (tuple[int, ...], ()),
    (tuple[str, int, Circle], ("a", 1, Circle(2))),
    (Mapping[str, Circle | Square], {"a": Square(1), "": Circle(1)}),
    (dict[tuple[str, str], Circle | None], {("a", "b"): None, ("a", "c"): Circle(2)}),
    (dict[tuple[str, str], int], {}),
    (Mapping[int, int], {1: 2}),
    (Circle | Square | None, Square(2)),
    (str | int | float | bool | tuple[str, ...] | None, ("a",)),
]


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_a_value_comes_back(kind: Any, value: object) -> None:
    back = from_json(kind, json.loads(json.dumps(to_json(value, named=True))))
    assert back == value
    assert type(back) is type(value)


def test_equal_sets_are_equal_texts() -> None:
    sets = [frozenset(map(str, numbers)) for numbers in (range(50), reversed(range(50)))]
    assert len({json.dumps(to_json(each)) for each in sets}) == 1


WRONG: list[tuple[Any, Json]] = [
    (int, True),
    (int, "1"),
    (str, 1),
    (Literal["x"], "y"),
    (Colour, "blue"),
    (datetime, "yesterday"),
    (bytes, "é"),
    (tuple[int, int], [1]),
    (tuple[int, ...], {"a": 1}),
    (Mapping[int, int], [[1]]),
    (Mapping[int, int], [1]),
    (Mapping[int, int], [[[], 1]]),
    (Circle, {"size": "1"}),
    (Circle, {}),
    (Circle, {"": "Square", "size": 1}),
    (Circle | Square, {"": "os.system", "size": 1}),
    (Secret, "a secret"),
    (object, 1),
]


@pytest.mark.parametrize(("kind", "data"), WRONG)
def test_what_is_of_another_type_is_refused(kind: Any, data: Json) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        from_json(kind, data)


def test_a_field_that_is_not_there_has_its_default_and_an_unknown_one_is_left_out() -> None:
    assert from_json(Later, {"": "Later", "size": 1, "gone": [1]}) == Later(1)


def test_no_secret_is_written() -> None:
    written = to_json(Holder(Secret("correct horse"), Secret("battery staple")), named=True)
    assert written == {"": "Holder", "secret": None, "other": None}
    assert from_json(Holder, written).other is None
    assert from_json(Holder, written).secret.reveal() == ""


@pytest.mark.parametrize("value", [object(), {1: object()}, lambda: None, int])
def test_anything_else_has_no_place(value: object) -> None:
    with pytest.raises(TypeError, match="has no place in JSON"):
        to_json(value, named=True)
