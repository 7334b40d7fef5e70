"""The JSON Schema of report.json, derived from the values that it is written from; docs/report.schema.json holds it."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from health.report.json_values import _names
from health.report.record import SCHEMA_VERSION, EnvironmentResult, FactsOverview, MigrationOutcome, Record
from plugins.paths import ROOT

FILE = ROOT / "docs" / "report.schema.json"
_PLAIN: dict[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_INLINED = ("facts", "history", "entity", "proof")  # of the overview
_FORMATS = {"started_at": "date-time", "expires": "date"}


def record_schema() -> dict[str, Any]:
    """The schema; an object has the keys that it names, and no other."""
    definitions: dict[str, Any] = {}
    root = _object(Record, definitions)
    root["properties"] = {"schema_version": {"const": SCHEMA_VERSION}, **root["properties"]}
    root["required"].insert(0, "schema_version")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json of migration-health",
        "description": "The record of a run. docs/guides/report.md says what the values mean.",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _object(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints, names = get_type_hints(kind), list(_names(kind))
    optional: list[str] = []
    if kind is EnvironmentResult:  # as its to_json() writes it
        hints |= {name: get_type_hints(FactsOverview)[name] for name in _INLINED}
        hints["migration"] = MigrationOutcome | None
        names = ["name", "verdict", "sound", "phase", *_INLINED, "rehearsal", "checks", "selected"]
        optional = ["migration"]
    properties = {name: _value(hints[name], definitions) for name in (*names, *optional)}
    for name, told in _told(kind).items():
        if name in properties:
            properties[name] = {"description": told, **properties[name]}
    for name, form in _FORMATS.items():
        if properties.get(name, {}).get("type") == "string":
            properties[name]["format"] = form
    return {"type": "object", "additionalProperties": False, "required": names, "properties": properties}


def _value(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, inner = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, types.UnionType):
        return _one_of([_value(each, definitions) for each in inner])
    if origin is not None:
        return _container(origin, inner, definitions)
    name = hint.__name__
    if name not in definitions:
        definitions[name] = {}  # it may hold itself
        definitions[name] = _object(hint, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _container(origin: Any, inner: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    if issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _value(inner[1], definitions)}
    if inner[-1] is Ellipsis:
        return {"type": "array", "items": _value(inner[0], definitions)}
    length = {"minItems": len(inner), "maxItems": len(inner)}
    return {"type": "array", "prefixItems": [_value(each, definitions) for each in inner], **length}


def _one_of(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """Plain types in one list, the rest beside them."""
    plain = [each["type"] for each in kinds if each.keys() == {"type"}]
    others = [each for each in kinds if each.keys() != {"type"}]
    if len(others) == 1 and others[0].keys() == {"enum"} and plain == ["null"]:
        return {"enum": [*others[0]["enum"], None]}
    listed = [{"type": plain if len(plain) > 1 else plain[0]}] if plain else []
    return {"anyOf": [*others, *listed]} if others else listed[0]


def _told(kind: Any) -> dict[str, str]:
    """What the docstrings of a dataclass and of those it is made from say of its attributes."""
    told: dict[str, str] = {}
    for each in (FactsOverview, *reversed(kind.__mro__)) if kind is EnvironmentResult else reversed(kind.__mro__):
        if is_dataclass(each):
            section = (inspect.getdoc(each) or "").partition("Attributes:\n")[2]
            for name, text in re.findall(r"^    (\w+): (.*(?:\n     +.*)*)", section, re.MULTILINE):
                told[name] = re.sub(r"\s+", " ", text).replace("None", "null")
    return told
