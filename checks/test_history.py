"""The rows of ``_prisma_migrations`` against the migrations directory."""

from collections.abc import Iterator, Sequence

from health.catalog.catalog import describe, describe_some
from health.check import DEPLOY_MENDS, SeverityByPhase, check
from health.finding import Finding
from health.history.effects import MigrationEffect
from health.history.history import History
from health.history.provenance import Origins
from health.history.rows import Row
from health.migrations.directory import file_problem
from health.sanitize import one_line
from health.secrets.secret import hide


@check(
    finds={
        "failed-migration": "error",
        "crashed-migration": "error",
        "half-applied-migration": "error",
        "failed-and-applied": "error",
    }
)
def test_no_failed_migration(history: History, evidence: dict[str, MigrationEffect]) -> Iterator[Finding]:
    """No migration has failed: every row has an end or a rollback.

    Prisma takes a row with neither (`finished_at` and `rolled_back_at` both NULL) as failed and stops every
    deploy there (P3009), also when the directory no longer holds the migration, and when another row of the
    same name is applied. `applied_steps_count` and `logs` decide nothing. A row without `logs` is what a killed
    worker leaves: its script may have been committed in full.

    Mend it by what the objects in the database say: nothing of the script there, mark the row as rolled back;
    all of it, record it as applied; a part, complete it first. A row alone never tells which.
    """
    for name, rows in history.failed_by_name.items():
        told = evidence.get(name, MigrationEffect("unknown", reason="it was not looked for"))
        if name in history.applied:
            code = "failed-and-applied"
        elif told.extent == "part":
            code = "half-applied-migration"
        else:
            code = "failed-migration" if any(row.logs for row in rows) else "crashed-migration"
        yield Finding(
            code,
            one_line(name),
            " ".join(_about_failed(history, name, rows, told)),
            {
                "ids": tuple(row.id for row in rows),
                "started_at": rows[-1].started_at.isoformat(),
                "took_effect": told.extent,
                "missing": tuple(map(describe, told.missing)),
            },
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
    names = ", ".join(one_line(name) for name in history.running_by_name)
    yield Finding(
        "migration-running",
        names or "advisory lock 72707369",
        f"The migration lock is held by {one_line(str(holder))}. "
        + (f"The row of {names} has no end yet. " if names else "No row without an end goes with it. ")
        + "A deploy gives up after 10 s (P1002).",
        {"pid": holder.pid, "held_s": round(holder.held_s), "running_s": round(history.running_s)},
    )


@check(finds={"orphaned-migration": "error"})
def test_no_orphaned_migration(history: History, origins: Origins) -> Iterator[Finding]:
    """Every applied migration is in the migrations directory.

    A row without its directory says that the database has seen code that this checkout does not have:
    another branch, a rolled-back release, or a directory that was deleted or renamed. Prisma's deploy and
    status pass over it in silence, and a later migration may create the same tables again.

    Mend it by restoring the directory. The row may be the only witness of tables that exist. One that is known
    and harmless is accepted by a waiver.
    """
    for row in history.orphaned:
        yield Finding(
            "orphaned-migration",
            one_line(row.migration_name),
            f"Applied {row.started_at:%Y-%m-%d %H:%M} UTC, but {history.directory.path} does not hold it."
            + origins.sentence(row),
            {"id": row.id, "checksum": row.checksum, "migration": one_line(row.migration_name)},
        )


@check(
    finds={
        "pending-migration": DEPLOY_MENDS,
        "rolled-back-unapplied": DEPLOY_MENDS,
        "out-of-order-migration": SeverityByPhase(before="warning", after="error", nightly="warning"),
        "pending-objects-exist": "error",
    }
)
def test_no_pending_migration(history: History, evidence: dict[str, MigrationEffect]) -> Iterator[Finding]:
    """Every migration of the directory is applied.

    Pending is what a deploy would apply: no row of the name is in force. A rolled-back migration is pending
    too, although the status command of Prisma up to 7.8 hides it. One that sorts before an applied migration is
    applied late, on tables that later ones have changed. Where objects of a pending migration exist already and
    its script does not bear that, the deploy fails there (P3018).

    Mend it by deploying. Before a deploy this is information; afterwards an error, at night a warning. Objects
    that exist already are completed or recorded first.
    """
    usable = [migration for migration in history.pending if file_problem(migration) is None]
    for number, migration in enumerate(usable, 1):
        told = evidence.get(migration.name, MigrationEffect("nothing"))
        turn = f"a deploy would apply it as number {number} of {len(usable)}."
        applied_later = history.applied_after(migration.name)
        if told.extent in ("all", "part") and told.again is not None:
            code = "pending-objects-exist"
            message = f"Not recorded as applied, but {_objects(told)} A deploy would fail on it (P3018): {told.again}"
        elif migration.name in history.by_name:
            code = "rolled-back-unapplied"
            message = f"Rolled back and not applied since; {turn} Prisma's status up to 7.8 does not show it."
        elif applied_later:
            code = "out-of-order-migration"
            message = (
                f"Not applied yet, and it sorts before {one_line(applied_later)}, which is applied; {turn} Try it "
                "first where its tables are as in this environment."
            )
        else:
            code, message = "pending-migration", f"Not applied yet; {turn}"
        yield Finding(code, one_line(migration.name), message, {"name": migration.name})


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
                one_line(name),
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
                one_line(row.migration_name),
                f"Its checksum is {one_line(repr(row.checksum), 70)}, which no engine writes: it was made by hand.",
                {"id": row.id, "checksum": row.checksum},
            )
        if said := history.impossible_times(row):
            yield Finding("impossible-row-times", one_line(row.migration_name), said, {"id": row.id})


