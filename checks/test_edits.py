"""Applied migrations against their files: edited since, or recorded without having run."""

from collections.abc import Iterator

from health.catalog.catalog import Catalog, describe_some
from health.catalog.changes import Replay
from health.check import check
from health.config.environment import Environment
from health.finding import Finding
from health.history.edited import EditedMigration, edits
from health.history.effects import EffectReader
from health.history.history import History
from health.history.provenance import Origins
from health.sanitize import one_line


@check(finds={"edited-migration": "warning", "comment-edited-migration": "info", "edited-after-failure": "info"})
def test_no_edited_migration(history: History, origins: Origins, environment: Environment) -> Iterator[Finding]:
    """No applied migration was edited afterwards.

    Prisma keeps a checksum of every script and never looks at it in deploy and status: an edit of an applied file
    changes new databases and not this one, in silence. Only `migrate dev` objects, by asking for a reset. Up to
    Prisma 7.8 the checksum of a failed attempt that was rolled back counts too, for ever.

    Mend it by restoring the text that was applied, and put the change into a new migration. An edit that is known
    and wanted is accepted by its checksum: `accepted_checksums` in the registry. Comments alone do no harm.
    """
    messages = {
        "edited-migration": "Its SQL was changed after it had been applied: new databases get something else.",
        "comment-edited-migration": "Only comments in its file were changed after it had been applied.",
        "edited-after-failure": "Its file was changed after a failed attempt that was rolled back; Prisma up to "
        "7.8 compares with that and calls it edited for ever.",
    }
    for edit in edits(history, origins, environment.accepted_checksums):
        yield Finding(
            edit.code,
            one_line(edit.migration.name),
            messages[edit.code] + _known(edit),
            {"id": edit.row.id, "recorded": edit.row.checksum, "file": edit.migration.checksum},
        )


@check(finds={"phantom-row": "error"})
def test_no_phantom_row(history: History, catalog: Catalog, effects: Replay) -> Iterator[Finding]:
    """Every migration that is recorded as applied has left its objects in the database.

    A row can be written without its script: the guide's INSERT, or `resolve --applied` on a migration that never
    ran. Prisma trusts the row, and every later deploy succeeds on a broken schema. What a migration makes is
    learnt by running the directory on an empty database of our own; it is a phantom when none of it is here.

    Mend it by marking the row as rolled back: the next deploy then runs the script.
    """
    judge = EffectReader(history, effects, catalog)
    for migration in history.directory.migrations:
        if migration.name not in history.applied or migration.sql is None:
            continue
        told = judge(migration.name)
        if told.extent == "nothing":
            row = history.applied[migration.name][-1]
            yield Finding(
                "phantom-row",
                one_line(migration.name),
                f"Recorded as applied {row.started_at:%Y-%m-%d %H:%M} UTC, but nothing of it is in the database: "
                f"{describe_some(told.missing)}.",
                {"ids": tuple(each.id for each in history.applied[migration.name]), "migration": migration.name},
            )


def _known(edit: EditedMigration) -> str:
    if edit.original is None:
        return " What was applied is not at hand, so what differs cannot be shown."
    return f" What was applied is in {edit.original}."
