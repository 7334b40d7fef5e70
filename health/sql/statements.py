"""Single statements in the SQL of migrations."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from itertools import groupby, islice

from health.sql.splitter import Located, locate

_BEGINS = re.compile(r"\s*\b(?:BEGIN|START\s+TRANSACTION)\b(?!\s+ATOMIC)", re.IGNORECASE)
_ENDS = re.compile(r"\s*(?:COMMIT|END|ROLLBACK(?!\s+TO\b)|ABORT)\b", re.IGNORECASE)
_SETS = re.compile(r"\s*SET\s+(?:LOCAL\s+)?TRANSACTION\b", re.IGNORECASE)
_HARMLESS = re.compile(
    r"\s*(?:(?:SET|RESET|SHOW|DISCARD)\b.*|(?:SELECT|VALUES|TABLE)\b[^(]*)", re.IGNORECASE | re.DOTALL
)
_TAKES = re.compile(r"\s*(?:DELETE|TRUNCATE|MERGE)\b", re.IGNORECASE)
_ROWS = re.compile(r"\s*(?:INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_ADDS = re.compile(
    r"\s*(?:CREATE\s+(?:TABLE|TYPE|SEQUENCE|VIEW|(?:UNIQUE\s+)?INDEX(?!\s+CONCURRENTLY\b))\b"
    r"|ALTER\s+TABLE\b(?!.*\b(?:ALTER|ATTACH|DETACH|DISABLE|DROP|RENAME|VALIDATE)\b.*).*\bADD\b)",
    re.IGNORECASE | re.DOTALL,
)
_ALONE = re.compile(
    r"\s*(?:(?:CALL|CLUSTER|DISCARD|DO|REINDEX|VACUUM)\b"
    r"|(?:ALTER|CREATE|DROP)\b(?:\s+(?:DATABASE|SUBSCRIPTION|SYSTEM|TABLESPACE)\b|.*\bCONCURRENTLY\b))",
    re.IGNORECASE | re.DOTALL,
)
_RUN_READ_ONLY = re.compile(r"\s*(?:CALL|CLUSTER|DISCARD|DO|REINDEX|VACUUM|ALTER\s+SYSTEM)\b", re.IGNORECASE)
_MOST_ROWS, _MOST_ADDED = 5_000, 50  # in one list
_LONGEST_SCRIPT = 500_000  # characters: sqlparse takes 12 s for a million
_LONGEST = 5_000  # characters of a statement that is looked for; it also bounds the search in foreign text


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


def only_rows(statement: str) -> bool:
    """Whether a statement inserts, updates or deletes rows."""
    return bool(_ROWS.match(statement))


def taking_rows(script: str) -> Iterator[Located]:
    """The statements of a script that take rows away."""
    return (each for each in locate(script) if _TAKES.match(each.text))


def rows_together(statements: Iterable[str]) -> Iterator[list[str]]:
    """The statements in their order, neighbours that only change rows in one list of some thousand.

    Sent as one query they do what they do one by one, or nothing where one of them fails.
    """
    return _neighbours(statements, lambda statement: _MOST_ROWS if _ROWS.match(statement) else 1)


def alike(statements: Iterable[str]) -> Iterator[list[str]]:
    """The statements in their order, neighbours in one list that only change rows, or that each only add objects."""
    return _neighbours(
        statements, lambda each: _MOST_ROWS if _ROWS.match(each) else _MOST_ADDED if _ADDS.match(each) else 1
    )


def _neighbours(statements: Iterable[str], most: Callable[[str], int]) -> Iterator[list[str]]:
    """Neighbours of one kind, which ``most`` tells by how many of it belong together."""
    for kind, group in groupby(statements, most):
        while part := list(islice(group, kind)):
            yield part


def acting(script: str) -> list[Located]:
    """The statements of a script but those that control transactions."""
    return [each for each in locate(script) if not controls_transaction(each.text)]


def only(script: str, numbers: Collection[int]) -> str:
    """Keep these statements of a script, each on its line; those that control transactions have no number."""
    located = acting(script)
    kept, lines = "", 0
    for each in (statement for number, statement in enumerate(located) if number in numbers):
        between = max(0, each.line - 1 - lines)
        kept += "\n" * between + f"{each.text}; "
        lines += between + each.text.count("\n")
    return kept


def split(sql: str) -> list[str] | None:
    """The statements of a script without comments; None where they could not be told apart."""
    if len(sql) > _LONGEST_SCRIPT:
        return None
    import sqlparse
    from sqlparse.exceptions import SQLParseError

    try:
        statements = (sqlparse.format(each, strip_comments=True).strip() for each in sqlparse.split(sql))
        return [each for each in statements if each.strip(";")]
    except SQLParseError:  # more tokens than its own limit
        return None


def transaction_word(statement: str) -> str | None:
    """``begin``, ``commit`` or ``rollback``, where a statement only begins or ends a transaction; else None."""
    if _BEGINS.match(statement):
        return "begin"
    if found := _ENDS.match(statement):
        return "rollback" if found[0].strip().upper() in {"ROLLBACK", "ABORT"} else "commit"
    return None


def harmless(statement: str) -> bool:
    """Whether a statement changes nothing that stays, as far as its words tell: it sets the session or only reads."""
    return _HARMLESS.fullmatch(statement) is not None or not statement.strip().strip(";")


def sets_transaction(statement: str) -> bool:
    """Whether a statement only sets how a transaction runs, which PostgreSQL takes before any other of it."""
    return _SETS.match(statement) is not None


def controls_transaction(statement: str) -> bool:
    """Whether a statement only begins or ends a transaction."""
    return bool(_BEGINS.match(statement) or _ENDS.match(statement))


def stands_alone(statement: str) -> bool:
    """Whether a statement, without comments, may be one that PostgreSQL runs in no transaction."""
    return _ALONE.match(statement) is not None


def runs_read_only(statement: str) -> bool:
    """Whether a session that is read only may run a statement, although it changes something."""
    return _RUN_READ_ONLY.match(statement) is not None


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


@lru_cache  # asked by several, of files of any size
def leaves_transaction_open(sql: str) -> bool:
    """Whether a script begins a transaction that it does not end: Prisma then reports success and keeps nothing."""
    lowered = sql.lower()
    if "begin" not in lowered and "transaction" not in lowered:
        return False  # what most scripts are: taking them apart would be slow
    words = filter(None, (transaction_word(statement.text) for statement in locate(sql)))
    return deque(words, maxlen=1) == deque(["begin"])


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
