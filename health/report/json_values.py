"""Turns values of frozen dataclasses into JSON and back, by their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

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
    """Turn JSON back into a value of a dataclass."""
    value: T = _value(kind, data)
    return value


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """List a dataclass's keys in their order: its own ``json_keys``, or its fields."""
    names: tuple[str, ...] = getattr(kind, "json_keys", None) or tuple(field.name for field in fields(kind))
    return names


_hints = cache(get_type_hints)


def _value(hint: Any, data: Json) -> Any:
    kinds = [hint] if get_origin(hint) in (tuple, Mapping) else [*get_args(hint), hint]  # of a union the fitting one
    if isinstance(data, dict):
        kind = next(kind for kind in kinds if is_dataclass(kind) or get_origin(kind) is Mapping)
        if get_origin(kind) is Mapping:
            return {key: _value(get_args(kind)[1], inner) for key, inner in data.items()}
        return kind(**{name: _value(_hints(kind)[name], data[name]) for name in _names(kind) if name in data})
    if isinstance(data, list):
        inner = get_args(next(kind for kind in kinds if get_origin(kind) is tuple))[0]
        return tuple(_value(inner, each) for each in data)
    return data
