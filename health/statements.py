"""Single statements in the SQL of migrations."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BEGINS = re.compile(r"\s*\b(?:BEGIN|START\s+TRANSACTION)\b(?!\s+ATOMIC)", re.IGNORECASE)
_ENDS = re.compile(r"\s*(?:COMMIT|END|ROLLBACK(?!\s+TO\b)|ABORT)\b", re.IGNORECASE)
_LONGEST = 5_000  # characters of a statement that is looked for; it also bounds the search in foreign text
_LONGEST_SCRIPT = 1_000_000  # characters of one that is taken apart statement by statement: some 20 s


def adding_column(sql: str, table: str, column: str) -> str | None:
    """The statement of a script that adds a column by ALTER TABLE, as it stands there."""
    adds = re.compile(
        rf'ALTER\s+TABLE\s+(?:ONLY\s+|IF\s+EXISTS\s+)*(?:"?\w+"?\.)?"{table}"\s[^;]{{0,{_LONGEST}}}?'
        rf'\bADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?"{column}"\s',
        re.IGNORECASE,
    )
    for hit in adds.finditer(sql):
        statement = _statement(sql, hit.start())
        if statement is not None and adds.match(statement):
            return statement
    return None


def split(sql: str) -> list[str] | None:
    """The statements of a script without comments; None where they could not be told apart."""
    import sqlparse
    from sqlparse.exceptions import SQLParseError

    try:
        statements = (sqlparse.format(each, strip_comments=True).strip() for each in sqlparse.split(sql))
        return [each for each in statements if each.strip(";")]
    except SQLParseError:  # more tokens than its own limit
        return None


@dataclass(frozen=True)
class Located:
    """A statement as it stands in a script.

    Attributes:
        text: without comments.
        start: the place of its first word in the script, in characters from 0.
        line: of that word, from 1.
    """

    text: str
    start: int
    line: int


def locate(sql: str) -> list[Located] | None:
    """As :func:`split`, with the place of each; None also for a script that is too long to be taken apart."""
    import sqlparse
    from sqlparse.exceptions import SQLParseError

    if len(sql) > _LONGEST_SCRIPT:
        return None
    found, offset, line, counted = [], 0, 1, 0
    try:
        for raw in sqlparse.split(sql):
            begin = sql.find(raw, offset)
            if begin < 0:
                return None
            offset = begin + len(raw)
            start = _first_word(sql, begin)
            line, counted = line + sql.count("\n", counted, start), start
            text = sqlparse.format(raw, strip_comments=True).strip()
            if text.strip(";"):
                found.append(Located(text, start, line))
    except SQLParseError:
        return None
    return found


def _first_word(sql: str, start: int) -> int:
    """The offset behind white space and comments; PostgreSQL's block comments nest."""
    place, depth = start, 0
    while place < len(sql):
        if sql.startswith("/*", place):
            depth, place = depth + 1, place + 2
        elif depth:
            depth, place = (depth - 1, place + 2) if sql.startswith("*/", place) else (depth, place + 1)
        elif sql.startswith("--", place):
            end = sql.find("\n", place)
            place = len(sql) if end < 0 else end
        elif sql[place].isspace():
            place += 1
        else:
            return place
    return start


def transaction_word(statement: str) -> str | None:
    """``begin``, ``commit`` or ``rollback``, where a statement only begins or ends a transaction; else None."""
    if _BEGINS.match(statement):
        return "begin"
    if found := _ENDS.match(statement):
        return "rollback" if found[0].strip().upper() in {"ROLLBACK", "ABORT"} else "commit"
    return None


def controls_transaction(statement: str) -> bool:
    """Whether a statement only begins or ends a transaction."""
    return bool(_BEGINS.match(statement) or _ENDS.match(statement))


def differ_in_comments_only(one: str, other: str) -> bool:
    """Whether two scripts are the same statements, comments and white space apart."""
    return _tokens(one) == _tokens(other)


def _tokens(sql: str) -> list[str] | None:
    import sqlparse
    from sqlparse.exceptions import SQLParseError
    from sqlparse.tokens import Comment

    try:
        tokens = [token for statement in sqlparse.parse(sql) for token in statement.flatten()]  # type: ignore[no-untyped-call]
    except SQLParseError:
        return [sql]  # nothing is known of it: only the same text is the same
    return [token.value for token in tokens if not token.is_whitespace and token.ttype not in Comment]


def leaves_transaction_open(sql: str) -> bool:
    """Whether a script begins a transaction that it does not end: Prisma then reports success and keeps nothing."""
    lowered = sql.lower()
    if "begin" not in lowered and "transaction" not in lowered:
        return False  # what most scripts are: taking them apart would be slow
    open_ = False
    for statement in split(sql) or ():
        if _BEGINS.match(statement):
            open_ = True
        elif _ENDS.match(statement):
            open_ = False
    return open_


def _statement(text: str, start: int) -> str | None:
    """The statement that begins at an offset, without comments; None within a comment or behind other text."""
    import sqlparse  # lazy: most runs need none of it
    from sqlparse.exceptions import SQLParseError

    line = text[text.rfind("\n", 0, start) + 1 : start]
    if line.strip() or text.count("/*", 0, start) > text.count("*/", 0, start):
        return None
    try:
        first = sqlparse.split(text[start : start + 2 * _LONGEST])[0]
        return str(sqlparse.format(first, strip_comments=True)).strip()
    except SQLParseError:  # more tokens than its own limit
        return None
