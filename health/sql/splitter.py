"""The statements of a script with their places, told apart as ``psql`` does it.

sqlparse ends a comment at its first ``*/``; PostgreSQL's comments nest. A semicolon ends a statement outside of
quotes, comments, parentheses, and the ``BEGIN ATOMIC`` bodies of functions. Source: PostgreSQL's ``psqlscan.l``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SPACE, _LETTER = r"[ \t\n\r\f\v]", r"A-Za-z_\x80-\U0010ffff"  # every character beyond ASCII may stand in a name
_ESCAPED = r"'(?:[^'\\]|\\.|'')*+(?:'|\\?\Z)"
# Each alternative is linear in its length; one that has no end is left to PostgreSQL, which refuses it. A text goes on
# behind a line's end.
TOKEN = re.compile(
    rf"(?P<space>{_SPACE}+|--[^\n\r]*)"
    r"|(?P<comment>/\*)"
    rf"|[eE]{_ESCAPED}(?:[ \t\f\v]*+[\n\r]{_SPACE}*+{_ESCAPED})*+"
    r"|'[^']*+(?:'|\Z)"
    r'|"[^"]*+(?:"|\Z)'
    rf"|(?P<dollar>\$(?:[{_LETTER}][{_LETTER}0-9]*)?\$)"
    rf"|(?P<word>[{_LETTER}][{_LETTER}0-9$]*)"
    r"|(?P<mark>[;()])"
    r"|[0-9.]+|.",
    re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_ROUTINE = re.compile(r"create(?: or replace)? (?:function|procedure)\b")
_FIRST_WORDS = 4  # CREATE OR REPLACE FUNCTION


@dataclass(frozen=True)
class Located:
    """A statement as it stands in a script.

    Attributes:
        text: without comments and semicolon.
        start: the place of its first word in the script, in characters from 0.
        line: of that word, from 1.
    """

    text: str
    start: int
    line: int


@dataclass
class _Statement:
    """One that is being read."""

    start: int | None = None
    parts: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # the first ones, for what it is
    parentheses: int = 0
    bodies: int = 0  # BEGIN and CASE of a routine that are not ended yet

    def take(self, word: str) -> None:
        word = word.lower()
        if len(self.words) < _FIRST_WORDS:
            self.words.append(word)
        if self.parentheses:
            return  # a column or parameter may have such a name
        if word == "begin" or (word == "case" and self.bodies):
            self.bodies += bool(_ROUTINE.match(" ".join(self.words)))
        elif word == "end" and self.bodies:
            self.bodies -= 1


def locate(script: str) -> list[Located]:
    """The statements of a script, those that are empty left out."""
    found: list[Located] = []
    statement, place = _Statement(), 0
    line, counted = 1, 0
    while token := TOKEN.match(script, place):
        place, kind = token.end(), token.lastgroup
        if kind == "comment":
            place = _behind_comment(script, place)
        if kind in {"space", "comment"}:
            statement.parts.append(token[0] if token[0].isspace() else " ")
            continue
        if token[0] == ";" and not statement.parentheses and not statement.bodies:
            if statement.start is not None:
                line, counted = line + script.count("\n", counted, statement.start), statement.start
                found.append(Located("".join(statement.parts).strip(), statement.start, line))
            statement = _Statement()
            continue
        if kind == "dollar":
            end = script.find(token[0], place)
            place = len(script) if end < 0 else end + len(token[0])
        elif kind == "word":
            statement.take(token[0])
        elif kind == "mark" and token[0] != ";":
            statement.parentheses = max(0, statement.parentheses + (1 if token[0] == "(" else -1))
        statement.start = token.start() if statement.start is None else statement.start
        statement.parts.append(script[token.start() : place])
    if statement.start is not None:
        line += script.count("\n", counted, statement.start)
        found.append(Located("".join(statement.parts).strip(), statement.start, line))
    return found


def _behind_comment(script: str, place: int) -> int:
    """Where a block comment ends that begins before a place."""
    depth = 1
    while depth:
        mark = _COMMENT.search(script, place)
        if mark is None:
            return len(script)
        depth, place = depth + (1 if mark[0] == "/*" else -1), mark.end()
    return place
