"""What Prisma, Frigg and Lambda write into a function's log when something is wrong, and what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LogPattern:
    """One kind of trouble that a log tells of.

    Attributes:
        means: the cause and what follows from it, in a sentence or two.
        mend: what to do about it.
        migrating: whether only the worker, which migrates, can log it.
    """

    means: str
    mend: str
    migrating: bool = False


KINDS: Mapping[str, LogPattern] = {
    "migration-failed": LogPattern(
        "It failed while the worker applied it (P3018); until that is mended, every deploy stops at it.",
        "Mend the failed row as the check no-failed-migration says. Where that finds none, it was mended since.",
        migrating=True,
    ),
    "migration-blocked": LogPattern(
        "The worker applied nothing, as this migration failed earlier and stands in the way (P3009).",
        "Mend the failed row as the check no-failed-migration says. Where that finds none, it was mended since.",
        migrating=True,
    ),
    "schema-not-empty": LogPattern(
        "The worker found tables and no migration history, and applied nothing (P3005).",
        "Record the migrations whose objects exist, as the check no-history says. Else compare the database and "
        "the schema in the worker's DATABASE_URL with the registry's.",
        migrating=True,
    ),
    "lock-timeout": LogPattern(
        "The worker waited ten seconds for the migration lock and gave up (P1002): two migrations were started "
        "at once, or an ended worker's session lives on in the server.",
        "Wait until the other migration has ended, then deploy again. It has left no row.",
        migrating=True,
    ),
    "database-unreachable": LogPattern(
        "The function could not reach the database server.",
        "Compare DATABASE_URL's host with the cluster's writer endpoint, and look at the security group's rule for "
        "the port. A paused cluster needs half a minute to wake up.",
    ),
    "credentials-refused": LogPattern(
        "The database refused the function's user or password (P1000).",
        "A password that was rotated reaches the functions with the next deploy: deploy again.",
    ),
    "prisma-error": LogPattern(
        "Prisma's command line ended with an error.",
        "Look the code up in Prisma's error reference.",
        migrating=True,
    ),
    "resolve-refused": LogPattern(
        "Prisma refused to mark a migration: it is unknown, applied already, or not failed.",
        "Look at the history first; mark only what the check no-failed-migration names.",
        migrating=True,
    ),
    "column-missing": LogPattern(
        "Code ran that needs a column which the database does not have (P2022).",
        "Deploy the migration that adds it. Where it counts as applied, the database was changed by hand.",
    ),
    "table-missing": LogPattern(
        "Code ran that needs a table which the database does not have (P2021).",
        "Deploy the migration that makes it. Where it counts as applied, the database was changed by hand.",
    ),
    "enum-value-unknown": LogPattern(
        "Code and database do not know the same values of an enum: the code is newer, or was rolled back.",
        "Deploy code and migrations of one version. After a rollback, rows may hold a value that the old code "
        "does not know.",
    ),
    "client-missing": LogPattern(
        "The function found no Prisma client: it does not carry the Prisma layer.",
        "Deploy again with the layer built anew.",
    ),
    "timeout": LogPattern(
        "AWS ended the function at its time limit. A migration's statement may still run in the server.",
        "Look for a running or crashed migration before anything is started again.",
    ),
    "out-of-memory": LogPattern(
        "The function was killed, most likely for want of memory. A migration may have been committed all the same.",
        "Raise the function's memory. Look for a crashed migration before anything is started again.",
    ),
    "status-not-written": LogPattern(
        "The worker could not write how its migration went: the API goes on telling an older state.",
        "Look at the functions' rights on the bucket of the migration runs.",
        migrating=True,
    ),
    "unauthorized": LogPattern(
        "Somebody called the migration API with a wrong key, or without one.",
        "If it was a deploy of yours, give it the auth function's ADMIN_API_KEY.",
    ),
    "setting-missing": LogPattern(
        "The function ran without DATABASE_URL.",
        "Deploy again with the database's secret in place.",
    ),
}

PURPOSES = ("auth", "worker")  # of the functions whose logs are read


def codes(purpose: str) -> dict[str, str]:
    """Kind → the finding's code, for every kind that a function can log."""
    return {
        kind: f"{purpose}-log-{kind}" for kind, known in KINDS.items() if purpose == "worker" or not known.migrating
    }


