"""The rows of ``_prisma_migrations`` against the migrations directory."""

from collections.abc import Iterator, Sequence

from health.catalog.catalog import describe, describe_some
from health.check import check
from health.config.environment import Environment
from health.finding import Finding
from health.history.edited import EditedMigration, edits
from health.history.effects import NOT_LOOKED_FOR, FailedMigration, MigrationEffect, objects_in_words
from health.history.history import History
from health.history.provenance import Provenance
from health.history.renamed import Renamed, renamed
from health.history.rows import Row
from health.history.squash import Squash
from health.migrations.directory import place_in
from health.outcomes import judges
from health.sanitize import one_line, short
from health.secrets.secret import hide
from health.words import listed, plural

_FAILED_CODES = {
    "failed": "failed-migration",
    "crashed": "crashed-migration",
    "half applied": "half-applied-migration",
    "failed and applied": "failed-and-applied",
}


@check(
    finds={
        "failed-migration": "error",
        "crashed-migration": "error",
        "half-applied-migration": "error",
        "failed-and-applied": "error",
    }
)
def test_no_failed_migration(history: History, migration_effects: dict[str, MigrationEffect]) -> Iterator[Finding]:
    """No migration has failed: every row has an end or a rollback.

    Prisma takes a row with neither (`finished_at` and `rolled_back_at` both NULL) as failed and stops every
    deploy there (P3009), also when the directory no longer holds the migration, and when another row of the
    same name is applied. `applied_steps_count` and `logs` decide nothing. A row without `logs` is what a killed
    worker leaves: its script may have been committed in full.

    Mend it by what the objects in the database say: nothing of the script there, mark the row as rolled back;
    all of it, record it as applied; a part, complete it first. A row alone never tells which.
    """
    for name in history.failed_by_name:
        yield _failed(FailedMigration(history, name, migration_effects.get(name, NOT_LOOKED_FOR)))


@judges(FailedMigration, check="no-failed-migration")
def _failed(migration: FailedMigration) -> Finding:
    rows, effect = migration.history.failed_by_name[migration.name], migration.effect
    edited = migration.edited_since
    return Finding(
        _FAILED_CODES[migration.kind],
        migration.name,
        " ".join(_about_failed(migration.history, migration.name, rows, effect, edited=edited)),
        {
            "ids": tuple(row.id for row in rows),
            "started_at": rows[-1].started_at.isoformat(),
            "took_effect": effect.extent,
            "missing": tuple(map(describe, effect.missing)),
            "edited_since": edited,
        },
        place=place_in(migration.name) if migration.name in migration.history.directory.names else None,
    )


@check(finds={"migration-running": "error"})
def test_no_running_migration(history: History) -> Iterator[Finding]:
    """No migration is running now.

    Prisma's engine holds the advisory lock 72707369 while it migrates. A deploy that finds it held waits ten
    seconds and gives up (P1002). The session may be a worker that AWS has ended already: its statement runs on
    in the server, and may be about to commit.

    Mend it by waiting. Only past the worker's 900 s is ending the session by its pid worth a thought.
    """
    holder = history.recorded.lock_holder
    if holder is None:
        return
    names = ", ".join(history.running_by_name)
    yield Finding(
        "migration-running",
        names or "advisory lock 72707369",
        f"The migration lock is held by {holder}. "
        + (f"The row of {names} has no end yet. " if names else "No row without an end goes with it. ")
        + "A deploy gives up after 10 s (P1002).",
        {"pid": holder.pid, "held_s": round(holder.held_s), "running_s": round(history.running_s)},
    )


