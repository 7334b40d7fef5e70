"""What pending SQL would do to an application that is at work."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from health.check import check
from health.finding import Finding
from health.pending.squawk import RULES, Remark
from health.sanitize import one_line


@check(finds={"pending-sql-remark": "warning"})
def test_pending_sql_reviewed(review: tuple[Remark, ...]) -> Iterator[Finding]:
    """Nothing in a pending migration locks, rewrites or drops what the running application uses.

    A migration runs while the code of the last release still answers requests. On a large table an index, a
    constraint or another type of a column holds a lock for as long as it takes; what is dropped or renamed is
    missing to code that is still there. The remarks are squawk's, by ten of its rules; tables that the database
    does not have yet are used by nobody. Where squawk is not installed the check is skipped.

    Mend it by another form of the statement, as each remark says. On a small table nobody will notice: then a
    waiver says so.
    """
    for (migration, line), remarks in groupby(review, key=lambda remark: (remark.migration, remark.line)):
        rules = tuple(remark.rule for remark in remarks)
        yield Finding(
            "pending-sql-remark",
            one_line(f"{migration}/migration.sql:{line}"),
            f"Line {line}: " + " ".join(f"{RULES[rule][0]} ({rule})" for rule in rules),
            {"migration": one_line(migration), "line": line, "rules": rules},
        )
