"""Mechanical guards: a statement written so that it also runs where its effect is already there.

A guard never looks at what is there: whoever uses one must know that it is what the statement would make.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMMENT = r"--[^\n]*|/\*.*?\*/"
_LEADING = re.compile(rf"(?:\s|{_COMMENT})*", re.DOTALL)
# Texts, names, dollar quotes and comments: what stands in them is no SQL.
_QUOTED = re.compile(
    rf"""{_COMMENT}|\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$.*?\$\1\$""", re.DOTALL
)
_NAME = r'(?:"[x.]*"|\w+)(?:\."[x.]*"|\.\w+)?'
_INSERTED = (
    (re.compile(r"CREATE\s+(?:UNLOGGED\s+)?TABLE\s++(?!IF\b)", re.IGNORECASE), "IF NOT EXISTS "),
    (
        re.compile(r"CREATE\s+(?:UNIQUE\s+)?INDEX\s++(?:CONCURRENTLY\s++)?+(?!IF\b|ON\b)", re.IGNORECASE),
        "IF NOT EXISTS ",
    ),
    (re.compile(r"DROP\s+INDEX\s++(?:CONCURRENTLY\s++)?+(?!IF\b)", re.IGNORECASE), "IF EXISTS "),
    (re.compile(rf"ALTER\s+TYPE\s+{_NAME}\s+ADD\s+VALUE\s++(?!IF\b)", re.IGNORECASE), "IF NOT EXISTS "),
)
_ACTIONS = (
    (re.compile(r"\bADD\s+COLUMN\s++(?!IF\b)", re.IGNORECASE), "IF NOT EXISTS "),
    (re.compile(r"\bDROP\s+(?:COLUMN|CONSTRAINT)\s++(?!IF\b)", re.IGNORECASE), "IF EXISTS "),
)
_TABLE = re.compile(r"ALTER\s+TABLE\b", re.IGNORECASE)
_CONSTRAINT = re.compile(rf"ALTER\s+TABLE\s+(?:ONLY\s+)?{_NAME}\s+ADD\s+CONSTRAINT\s[^,]*$", re.IGNORECASE)
_TYPE = re.compile(r"CREATE\s+TYPE\s", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """A statement of a script as it stands there.

    Attributes:
        start: the offset of its first word in the script; comments before it are not part of it.
        text: with its semicolon.
        line: of its first word, from 1.
    """

    start: int
    text: str
    line: int


def statements(script: str) -> tuple[Statement, ...] | None:
    """The statements of a script; None where they could not be told apart."""
    import sqlparse
    from sqlparse.exceptions import SQLParseError

    found, at = [], 0
    try:
        pieces = sqlparse.split(script)
    except SQLParseError:  # more tokens than its own limit
        return None
    for piece in pieces:
        place = script.find(piece, at)
        if place < 0:
            return None
        at = place + len(piece)
        match = _LEADING.match(piece)
        text = piece[match.end() :] if match else piece
        if text.strip(";\ufeff \n"):
            start = at - len(text)
            found.append(Statement(start, text, script.count("\n", 0, start) + 1))
    return tuple(found)


def guarded(statement: str) -> str | None:
    """The statement with guards; None where there is none for its kind, or it has them already."""
    masked = _masked(statement)
    for begins, words in _INSERTED:
        if (found := begins.match(masked)) is not None:
            return statement[: found.end()] + words + statement[found.end() :]
    if _CONSTRAINT.match(masked.rstrip("; \n\r\t")):
        return _do_block(statement, "duplicate_object OR duplicate_table")
    if _TYPE.match(masked):
        return _do_block(statement, "duplicate_object")
    if _TABLE.match(masked):
        places = sorted((found.end(), words) for action, words in _ACTIONS for found in action.finditer(masked))
        edited = statement
        for place, words in reversed(places):
            edited = edited[:place] + words + edited[place:]
        return edited if places else None
    return None


def edited(script: str, numbers: frozenset[int]) -> tuple[str | None, tuple[int, ...]]:
    """A script with guards on some of its statements.

    Args:
        script: the text of ``migration.sql``.
        numbers: places of the statements, from 0.

    Returns:
        The text, or None where a statement has no guard; and the places of those that have none.
    """
    known = statements(script)
    if known is None:
        return None, tuple(sorted(numbers))
    text, bare = script, []
    for number in sorted(numbers, reverse=True):
        one = known[number]
        guard = guarded(one.text)
        if guard is None:
            bare.append(number)
        else:
            text = text[: one.start] + guard + text[one.start + len(one.text) :]
    return (None if bare else text), tuple(sorted(bare))


def _do_block(statement: str, conditions: str) -> str:
    tag = "guard"
    while f"${tag}$" in statement:
        tag += "_"
    body = statement.rstrip("; \n\r\t")
    return f"DO ${tag}$ BEGIN\n{body};\nEXCEPTION WHEN {conditions} THEN NULL;\nEND ${tag}$;"


def _masked(statement: str) -> str:
    """The statement at the same offsets without what is quoted, in a comment or in parentheses."""
    plain = _QUOTED.sub(_blank, statement)
    depth, kept = 0, []
    for char in plain:
        depth = max(0, depth - (char == ")"))
        kept.append(char if depth == 0 else "x")
        depth += char == "("
    return "".join(kept)


def _blank(match: re.Match[str]) -> str:
    text = match[0]
    if text.startswith(("--", "/*")):
        return " " * len(text)
    quote = '"' if text.startswith('"') else "'"
    return quote + "x" * (len(text) - 2) + quote