# Codes with which Prisma's command line begins a block of lines.
OPENING = re.compile(r"^\s*(?:prisma:error\s+)?Error: (P\d{4})\b")
OPENS: Mapping[str, str] = {
    "P1000": "credentials-refused",
    "P1001": "database-unreachable",
    "P1002": "database-unreachable",  # until the block names the advisory lock
    "P2021": "table-missing",
    "P2022": "column-missing",
    "P3005": "schema-not-empty",
    "P3008": "resolve-refused",
    "P3009": "migration-blocked",
    "P3011": "resolve-refused",
    "P3012": "resolve-refused",
    "P3017": "resolve-refused",
    "P3018": "migration-failed",
}

# What the other lines of such a block tell; each stands in an event of its own.
PARTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"^Migration name: (?P<migration>\S.*)",
        r"^The `(?P<migration>[^`]+)` migration started at .*failed",
        r"^Database error code: (?P<sqlstate>[0-9A-Z]{5})\b",
        r"^DbError \{.*?SqlState\(E?(?P<sqlstate>[0-9A-Z]{5})\)",
        r"^DbError \{",
        r"^Database error:",
        r"^ERROR: (?P<error>.+)",
    )
)
LOCK = re.compile(r"Timed out trying to acquire a \S+ advisory lock")

# Lines that say it all. What the backticks hold varies by engine and operation. Known secrets are out of the lines
# already, and the guide's own password is a word of some of them: `postgres`.
SINGLE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (code, re.compile(pattern))
    for code, pattern in (
        ("column-missing", r"The column `(?P<name>[^`]*)` does not exist in the current database"),
        ("table-missing", r"The table `(?P<name>[^`]*)` does not exist in the current database"),
        ("enum-value-unknown", r'invalid input value for enum \\*"?(?P<name>[\w*]+)'),
        ("enum-value-unknown", r"Value '[^']*' not found in enum '(?P<name>[^']*)'"),
        ("schema-not-empty", r"The database schema is not empty"),
        ("lock-timeout", LOCK.pattern),
        ("database-unreachable", r"Can't reach database server at `(?P<name>[^`]*)`"),
        ("database-unreachable", r"The database server was reached but timed out"),
        ("credentials-refused", r"Authentication failed against (?:the )?database server"),
        ("client-missing", r"Cannot find Prisma client for (?P<name>[^\s.]+)"),
        ("timeout", r"Task timed out after (?P<name>[\d.]+ seconds)"),
        ("out-of-memory", r"Runtime exited with error: signal: killed|Runtime\.OutOfMemory"),
        ("status-not-written", r"Failed to update migration status"),
        ("unauthorized", r"Unauthorized access attempt to db-migrate|Invalid admin API key provided"),
        ("setting-missing", r"(?P<name>DATABASE_URL) environment variable is not set"),
    )
)

# What a line of interest holds, in words that CloudWatch compares whole. The filter is a courtesy to the network: what
# comes back is looked through with the same terms.
TERMS = (
    *OPENS, "Error: P", "Migration name:", "migration started at", "Database error", "DbError", "ERROR:",
    "advisory lock", "does not exist in the current database", "invalid input value for enum", "not found in enum",
    "schema is not empty", "Can't reach database server", "was reached but timed out", "Authentication failed against",
    "Cannot find Prisma client", "Task timed out after", "signal: killed", "OutOfMemory",
    "Failed to update migration status", "Unauthorized access attempt", "Invalid admin API key",
    "environment variable is not set",
)  # fmt: skip
FILTER = " ".join(f'?"{term}"' for term in TERMS)

# PostgreSQL's error codes that migrations end with, by https://www.postgresql.org/docs/current/errcodes-appendix.html
SQLSTATES: Mapping[str, str] = {
    "22P02": "a value does not fit its type",
    "23502": "a column that is to be NOT NULL holds NULL",
    "23503": "rows point to others that do not exist",
    "23505": "there are rows that its unique index forbids",
    "25006": "the session may only read",
    "40P01": "a deadlock with another session",
    "42501": "the role lacks a right",
    "42601": "its SQL is not valid",
    "42701": "a column that it adds exists already",
    "42703": "a column that it uses does not exist",
    "42704": "an object that it uses does not exist",
    "42710": "a type or an object that it makes exists already",
    "42P01": "a table that it uses does not exist",
    "42P07": "a table or an index that it makes exists already",
    "55P03": "it waited too long for a lock",
    "57014": "its statement was cancelled",
}