@check(
    finds={"orphaned-migration": "error", "squash-not-recorded": "error", "squashed-rows": "info"},
    explained_by={"orphaned-migration": ("layer-ahead",)},
)
def test_no_orphaned_migration(history: History, provenance: Provenance, squash: Squash | None) -> Iterator[Finding]:
    """Every applied migration is in the migrations directory.

    A row without its directory says that the database has seen code that this checkout does not have:
    another branch, a rolled-back release, or a directory that was deleted or renamed. Prisma's deploy and
    status pass over it in silence, and a later migration may create the same tables again. Migrations that were
    squashed into one file leave rows too: they are told in one line, where that file makes all that is there.

    Mend it by restoring the directory. The row may be the only witness of tables that exist. One that is known
    and harmless is accepted by a waiver.
    """
    if squash is not None:
        many = f"{len(squash.rows)} migrations that are recorded as applied and no longer in the directory"
        yield Finding(
            "squashed-rows" if squash.recorded else "squash-not-recorded",
            squash.name,
            f"It stands for {many}. Their rows are harmless."
            if squash.recorded
            else f"It makes exactly what is there, which {many} made, and it is not recorded: a deploy would run it.",
            {"name": squash.name, "rows": len(squash.rows)},
        )
        return
    known = renamed(history)
    for row in history.orphaned:
        now = known.get(row.id)
        yield Finding(
            "orphaned-migration",
            row.migration_name,
            f"Applied {row.started_at:%Y-%m-%d %H:%M} UTC, but {history.directory.path} does not hold it."
            + (provenance.sentence(row) if now is None else f" {_renamed(row, now)}"),
            {"id": row.id, "checksum": row.checksum, "migration": now.name if now else row.migration_name},
        )


@check(finds={"duplicated-row": "warning"})
def test_no_duplicated_row(history: History) -> Iterator[Finding]:
    """No migration is recorded as applied twice.

    The table has no unique key over names. Prisma passes over a second row in silence; it comes from a repair by
    hand, or from two deploys with the lock switched off, whose scripts may both have run.

    Mend it by taking back all but the row whose checksum is the file's.
    """
    for name, rows in history.applied.items():
        if len(rows) > 1:
            times = ", ".join(f"{row.started_at:%Y-%m-%d %H:%M} UTC" for row in rows)
            yield Finding(
                "duplicated-row",
                name,
                f"{len(rows)} rows record it as applied: {times}.",
                {"ids": tuple(row.id for row in rows)},
            )


@check(finds={"hand-written-row": "warning", "impossible-row-times": "warning"})
def test_no_hand_written_row(history: History) -> Iterator[Finding]:
    """Every row is one that Prisma's engine can have written.

    The engine writes a checksum of 64 hexadecimal digits and times in their order. A row such as the guide's
    INSERT with the checksum `manual` unblocks a deploy, but says nothing about what ran, counts as edited for
    ever, and makes `migrate dev` ask for a reset.

    Mend it by recording the file's own checksum, once the objects of the migration are seen in the database.
    """
    for row in history.recorded.rows:
        if row.in_force and not row.engine_made:
            yield Finding(
                "hand-written-row",
                row.migration_name,
                f"Its checksum is {short(repr(row.checksum), 70)}, which no engine writes: it was made by hand.",
                {"id": row.id, "checksum": row.checksum},
            )
        if said := history.impossible_times(row):
            yield Finding("impossible-row-times", row.migration_name, said, {"id": row.id})


_EDITED_SINCE = (
    "Its file was edited since that attempt, whose checksum is another one: the next deploy would run the file as it "
    "is now, and what follows compares the database with that one.",
)


def _about_failed(
    history: History, name: str, rows: Sequence[Row], told: MigrationEffect, *, edited: bool
) -> Iterator[str]:
    last = rows[-1]
    several = f"{len(rows)} rows of it have failed, the last one " if len(rows) > 1 else ""
    yield f"{several or ''}{'started' if several else 'Started'} {last.started_at:%Y-%m-%d %H:%M:%S} UTC and has"
    if history.may_be_running(last):
        yield f"neither ended nor been rolled back, {_age(history, last)} ago: it may still be running."
    else:
        yield "neither ended nor been rolled back: every deploy stops here (P3009)."
    if name in history.applied:
        yield "Another row of the same name is applied, which changes nothing for a deploy."
    yield from _EDITED_SINCE if edited else ()
    if name not in history.directory.names:
        yield "The directory does not hold this migration."
    elif told.extent == "unknown":
        yield f"What its script did cannot be told: {short(told.reason, 200)}."
    else:
        seen = " that can be seen" if told.unseen else ""
        yield {"nothing": f"Nothing of its script{seen} took effect: ", "all": f"All of it{seen} took effect: "}.get(
            told.extent, "It is half applied: "
        ) + objects_in_words(told)
    if told.midway:
        yield f"It has left {describe_some(told.midway)} invalid: making it was interrupted."
    if told.unseen:
        many = len(told.unseen)
        yield (
            f"{many} {plural(many, 'statement')} of it {'leaves' if many == 1 else 'leave'} no trace in the schema, "
            f"and may have run or not: {listed([one_line(each, 80) for each in told.unseen], 3)}."
        )
    if told.again is not None and name in history.directory.names and told.extent != "all":
        yield f"Its script as it stands fails: {short(told.again, 200)}."
    spoke = next((row for row in reversed(rows) if row.logs), None)
    if spoke is not None:
        cut = f" (the beginning of {spoke.cut_from:,} bytes)" if spoke.cut_from else ""
        yield f"It said{cut}: {short(hide(spoke.logs or ''), 200)}"
    elif not history.may_be_running(last):
        yield "It left no error text: what ran it was ended, or the lock is switched off."


