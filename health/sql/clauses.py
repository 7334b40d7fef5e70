"""The clauses of single statements: what an UPDATE sets, an INSERT lists, an ALTER TABLE converts by.

Only the simplest form of each statement is taken apart; None stands for every other one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from health.sql.splitter import TOKEN

# A value that hangs on nothing in the database.
_LITERAL = re.compile(
    r"(?:E?'(?:[^'\\]|'')*'|-?\d+(?:\.\d+)?|true|false|null|now\(\)|current_timestamp|gen_random_uuid\(\))"
    r"(?:::(?:jsonb?|text|integer|int|bigint|numeric|boolean|uuid|date|timestamptz?|timestamp)(?:\[\])?)?",
    re.IGNORECASE,
)
_OPEN, _CLOSED = {"(", "["}, {")", "]"}


@dataclass(frozen=True)
class _Token:
    """A word, mark or literal, with the number of brackets around it."""

    text: str
    start: int
    end: int
    depth: int

    @property
    def word(self) -> str:
        return self.text.upper()


@dataclass(frozen=True)
class Conversion:
    """``ALTER TABLE … ALTER COLUMN … TYPE … USING …``."""

    table: str
    column: str
    using: str


@dataclass(frozen=True)
class Update:
    """``UPDATE … SET … WHERE …`` of one table."""

    table: str
    values: tuple[tuple[str, str], ...]
    where: str | None


@dataclass(frozen=True)
class Delete:
    """``DELETE FROM … WHERE …`` of one table."""

    table: str
    where: str | None


@dataclass(frozen=True)
class Insert:
    """``INSERT INTO … VALUES …``.

    Attributes:
        columns: those that are listed; None for all in their order.
        rows: the expressions of each row.
        conflict: the columns of ON CONFLICT, empty for any conflict; None where it has no such clause.
        updates: whether a conflict updates the row that is there.
    """

    table: str
    columns: tuple[str, ...] | None
    rows: tuple[tuple[str, ...], ...]
    conflict: tuple[str, ...] | None = None
    updates: bool = False

    @property
    def literal(self) -> bool:
        """Whether it holds no expressions but those that hang on nothing."""
        return all(_LITERAL.fullmatch(value) for row in self.rows for value in row)


def conversions(statement: str) -> tuple[Conversion, ...]:
    """Find the expressions by which an ALTER TABLE converts columns."""
    tokens = _tokens(statement)
    if _words(tokens, 2) != ["ALTER", "TABLE"]:
        return ()
    at = 2
    while at < len(tokens) and tokens[at].word in {"IF", "EXISTS", "ONLY"}:
        at += 1
    table, at = _name(statement, tokens, at)
    found = []
    for command in _split(tokens[at:]):
        words = [token.word if token.depth == 0 else "" for token in command]
        if not words or words[0] != "ALTER" or "TYPE" not in words or "USING" not in words:
            continue
        column = command[2 if words[1:2] == ["COLUMN"] else 1]
        using = command[words.index("USING") + 1 :]
        if using:
            found.append(Conversion(table, identifier(column.text), statement[using[0].start : using[-1].end]))
    return tuple(found)


def update(statement: str) -> Update | None:
    """Take an UPDATE of one table apart."""
    tokens = _tokens(statement)
    if _words(tokens, 1) != ["UPDATE"]:
        return None
    table, at = _name(statement, tokens, 2 if _words(tokens, 2)[1:] == ["ONLY"] else 1)
    if at >= len(tokens) or tokens[at].word != "SET":
        return None
    body, where = _where(statement, tokens[at + 1 :])
    if body is None:
        return None
    values = []
    for assignment in _split(body):
        if len(assignment) < 3 or assignment[1].text != "=" or assignment[0].text == "(":  # noqa: PLR2004 - a = b
            return None
        values.append((identifier(assignment[0].text), statement[assignment[2].start : assignment[-1].end]))
    return Update(table, tuple(values), where)


def delete(statement: str) -> Delete | None:
    """Take a DELETE from one table apart."""
    tokens = _tokens(statement)
    if _words(tokens, 2) != ["DELETE", "FROM"]:
        return None
    table, at = _name(statement, tokens, 3 if _words(tokens, 3)[2:] == ["ONLY"] else 2)
    body, where = _where(statement, tokens[at:])
    return None if body is None or body else Delete(table, where)


def insert(statement: str) -> Insert | None:
    """Take an INSERT of values apart."""
    tokens = _tokens(statement)
    if _words(tokens, 2) != ["INSERT", "INTO"]:
        return None
    table, at = _name(statement, tokens, 2)
    columns = None
    if at < len(tokens) and tokens[at].text == "(":
        listed, at = _bracket(tokens, at)
        columns = tuple(identifier(each[0].text) for each in _split(listed, 1) if each)
    if at >= len(tokens) or tokens[at].word != "VALUES":
        return None
    rows, at = [], at + 1
    while at < len(tokens) and tokens[at].text == "(":
        row, at = _bracket(tokens, at)
        rows.append(tuple(statement[each[0].start : each[-1].end] for each in _split(row, 1) if each))
        at += at < len(tokens) and tokens[at].text == ","
    rest = tokens[at:]
    if not rest:
        return Insert(table, columns, tuple(rows))
    conflict = _conflict(rest)
    updates = any(token.word == "UPDATE" for token in rest)
    return None if conflict is None else Insert(table, columns, tuple(rows), conflict, updates)


def identifier(text: str) -> str:
    """The name that an identifier stands for."""
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()


def retyped(expression: str, types: Collection[str], to: str) -> str:
    """Put another type into the casts of an expression, as PostgreSQL prints them.

    Args:
        expression: with casts such as ``'A'::public."Kind"``.
        types: the types to be replaced, in the same spelling.
        to: what stands in their place.
    """
    parts, done = [], 0
    tokens = _tokens(expression)
    for at, token in enumerate(tokens[2:], 2):
        if tokens[at - 1].text == tokens[at - 2].text == ":" and token.text != ":":
            last = at
            while last + 2 < len(tokens) and tokens[last + 1].text == ".":
                last += 2
            if expression[token.start : tokens[last].end] in types:
                parts += [expression[done : token.start], to]
                done = tokens[last].end
    return "".join([*parts, expression[done:]])


def on_one_line(expression: str) -> str:
    """An expression with one blank for each white space outside of texts and names."""
    parts, place = [], 0
    while token := TOKEN.match(expression, place):
        place = token.end()
        parts.append(" " if token.lastgroup == "space" else token[0])
    return "".join(parts)


def _conflict(rest: Sequence[_Token]) -> tuple[str, ...] | None:
    if _words(rest, 2) != ["ON", "CONFLICT"]:
        return None
    if _words(rest[2:], 2) == ["DO", "NOTHING"] and len(rest) == 4:  # noqa: PLR2004
        return ()
    if len(rest) <= 3 or rest[2].text != "(":  # noqa: PLR2004
        return None
    listed, at = _bracket(rest, 2)
    columns = tuple(identifier(each[0].text) for each in _split(listed, 1) if len(each) == 1)
    return columns if columns and _words(rest[at:], 1) == ["DO"] else None


def _tokens(statement: str) -> list[_Token]:
    found: list[_Token] = []
    place = depth = 0
    while token := TOKEN.match(statement, place):
        start, place, text = place, token.end(), token[0]
        if token.lastgroup in {"space", "comment"}:
            continue
        if token.lastgroup == "dollar":
            end = statement.find(text, place)
            place = len(statement) if end < 0 else end + len(text)
            text = statement[start:place]
        if found and found[-1].end == start and text[0] in "'\"" and found[-1].text[-1] == text[0]:
            start, text = found[-1].start, found.pop().text + text  # a quote within, written twice
        depth -= text in _CLOSED
        found.append(_Token(text, start, place, max(0, depth)))
        depth += text in _OPEN
    return found


def _words(tokens: Sequence[_Token], many: int) -> list[str]:
    return [token.word for token in tokens[:many]]


def _name(statement: str, tokens: Sequence[_Token], at: int) -> tuple[str, int]:
    """A name with or without its schema, and the place behind it."""
    last = at
    while last + 2 < len(tokens) and tokens[last + 1].text == ".":
        last += 2
    return (statement[tokens[at].start : tokens[last].end], last + 1) if last < len(tokens) else ("", last)


def _split(tokens: Sequence[_Token], depth: int = 0) -> Iterator[list[_Token]]:
    """The parts between commas."""
    part: list[_Token] = []
    for token in tokens:
        if token.text == "," and token.depth == depth:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _bracket(tokens: Sequence[_Token], at: int) -> tuple[Sequence[_Token], int]:
    """What stands in a bracket, and the place behind it."""
    end = next((n for n in range(at + 1, len(tokens)) if tokens[n].depth == tokens[at].depth), len(tokens) - 1)
    return tokens[at + 1 : end], end + 1


def _where(statement: str, tokens: Sequence[_Token]) -> tuple[Sequence[_Token] | None, str | None]:
    """What stands before WHERE, and the condition; (None, None) where there are further clauses."""
    words = [token.word if token.depth == 0 else "" for token in tokens]
    further = {"RETURNING", "USING", "CURRENT"} & set(words)
    joined = any(word == "FROM" and words[at - 1] != "DISTINCT" for at, word in enumerate(words))
    if further or joined:
        return None, None
    if "WHERE" not in words:
        return tokens, None
    at = words.index("WHERE")
    condition = tokens[at + 1 :]
    return (tokens[:at], statement[condition[0].start : condition[-1].end]) if condition else (None, None)
