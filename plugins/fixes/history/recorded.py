"""Fixes for rows that are in force, and for migrations that are pending."""

from __future__ import annotations

import re
from collections.abc import Iterator

from health.api.routes import Routes
from health.catalog.catalog import Catalog
from health.catalog.changes import Replay
from health.config.environment import Environment
from health.finding import Finding, Fix, NoFix
from health.history.effects import EffectReader, MigrationEffect
from health.history.history import History, matches
from health.history.provenance import Provenance, Version, applied_version
from health.history.renamed import renamed
from health.history.rows import Row
from health.words import plural
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix
from plugins.fixes.history.failed import NOT_PRINTED, complete, deleted, printed, record_applied, rows_of

no_fix(
    {
        "impossible-row-times": (
            "None: the times decide nothing but the order in which rows are read. Find out who wrote the row.",
            "The times only decide which row of a name Prisma reads first. Find out who wrote the row, and how, "
            "before anything else is trusted that it says.",
        ),
        "squashed-rows": (
            "None is needed: the rows are the trace of what was squashed.",
            "Nothing is to be done: deploys pass over rows of migrations that the directory does not have.",
        ),
        "edited-after-failure": (
            "None is needed: only `migrate dev` minds, and Prisma from 7.9 on does not.",
            "Nothing is to be done: deploys pass over it, and Prisma from 7.9 on does too.",
        ),
    }
)


@fixes("orphaned-migration")
def orphaned_migration(
    finding: Finding, history: History, environment: Environment, provenance: Provenance
) -> Iterator[Fix | NoFix]:
    """Rename the row of a migration that was renamed; else restore the directory.

    DELETE of the row by its id is the fallback, and loses what may be the only witness.

    One that is harmless is accepted by a waiver. `prisma migrate resolve` does not take orphans (P3017).
    """
    row = _row(history, finding)
    now = renamed(history).get(row.id)
    if now is not None:
        yield from _rename(history, row, now.name)
        return
    versions = provenance.versions.get(row.migration_name, ())
    stored = applied_version(versions, row.checksum) or next(iter(versions), None)
    if stored is not None:
        yield _restore(environment, stored)
    else:
        path = "*/" + re.sub(r"([*?[\\])", r"\\\1", row.migration_name) + "/migration.sql"
        yield Fix(
            "command",
            "Find the commit that had the directory, and restore it from there",
            f"git -C {shell.quote(str(environment.app))} log --all --oneline -- {shell.quote(path)}",
            note="In node_modules it comes with the version of the package that held it. Nothing in the database "
            "changes, so there is nothing to undo. If it is known and harmless, accept it in waivers.toml.",
            rank=90,
        )
    yield from deleted(
        history,
        [row],
        "WARNING: the row may be the only witness of tables that exist. A later migration that creates them "
        "fails then (42P07), and nothing tells why. An orphan blocks no deploy of Prisma's.",
        rank=90,
    )


def _rename(history: History, row: Row, name: str) -> Iterator[Fix | NoFix]:
    """Give the row the name that the directory has; or a person gives the directory its old name back."""
    from plugins.fixes.history.row_sql import RowSql

    if not (printed([row.migration_name]) and printed([name])):
        yield NoFix(f"{NOT_PRINTED} Rename the directory back by hand.")
        return
    sql = RowSql(history, [row])
    yield Fix(
        "sql",
        "Give the row the name that the directory has",
        sql.rename(row.migration_name, name),
        undo=sql.rename(name, row.migration_name),
        note="Nothing runs. Where other environments record the old name, rename the directory back instead.",
    )


@fixes("pending-migration", "entity-data-column-pending", "rolled-back-unapplied", "out-of-order-migration")
def pending_migration(finding: Finding, environment: Environment) -> Iterator[Fix]:
    """Deploy."""
    yield shell.deployment(environment)


@fixes("pending-objects-exist", "squash-not-recorded")
def pending_objects_exist(
    finding: Finding,
    history: History,
    environment: Environment,
    migration_effects: dict[str, MigrationEffect],
    catalog: Catalog,
    *,
    api_routes: Routes | None,
) -> Iterator[Fix | NoFix]:
    """Complete the migration where a part of it is missing, and record it as applied; of a squash nothing is."""
    name = next(migration.name for migration in history.pending if finding.evidence["name"] == migration.name)
    effect = migration_effects[name]
    build = record_applied if effect.extent == "all" else complete
    yield from build(history, environment, catalog, name, effect, routes=api_routes)


@fixes("phantom-row")
def phantom_row(finding: Finding, history: History, environment: Environment) -> Iterator[Fix | NoFix]:
    """Mark the row as rolled back, then deploy. `prisma migrate resolve` refuses the first (P3012)."""
    from plugins.fixes.history.row_sql import RowSql

    rows = rows_of(history, finding)
    sql = RowSql(history, rows)
    yield Fix(
        "sql",
        f"Mark the {plural(len(rows), 'row')} as rolled back",
        sql.roll_back(),
        undo=sql.undo_roll_back(),
        note="The next deploy applies the migration. Prisma's own command refuses this (P3012), as the row has an end.",
    )
    yield from deleted(history, rows, "The deploy does the same, but the trace of the row is lost.")
    yield shell.deployment(environment)