def _renamed(row: Row, now: Renamed) -> str:
    if now.differs:
        return f'It holds "{now.name}", whose name differs from "{row.migration_name}" {now.differs}.'
    return f'It was renamed: the directory holds the same file as "{now.name}".'


def _age(history: History, row: Row) -> str:
    seconds = max(0, round(history.age_s(row)))
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"  # noqa: PLR2004 - a minute


_EDITED = {
    "edited": (
        "edited-migration",
        "Its SQL was changed after it had been applied: new databases get something else.",
    ),
    "comments edited": (
        "comment-edited-migration",
        "Only comments in its file were changed after it had been applied.",
    ),
    "edited after failure": (
        "edited-after-failure",
        "Its file was changed after a failed attempt that was rolled back; Prisma up to 7.8 compares with that and "
        "calls it edited for ever.",
    ),
}


@check(finds={"edited-migration": "warning", "comment-edited-migration": "info", "edited-after-failure": "info"})
def test_no_edited_migration(history: History, provenance: Provenance, environment: Environment) -> Iterator[Finding]:
    """No applied migration was edited afterwards.

    Prisma keeps a checksum of every script and never looks at it in deploy and status: an edit of an applied file
    changes new databases and not this one, in silence. Only `migrate dev` objects, by asking for a reset. Up to
    Prisma 7.8 the checksum of a failed attempt that was rolled back counts too, for ever.

    Mend it by restoring the text that was applied, and put the change into a new migration. An edit that is known
    and wanted is accepted by its checksum: `accepted_checksums` in the registry. Comments alone do no harm.
    """
    for edit in edits(history, provenance, environment.accepted_checksums):
        code, message = _EDITED[edit.kind]
        yield Finding(
            code,
            edit.migration.name,
            message + _known(edit),
            {"id": edit.row.id, "recorded": edit.row.checksum, "file": edit.migration.checksum},
            place=place_in(edit.migration.name),
        )


@check(finds={"phantom-row": "error"}, explained_by={"phantom-row": ("entity-data-column-missing",)})
def test_no_phantom_row(history: History, applied_effects: dict[str, MigrationEffect]) -> Iterator[Finding]:
    """Every migration that is recorded as applied has left its objects in the database.

    A row can be written without its script: the guide's INSERT, or `resolve --applied` on a migration that never
    ran. Prisma trusts the row, and every later deploy succeeds on a broken schema. What a migration makes is
    learnt by running the directory on an empty database of our own; it is a phantom when none of it is here.

    Mend it by marking the row as rolled back: the next deploy then runs the script.
    """
    for name, told in applied_effects.items():
        if told.extent == "nothing":
            row = history.applied[name][-1]
            yield Finding(
                "phantom-row",
                name,
                f"Recorded as applied {row.started_at:%Y-%m-%d %H:%M} UTC, but nothing of it took effect: "
                f"{_untouched(told)}.",
                {"ids": tuple(each.id for each in history.applied[name]), "migration": name},
            )


def _untouched(told: MigrationEffect) -> str:
    """What a migration should have made, and what it should have dropped."""
    made = [key for key in told.missing if key not in told.kept]
    dropped = f"{describe_some(told.kept)} not dropped" if told.kept else ""
    return "; ".join(filter(None, [describe_some(made), dropped]))


def _known(edit: EditedMigration) -> str:
    if edit.original is None:
        return " What was applied is not at hand, so what differs cannot be shown."
    return f" What was applied is in {edit.original}."
