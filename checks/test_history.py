"""The migration history: the table ``_prisma_migrations`` against the migrations directory."""

from collections.abc import Iterator

from health.check import DEPLOY_MENDS, check
from health.finding import Finding
from health.history import History, Row
from health.text import one_line


@check(finds={"failed-migration": "error"})
def test_no_failed_migration(history: History) -> Iterator[Finding]:
    """No migration has failed: every row has an end or a rollback.

    Prisma takes a row with neither (`finished_at` and `rolled_back_at` both NULL) as failed and stops every
    deploy there (P3009), also when the directory no longer holds the migration and when another row of the
    same name is applied. `applied_steps_count` and `logs` decide nothing.

    Mend it by marking the row as rolled back, once what the script left behind is known; the next deploy
    applies the migration again.
    """
    for row in history.failed:
        message = f"Started {row.started_at:%Y-%m-%d %H:%M:%S} UTC and has neither ended nor been rolled back"
        if history.may_be_running(row):
            message += f", {_age(history, row)} ago: it may still be running."
        else:
            message += ": every deploy stops here (P3009)."
        if row.migration_name not in history.directory.names:
            message += " The directory does not hold this migration."
        if row.logs:
            message += f" It said: {one_line(row.logs, 200)}"
        yield Finding(
            "failed-migration",
            one_line(row.migration_name),
            message,
            {"id": row.id, "started_at": row.started_at.isoformat(), "steps": row.applied_steps_count},
        )


@check(finds={"orphaned-migration": "error"})
def test_no_orphaned_migration(history: History) -> Iterator[Finding]:
    """Every applied migration is in the migrations directory.

    A row without its directory says that the database has seen code that this checkout does not have:
    another branch, a rolled-back release, or a directory that was deleted or renamed. Prisma's deploy and
    status pass over it in silence, and a later migration may create the same tables again.

    Mend it by restoring the directory. The row may be the only witness of tables that exist.
    """
    for row in history.orphaned:
        yield Finding(
            "orphaned-migration",
            one_line(row.migration_name),
            f"Applied {row.started_at:%Y-%m-%d %H:%M} UTC, but {history.directory.path} does not hold it.",
            {"id": row.id, "checksum": row.checksum},
        )


@check(finds={"pending-migration": DEPLOY_MENDS})
def test_no_pending_migration(history: History) -> Iterator[Finding]:
    """Every migration of the directory is applied.

    Pending is what a deploy would apply: no row of the name is in force. A rolled-back migration is pending
    too, although the status command of Prisma up to 7.8 hides it. Before a deploy this is information,
    after it an error, at night a warning.

    Mend it by deploying.
    """
    for number, migration in enumerate(history.pending, 1):
        yield Finding(
            "pending-migration",
            one_line(migration.name),
            f"Not applied yet; a deploy would apply it as number {number} of {len(history.pending)}.",
        )


def _age(history: History, row: Row) -> str:
    seconds = max(0, round(history.age_s(row)))
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"  # noqa: PLR2004 - a minute
