"""How Prisma's engine sends the file of a migration: as one query, or its statements one after the other.

Up to 7.3 a file is one query. From 7.4 on the engine takes it apart with a parser that does not know all of
PostgreSQL's SQL, and sends it as one query all the same where it meets a statement that it does not understand.
Source: prisma-engines #5767 and #5847; what is understood was asked of that parser, sqlparser 0.61.0 as in 7.10.1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from health.sql.splitter import Located, locate
from health.sql.statements import transaction_word

# Statements that PostgreSQL takes and the parser does not, as they are where every white space is one blank.
_UNKNOWN = (
    "(ABORT|CHECKPOINT|CLUSTER|DO|IMPORT|LOCK|REASSIGN|REFRESH|REINDEX|SECURITY|TABLE)",
    "ALTER (?!(INDEX|OPERATOR|POLICY|ROLE|SCHEMA|TABLE|TYPE|USER)\\b)\\w+",
    "ALTER INDEX\\b(?!.* RENAME)",
    "ALTER TYPE\\b(?!.* (ADD VALUE|RENAME))",
    "ALTER TABLE .* (ALTER CONSTRAINT|ATTACH PARTITION|CLUSTER ON|DROP (EXPRESSION|IDENTITY)|INHERIT|USING INDEX)",
    "ALTER TABLE .* SET (LOGGED|SCHEMA|STATISTICS|STORAGE|TABLESPACE|UNLOGGED)",
    "ALTER TABLE .* (RESET|EXCLUDE USING|ON DELETE SET (DEFAULT|NULL) \\(.*)",
    "COMMENT ON (CONSTRAINT|FUNCTION|INDEX|POLICY|TRIGGER|TYPE|VIEW)",
    "COPY .* FROM STDIN",
    "CREATE (AGGREGATE|CAST|COLLATION|EVENT|FOREIGN TABLE|PUBLICATION|RECURSIVE|RULE|STATISTICS|TEXT|UNLOGGED)",
    "CREATE (OR REPLACE )?(AGGREGATE|PROCEDURE|RULE)",
    "CREATE (OR REPLACE )?FUNCTION .* BEGIN ATOMIC",
    "CREATE (UNIQUE )?INDEX .* ON ONLY",
    "CREATE TABLE .* (EXCLUDE USING|(EXCLUDING|INCLUDING) (ALL|CONSTRAINTS|DEFAULTS|INDEXES))",
    "DROP (AGGREGATE|CAST|EVENT|INDEX CONCURRENTLY|OWNED|PUBLICATION|RULE|STATISTICS)",
    "GRANT (?!.* ON ).*",
    "PREPARE TRANSACTION",
    "SET CONSTRAINTS",
    "VACUUM \\(.*",
)
_NOT_UNDERSTOOD = re.compile("|".join(rf"(?:{words})(?!\w)" for words in _UNKNOWN), re.IGNORECASE)
_READ = 100_000  # characters of a statement; what is longer is rows


def as_sent(script: str, *, one_query: bool) -> list[str]:
    """What an engine sends for a file, one after the other; ``one_query`` is whether it sends every file whole."""
    if one_query:
        return [script]
    statements = locate(script)
    return [script] if in_one(statements) else one_by_one(statements)


def in_one(statements: Sequence[Located]) -> bool:
    """Whether an engine from 7.4 on sends a file as one query: it does not understand one of its statements."""
    return any(_NOT_UNDERSTOOD.match(" ".join(statement.text[:_READ].split())) for statement in statements)


def transactions(statements: Sequence[Located], *, one_query: bool) -> list[int]:
    """The number of the transaction in which each statement of a file commits, as an engine sends it.

    One query is one transaction up to each COMMIT of the file's own; what is sent apart is one for each statement,
    unless the file has begun one.
    """
    together = one_query or in_one(statements)
    numbers, number, open_ = [], 0, False
    for statement in statements:
        numbers.append(number)
        if (word := transaction_word(statement.text)) is not None:
            open_ = word == "begin"
        if not (open_ or together) or word not in (None, "begin"):
            number += 1
    return numbers


def one_by_one(statements: Sequence[Located]) -> list[str]:
    """The statements as they are sent one after the other; a transaction of the file's own is kept in one piece."""
    scripts: list[str] = []
    open_ = False
    for statement in statements:
        text = f"{statement.text};"
        if open_:
            scripts[-1] += f"\n{text}"
        else:
            scripts.append(text)
        if (word := transaction_word(statement.text)) is not None:
            open_ = word == "begin"
    return scripts
