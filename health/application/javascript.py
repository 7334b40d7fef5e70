"""Splits JavaScript and TypeScript into tokens, as far as finding constant values in a configuration file needs it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

MOST_TOKENS = 20_000  # no honest configuration file has as many

Kind = Literal["string", "template", "number", "word", "regex", "mark"]

_TOKEN = re.compile(
    r"(?P<space>[\s\ufeff]+|//[^\n\r\u2028\u2029]*|/\*(?s:.*?)(?:\*/|\Z)|\A\#![^\n]*)"
    r"""|(?P<string>"(?:[^"\\\n]|\\(?s:.))*+"|'(?:[^'\\\n]|\\(?s:.))*+')"""
    r"|(?P<template>`)"
    r"|(?P<number>\.?[0-9][0-9A-Za-z_.]*)"
    r"|(?P<word>[A-Za-z_$#\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)"
    r"|(?P<mark>=>|\?\?=|\?\?|\?\.(?![0-9])|\|\|=|&&=|\|\||&&|\.\.\.|[=!]==?|[+\-*/%&|^<>]=|(?s:.))"
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*+\])++/[A-Za-z]*")
_STRING = re.compile(r""""(?:[^"\\\n]|\\(?s:.))*+"|'(?:[^'\\\n]|\\(?s:.))*+'""")
_ESCAPE = re.compile(
    r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(\r\n|[\n\r\u2028\u2029])|((?s:.)))"
)
_SINGLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_BEFORE_A_VALUE = {"return", "typeof", "case", "in", "of", "void", "delete", "await", "default"}


class SourceError(ValueError):
    """A text that cannot be split into tokens; the message is a reason for a person."""


@dataclass(frozen=True)
class Token:
    """One token.

    Attributes:
        kind: what it is; comments and space are no tokens.
        text: as it stands in the file.
        value: what a string or a template without holes evaluates to; None of everything else.
        line: from 1.
        on_new_line: whether it is the first of its line.
    """

    kind: Kind
    text: str
    value: str | None
    line: int
    on_new_line: bool


def tokens(text: str) -> tuple[Token, ...]:
    """Split a text into its tokens.

    Raises:
        SourceError: a template string does not end, or there are too many tokens.
    """
    found = tuple(islice(_tokens(text), MOST_TOKENS + 1))
    if len(found) > MOST_TOKENS:
        raise SourceError(f"it has more than {MOST_TOKENS:,} words and marks")
    return found


def _tokens(text: str) -> Iterator[Token]:
    place, line, new_line, previous = 0, 1, True, None
    while place < len(text):
        match = _TOKEN.match(text, place)
        assert match is not None  # noqa: S101 - the last alternative takes any character
        assert match.lastgroup is not None  # noqa: S101 - every alternative has a name
        kind, end = match.lastgroup, match.end()
        if kind == "mark" and match[0][0] == "/" and _value_may_begin(previous):
            regex = _REGEX.match(text, place)
            kind, end = ("regex", regex.end()) if regex else (kind, end)
        value = None
        if kind == "template":
            end, whole = _template_end(text, place, line)
            value = unescape(text[place + 1 : end - 1]) if whole else None
        elif kind == "string":
            value = unescape(text[place + 1 : end - 1])
        shown = text[place:end]
        if kind == "space":
            new_line = new_line or "\n" in shown
        else:
            previous = Token(kind, shown, value, line, new_line)  # type: ignore[arg-type] # the groups are the kinds
            yield previous
            new_line = False
        line += shown.count("\n")
        place = end


def _value_may_begin(previous: Token | None) -> bool:
    if previous is None:
        return True
    if previous.kind == "word":
        return previous.text in _BEFORE_A_VALUE
    return previous.kind == "mark" and previous.text not in {")", "]", "}"}


def _template_end(text: str, start: int, line: int) -> tuple[int, bool]:
    """Return where a template string ends, and whether it has no holes."""
    inside, place, whole = ["`"], start + 1, True
    while inside and place < len(text):
        character = text[place]
        if inside[-1] == "`":
            if character == "\\":
                place += 1
            elif character == "`":
                inside.pop()
            elif text.startswith("${", place):
                inside.append("{")
                whole, place = False, place + 1
        elif character in "\"'" and (string := _STRING.match(text, place)):
            place = string.end() - 1
        elif character in "`{":
            inside.append(character)
        elif character == "}":
            inside.pop()
        place += 1
    if inside:
        raise SourceError(f"the template string of line {line} does not end")
    return place, whole


def unescape(text: str) -> str:
    """Replace the escapes of a string."""

    def put(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code:
            number = int(code, 16)
            return chr(number) if number <= sys.maxunicode else "\ufffd"
        return "" if match[4] else _SINGLE.get(match[5], match[5])

    return _ESCAPE.sub(put, text) if "\\" in text else text


def brackets(sequence: Sequence[Token]) -> dict[int, int]:
    """Return for each opening bracket the place of its closing one, and the other way round.

    Raises:
        SourceError: they do not balance.
    """
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for place, token in enumerate(sequence):
        if token.kind != "mark":
            continue
        if token.text in {"(", "[", "{"}:
            opened.append(place)
        elif token.text in _BRACKETS:
            if not opened or sequence[opened[-1]].text != _BRACKETS[token.text]:
                raise SourceError(f"the bracket {token.text} of line {token.line} closes nothing")
            pairs[opened[-1]] = place
            pairs[place] = opened.pop()
    if opened:
        raise SourceError(f"the bracket {sequence[opened[-1]].text} of line {sequence[opened[-1]].line} is not closed")
    return pairs
