"""Turns values of frozen dataclasses into JSON and back, by their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
T = TypeVar("T")


def to_json(value: object) -> Json:
    """Turn a value into JSON; a dataclass is an object with its fields as keys."""
    if is_dataclass(value):
        return {name: to_json(getattr(value, name)) for name in _names(value.__class__)}
    if isinstance(value, Mapping):
        return {str(key): to_json(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(inner) for inner in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def from_json(kind: type[T], data: Json) -> T:
    """Turn JSON back into a value of a dataclass.

    Raises:
        ValueError: the JSON is of another shape, with the place where.
    """
    value: T = _value(kind, data, kind.__name__)
    return value


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """List a dataclass's keys in their order: its own ``json_keys``, or its fields."""
    names: tuple[str, ...] = getattr(kind, "json_keys", None) or tuple(field.name for field in fields(kind))
    return names


_hints = cache(get_type_hints)


def _value(hint: Any, data: Json, place: str) -> Any:
    kinds = [hint] if get_origin(hint) in (tuple, Mapping) else [*get_args(hint), hint]  # of a union the fitting one
    if isinstance(data, dict):
        for kind in kinds:
            if get_origin(kind) is Mapping:
                return {key: _value(get_args(kind)[1], inner, f"{place}[{key[:50]!r}]") for key, inner in data.items()}
            if is_dataclass(kind):
                return _object(kind, data, place)
    elif isinstance(data, list):
        for kind in kinds:
            if get_origin(kind) is tuple:
                inner, *more = get_args(kind)
                if more != [...] and len(data) != 1 + len(more):
                    raise ValueError(f"{place} has {len(data)} values, not {1 + len(more)}")
                return tuple(_value(inner, each, f"{place}[{number}]") for number, each in enumerate(data))
    elif any(_fits(kind, data) for kind in kinds):
        return data
    raise ValueError(f"{place} cannot be {json_kind(data)}")


def _object(kind: Any, data: dict[str, Json], place: str) -> Any:
    if missing := [name for name in _names(kind) if name not in data]:
        raise ValueError(f"{place} has no {missing[0]}")
    return kind(**{name: _value(_hints(kind)[name], data[name], f"{place}.{name}") for name in _names(kind)})


def json_kind(data: Json) -> str:
    """Describe a value of JSON in a message: its kind, and a short text or a number as it is."""
    if isinstance(data, dict | list):
        return "an object" if isinstance(data, dict) else "a list"
    return repr(data[:50]) if isinstance(data, str) else str(data)


def _fits(kind: Any, data: Json) -> bool:
    if get_origin(kind) is Literal:
        return data in get_args(kind)
    if kind is float:
        return isinstance(data, int | float) and not isinstance(data, bool)
    return kind in (str, int, bool, NoneType) and type(data) is kind