@fixes("duplicated-row")
def duplicated_row(finding: Finding, history: History, replay: Replay, catalog: Catalog) -> Iterator[Fix | NoFix]:
    """Mark all rows but one as rolled back: the one that stays has the checksum of the file, or is the first."""
    from plugins.fixes.history.row_sql import RowSql

    rows = rows_of(history, finding)
    name = rows[0].migration_name
    if name in history.directory.names and EffectReader(history, replay, catalog).of(name).extent == "nothing":
        yield NoFix("Nothing of the migration is in the database: what mends the phantom rows mends this.")
        return
    kept = _kept(history, name)
    surplus = [row for row in rows if row is not kept]
    sql = RowSql(history, surplus)
    yield Fix(
        "sql",
        f"Mark the surplus {plural(len(surplus), 'row')} as rolled back",
        sql.roll_back(),
        undo=sql.undo_roll_back(),
        note="The migration stays applied by the row that is left.",
    )
    yield from deleted(history, surplus, "The same for a deploy, but the trace of the row is lost.")


@fixes("hand-written-row")
def hand_written_row(
    finding: Finding, history: History, migration_effects: dict[str, MigrationEffect], replay: Replay, catalog: Catalog
) -> Iterator[Fix | NoFix]:
    """Record the checksum of the file, after what is missing of the migration has been run."""
    row = _row(history, finding)
    if row.migration_name not in history.directory.names:
        yield NoFix("The directory does not hold the migration, so its checksum is not known: mend the orphan first.")
    elif row.failed:
        yield NoFix("The row has failed: mend that first.")
    elif row is not _kept(history, row.migration_name):
        yield NoFix("Another row records the migration too: what mends the duplicated rows takes this one back.")
    else:
        name = row.migration_name
        effect = migration_effects.get(name) or EffectReader(history, replay, catalog).of(name)
        yield from _file_checksum(history, row, effect)


@fixes("edited-migration", "comment-edited-migration")
def edited_migration(
    finding: Finding,
    history: History,
    environment: Environment,
    provenance: Provenance,
    migration_effects: dict[str, MigrationEffect],
) -> Iterator[Fix | NoFix]:
    """Restore the text that was applied; or run what the edit added, and record the file's checksum.

    A difference that is known and wanted is accepted by `accepted_checksums` in the registry.
    """
    row = _row(history, finding)
    # The engine compares the file with the first row of the name, up to 7.8 also with one that is rolled back.
    in_force = next(iter(history.applied.get(row.migration_name, ())), None)
    if in_force is None:
        yield NoFix("It is rolled back and not applied since: the next deploy runs the file as it is now.")
        return
    stored = applied_version(provenance.versions.get(row.migration_name, ()), in_force.checksum)
    restore = stored is not None and finding.code == "edited-migration"
    if stored is not None and restore:
        yield _restore(environment, stored)
    yield from _file_checksum(history, in_force, migration_effects[row.migration_name], fallback=restore)
    yield NoFix(
        "To accept the difference, add its checksum to the registry: "
        f'accepted_checksums."{row.migration_name}" = ["{row.checksum}"]'
        if row.migration_name.isascii() and row.migration_name.replace("_", "").replace("-", "").isalnum()
        else "To accept the difference, add its checksum to accepted_checksums in the registry."
    )


def _file_checksum(
    history: History, row: Row, effect: MigrationEffect, *, fallback: bool = False
) -> Iterator[Fix | NoFix]:
    from plugins.fixes.history.row_sql import RowSql

    after = history.directory.by_name[row.migration_name].checksum
    missing = effect.repair.statements if effect.repair.atomic else ()
    if after is None or not (effect.extent == "all" or (effect.extent == "part" and missing)):
        reason = effect.reason or effect.repair.reason or "what its file makes is not all in the database"
        yield NoFix(f"The row does not get the file's checksum, as {reason}.")
        return
    sql = RowSql(history, [row])
    if not printed(missing):
        yield NoFix(NOT_PRINTED)
        return
    if missing:
        yield Fix(
            "sql",
            "Run what the file makes and the database lacks, and record the file's checksum",
            sql.set_checksum(row.checksum, after, first=missing),
            fallback=fallback,
            note="This database is then as new ones are. There is no undo: what the statements drop is not kept.",
            rank=90,
        )
        return
    yield Fix(
        "sql",
        "Record the checksum of the file, whose objects are all in the database",
        sql.set_checksum(row.checksum, after),
        fallback=fallback,
        undo=sql.set_checksum(after, row.checksum),
        note="Deploys never look at it; status and migrate dev are content afterwards.",
        rank=90,
    )


def _kept(history: History, name: str) -> Row:
    """Of the rows that record a migration as applied, the one with the checksum of the file; else the first."""
    rows, migration = history.applied[name], history.directory.by_name.get(name)
    if migration is None or migration.sql is None:
        return rows[0]
    return next((row for row in rows if matches(migration, row)), rows[0])


def _restore(environment: Environment, version: Version) -> Fix:
    app, path = shell.quote(str(environment.app)), shell.quote(version.path)
    return Fix(
        "command",
        "Restore the file as it was applied",
        f'(cd "$(git -C {app} rev-parse --show-toplevel)" && {{ [ ! -e {path} ] || '
        f'git cat-file -e "$(git hash-object -- {path})"; }} && '
        f"git --literal-pathspecs checkout {shell.quote(version.commit)} -- {path})",
        note="Only the checkout changes, and only where git holds what the file is now: that is the way back.",
        rank=90,
    )


def _row(history: History, finding: Finding) -> Row:
    return history.by_id[str(finding.evidence["id"])]
