"""Reads the datasource of a Prisma schema: provider, URLs, PostgreSQL schemas."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from health.application.settings import Computed, Setting, Text, Variable

_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*(?s:.*?)(?:\*/|\Z))"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*+")'
    r"|(?P<word>[A-Za-z_][\w-]*)"
    r"|(?P<mark>(?s:.))"
)
_DATASOURCE = 3  # tokens of ``datasource NAME {``


@dataclass(frozen=True)
class Datasource:
    """The datasource block of a schema.

    Attributes:
        provider: such as postgresql; empty where the block names none.
        url: where the database is; not set in a schema for Prisma 7.
        direct_url: where it is without a pooler.
        schemas: the PostgreSQL schemas that the models use; empty where it names none.
    """

    provider: str
    url: Setting
    direct_url: Setting
    schemas: tuple[str, ...]


def read_datasource(text: str) -> Datasource | None:
    """Read the first datasource of a schema file; None where it has none."""
    tokens = [match for match in _TOKEN.finditer(text.removeprefix("\ufeff")) if match.lastgroup != "space"]
    depth = 0
    for place, token in enumerate(tokens):
        if token[0] == "datasource" and depth == 0 and _opens(tokens, place):
            return _block(tokens, place + _DATASOURCE)
        depth += {"{": 1, "}": -1}.get(token[0], 0)
    return None


def _opens(tokens: list[re.Match[str]], place: int) -> bool:
    following = tokens[place + 1 : place + _DATASOURCE]
    return [token.lastgroup for token in following] == ["word", "mark"] and following[1][0] == "{"


def _block(tokens: list[re.Match[str]], place: int) -> Datasource:
    values: dict[str, Any] = {}
    while place < len(tokens) and tokens[place][0] != "}":
        if tokens[place].lastgroup == "word" and place + 1 < len(tokens) and tokens[place + 1][0] == "=":
            values[tokens[place][0]], place = _value(tokens, place + 2)
        else:
            place += 1
    provider, schemas = values.get("provider"), values.get("schemas")
    return Datasource(
        provider.text if isinstance(provider, Text) else "",
        values.get("url"),
        values.get("directUrl"),
        schemas if isinstance(schemas, tuple) else (),
    )


def _value(tokens: list[re.Match[str]], place: int) -> tuple[Any, int]:
    """A text, ``env("NAME")``, or a list of texts; and the place behind it."""
    texts = [token[0] for token in tokens[place : place + 4]]
    if texts and texts[0].startswith('"'):
        return Text(_string(texts[0])), place + 1
    if texts[:2] == ["env", "("] and len(texts) == 4 and texts[2].startswith('"'):  # noqa: PLR2004 - env ( "NAME" )
        return Variable(_string(texts[2])), place + 4
    if texts[:1] == ["["]:
        found = []
        while place < len(tokens) and tokens[place][0] not in {"]", "}"}:
            found += [_string(tokens[place][0])] if tokens[place].lastgroup == "string" else []
            place += 1
        return tuple(found), place
    return Computed("it is neither a text nor env(…)"), place


def _string(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:  # an escape that JSON does not know
        return quoted[1:-1]