def _about_failed(history: History, name: str, rows: Sequence[Row], told: MigrationEffect) -> Iterator[str]:
    last = rows[-1]
    several = f"{len(rows)} rows of it have failed, the last one " if len(rows) > 1 else ""
    yield f"{several or ''}{'started' if several else 'Started'} {last.started_at:%Y-%m-%d %H:%M:%S} UTC and has"
    if history.may_be_running(last):
        yield f"neither ended nor been rolled back, {_age(history, last)} ago: it may still be running."
    else:
        yield "neither ended nor been rolled back: every deploy stops here (P3009)."
    if name in history.applied:
        yield "Another row of the same name is applied, which changes nothing for a deploy."
    if name not in history.directory.names:
        yield "The directory does not hold this migration."
    elif told.extent == "unknown":
        yield f"What its script did cannot be told: {one_line(told.reason, 200)}."
    else:
        yield {"nothing": "Nothing of its script took effect: ", "all": "All of it took effect: "}.get(
            told.extent, "It is half applied: "
        ) + _objects(told)
    if told.again is not None and name in history.directory.names and told.extent != "all":
        yield f"Its script as it stands fails: {one_line(told.again, 200)}."
    logs = next((row.logs for row in reversed(rows) if row.logs), None)
    if logs:
        yield f"It said: {one_line(hide(logs), 200)}"
    elif not history.may_be_running(last):
        yield "It left no error text: its worker was ended, or the lock is switched off."


def _objects(told: MigrationEffect) -> str:
    total = len(told.done) + len(told.missing) + len(told.differing)
    parts = [f"{len(told.done)} of its {total} objects {'is' if len(told.done) == 1 else 'are'} there"]
    if told.missing and told.done:
        parts.append(f"missing: {describe_some(told.missing)}")
    if told.differing:
        parts.append(f"different: {describe_some(told.differing)}")
    return "; ".join(parts) + "."


def _age(history: History, row: Row) -> str:
    seconds = max(0, round(history.age_s(row)))
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"  # noqa: PLR2004 - a minute
