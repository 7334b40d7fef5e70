"""Turns values of frozen dataclasses into JSON and back, by their fields."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from health.secrets.secret import Secret

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
T = TypeVar("T")
_CLASS = ""  # the key of the class's name; no field has it


def to_json(value: object, *, named: bool = False) -> Json:
    """Turn a value into JSON; a dataclass is an object with its fields as keys.

    Args:
        value: of the kinds that facts are made of. A secret is None: its text never leaves the process.
        named: whether each dataclass's object tells its class, for types that leave the choice between several.

    Raises:
        TypeError: it holds something else.
    """
    if is_dataclass(value) and not isinstance(value, type):
        told: dict[str, Json] = {_CLASS: value.__class__.__name__} if named else {}
        return told | {name: to_json(getattr(value, name), named=named) for name in _names(value.__class__)}
    if isinstance(value, Mapping):
        if named and not all(isinstance(key, str) for key in value):
            return [[to_json(key, named=named), to_json(inner, named=named)] for key, inner in value.items()]
        return {str(key): to_json(inner, named=named) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(inner, named=named) for inner in value]
    if isinstance(value, frozenset | set):
        return sorted((to_json(inner, named=named) for inner in value), key=json.dumps)  # equal sets are equal texts
    return _leaf(value)


def _leaf(value: object) -> Json:
    match value:
        case Enum():
            return _leaf(value.value)
        case None | str() | int() | float() | bool():
            return value
        case date():  # or a datetime
            return value.isoformat()
        case Path():
            return str(value)
        case bytes():
            return b64encode(value).decode("ascii")
        case Secret():
            return None
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def from_json(kind: type[T], data: Json) -> T:
    """Turn JSON back into a value of a type: of a dataclass, or of another that :func:`to_json` takes.

    Classes are those that the type names, whatever the data say. A field that the data have not has its default.

    Raises:
        ValueError: the data are not of that type, with the place where.
    """
    try:
        value: T = _value(kind, data)
    except _PlacedError as error:
        raise ValueError(str(error)) from None
    return value


class _PlacedError(ValueError):
    """A value that is not of its type, and the way to it."""

    def __init__(self, problem: str, place: str) -> None:
        super().__init__(f"{place.removeprefix('.')}: {problem}")
        self.problem, self.place = problem, place


def _at(place: str, hint: Any, data: Json) -> Any:
    """Give the value at a place within another."""
    try:
        return _value(hint, data)
    except _PlacedError as error:
        raise _PlacedError(error.problem, place + error.place) from None
    except ValueError as error:
        raise _PlacedError(str(error), place) from None


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """List a dataclass's keys in their order: its own ``json_keys``, or its fields."""
    names: tuple[str, ...] = getattr(kind, "json_keys", None) or tuple(field.name for field in fields(kind))
    return names


@cache
def _fields(kind: Any) -> tuple[tuple[Field[Any], Any], ...]:
    """List a dataclass's fields that have keys, each with its type."""
    hints, names = get_type_hints(kind), _names(kind)
    return tuple((field, hints[field.name]) for field in fields(kind) if field.name in names)


def _value(hint: Any, data: Json) -> Any:
    if get_origin(hint) is not None:
        return _of_arguments(get_origin(hint), get_args(hint), data)
    if hint in _LEAVES:
        return _LEAVES[hint](data)
    if is_dataclass(hint):
        return _dataclass(hint, data)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    raise ValueError(f"there is no way from JSON to {hint}")


def _of_arguments(origin: Any, arguments: Sequence[Any], data: Json) -> Any:
    if origin in (Union, UnionType):
        return _one_of(arguments, data)
    if origin is Literal:
        return _require(data in arguments, data, f"value of {', '.join(map(str, arguments))}")
    if origin in (tuple, list, frozenset, set):
        return _sequence(origin, arguments, data)
    if issubclass(origin, Mapping):
        return _mapping(arguments, data)
    raise ValueError(f"there is no way from JSON to {origin}")


def _one_of(hints: Sequence[Any], data: Json) -> Any:
    if data is None and NoneType in hints:  # rather than a secret that was left out
        return None
    if len(others := [hint for hint in hints if hint is not NoneType]) == 1:
        return _value(others[0], data)
    problem = ValueError(f"{_shown(data)} is of no type that may be there")
    for hint in hints:
        try:
            return _value(hint, data)
        except ValueError as error:
            # Of several dataclasses the one that is named tells best what is wrong.
            if isinstance(data, dict) and data.get(_CLASS) == getattr(hint, "__name__", None):
                problem = error
    raise problem


def _dataclass(kind: Any, data: Json) -> Any:
    if not isinstance(data, dict) or data.get(_CLASS, kind.__name__) != kind.__name__:
        raise ValueError(f"{_shown(data)} is no {kind.__name__}")
    values = {}
    for field, hint in _fields(kind):
        if field.name in data:
            values[field.name] = _at(f".{field.name}", hint, data[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{kind.__name__} without {field.name}")
    return kind(**values)


def _mapping(arguments: Sequence[Any], data: Json) -> dict[Any, Any]:
    key, inner = arguments
    if isinstance(data, dict):
        return {_value(key, name): _at(f"[{name[:50]!r}]", inner, each) for name, each in data.items()}
    pairs = _require(isinstance(data, list) and all(isinstance(each, list) for each in data), data, "mapping")
    return dict(_sequence(tuple, (key, inner), pair) for pair in pairs)


def _sequence(kind: Callable[..., Any], arguments: Sequence[Any], data: Json) -> Any:
    items = _require(isinstance(data, list), data, "list")
    if kind is not tuple or arguments[-1:] == (Ellipsis,):
        return kind(_at(f"[{number}]", arguments[0], each) for number, each in enumerate(items))
    _require(len(items) == len(arguments), data, f"list of {len(arguments)}")
    return tuple(map(_value, arguments, items))


def _require(holds: object, data: Json, what: object) -> Any:
    if not holds:
        raise ValueError(f"{_shown(data)} is no {what}")
    return data


def json_kind(data: Json) -> str:
    """Describe a value of JSON in a message: its kind, and a short text or a number as it is."""
    if isinstance(data, dict | list):
        return "an object" if isinstance(data, dict) else "a list"
    return repr(data[:50]) if isinstance(data, str) else str(data)


def _shown(data: Json) -> str:
    if isinstance(data, dict):
        return str(data.get(_CLASS) or "an object")[:40]
    return json_kind(data)[:40]


def _exactly(*kinds: type) -> Callable[[Json], Any]:
    return lambda data: _require(type(data) in kinds, data, kinds[0].__name__)  # True is no number


def _of_text(make: Callable[[str], Any]) -> Callable[[Json], Any]:
    return lambda data: make(_LEAVES[str](data))


_LEAVES: dict[Any, Callable[[Json], Any]] = {
    str: _exactly(str),
    int: _exactly(int),
    float: _exactly(float, int),
    bool: _exactly(bool),
    NoneType: _exactly(NoneType),
    datetime: _of_text(datetime.fromisoformat),
    date: _of_text(date.fromisoformat),
    Path: _of_text(Path),
    bytes: _of_text(b64decode),
    Secret: lambda data: Secret(_require(data is None, data, "secret") or "", common=True),
    Any: lambda data: data,
}
