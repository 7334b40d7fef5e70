"""What a reviewer of SQL remarks on pending migrations, as far as it matters while the application runs.

The rules are squawk's; it has some forty, most of them about taste, and Prisma's output breaks those in every
statement. These ten are about what a deploy does to an application at work: locks, rewrites, and what its running
code loses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_LOCKED = "Every query of the table waits until it is done."
# Rule → what the statement does, and how it is written instead.
RULES: Mapping[str, tuple[str, str]] = {
    "require-concurrent-index-creation": (
        "It makes an index while writes to the table wait.",
        "Make the index by CREATE INDEX CONCURRENTLY, in a migration of its own with this one statement.",
    ),
    "constraint-missing-not-valid": (
        "It makes a constraint and looks at every row under a lock, of the table that is referred to as well.",
        "Make it NOT VALID, and validate it in the next migration: that blocks nobody.",
    ),
    "disallowed-unique-constraint": (
        "It makes a unique constraint, and its index under a lock. " + _LOCKED,
        "Make a unique index CONCURRENTLY, then the constraint by USING INDEX.",
    ),
    "adding-not-nullable-field": (
        "It sets NOT NULL, for which every row is looked at under a lock. " + _LOCKED,
        "Add a CHECK (… IS NOT NULL) NOT VALID, validate it in the next migration, then set NOT NULL.",
    ),
    "adding-required-field": (
        "It adds a column that must have a value, without a default: it fails if the table has a row.",
        "Add it with a default, or fill it before it becomes NOT NULL.",
    ),
    "changing-column-type": (
        "It changes the type of a column, for which the table may be written anew. " + _LOCKED,
        "Add a column of the new type, fill it, let the code use it, and drop the old one in a later release.",
    ),
    "ban-drop-column": (
        "It drops a column: its values are gone, and the code that still runs fails until the deploy is over.",
        "Drop it in the release after the one whose code no longer uses it.",
    ),
    "ban-drop-table": (
        "It drops a table: its rows are gone, and the code that still runs fails until the deploy is over.",
        "Drop it in the release after the one whose code no longer uses it.",
    ),
    "renaming-column": (
        "It renames a column: the code that still runs fails until the deploy is over.",
        "Keep the name in the database, and map it in the schema file (@map).",
    ),
    "renaming-table": (
        "It renames a table: the code that still runs fails until the deploy is over.",
        "Keep the name in the database, and map it in the schema file (@@map).",
    ),
}
_COMMENT = re.compile(r"--[^\n]*")
_TABLE = re.compile(
    r"\b(?:TABLE|ON)\s+(?:(?:ONLY|IF\s+EXISTS)\s+)*(?:\"?\w+\"?\.)?(?:\"(?P<quoted>[^\"]+)\"|(?P<plain>\w+))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Remark:
    """One remark.

    Attributes:
        migration: the name of the migration.
        line: in its file, from 1.
        rule: a key of ``RULES``.
    """

    migration: str
    line: int
    rule: str


def understand(told: str, scripts: Mapping[str, tuple[str, str]], tables: Collection[str]) -> tuple[Remark, ...]:
    """The remarks that matter in squawk's own report; a table that is not there yet is used by nobody.

    Args:
        told: its JSON; lines are counted from 0 there.
        scripts: by the name of a file as squawk has seen it, the migration and its SQL.
        tables: those that the database has.

    Raises:
        ValueError: it is not such a report.
    """
    remarks = set()
    try:
        for each in json.loads(told):
            name, sql = scripts[each["file"]]
            if each["rule_name"] in RULES and _table(sql, int(each["line"])) in {None, *tables}:
                remarks.add(Remark(name, int(each["line"]) + 1, each["rule_name"]))
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError(type(error).__name__) from None
    return tuple(sorted(remarks, key=lambda remark: (remark.migration, remark.line, remark.rule)))


def _table(sql: str, line: int) -> str | None:
    """The table that the statement on a line is about, if that can be told."""
    lines = [_COMMENT.sub("", each) for each in sql.split("\n")[: line + 1]]
    before, last = "\n".join(lines[:-1]), lines[-1]
    statement = before.rpartition(";")[2] + "\n" + last
    if (found := _TABLE.search(statement)) is None:
        return None
    return found["quoted"] or found["plain"].lower()
