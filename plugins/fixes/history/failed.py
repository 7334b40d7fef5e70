"""Fixes for migrations that have failed, crashed or are running."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from health.api.routes import Routes
from health.catalog.catalog import Catalog, path_of
from health.config.environment import Environment
from health.finding import DECISION, Finding, Fix, NoFix
from health.history.effects import MigrationEffect
from health.history.history import WORKER_LIMIT_S, History
from health.history.rows import Row
from health.parts import Part
from health.sanitize import one_line, plain, printable
from health.secrets.secret import hide
from health.sql.statements import runs_read_only
from health.words import plural
from plugins.fixes import commands as shell
from plugins.fixes import fixes
from plugins.fixes.history.prisma_resolve import resolve

_EXTRA_COLUMNS = (
    "No DELETE is offered: the table has columns that Prisma does not make, which an undo could not restore."
)
NOT_PRINTED = "A statement that is missing holds control characters: run it by hand, then run again."
_CUT = "No DELETE is offered: its logs are longer than what is read of them, and the undo of a DELETE has to hold all."
_UNGUARDED = (
    "A statement that is missing (such as REINDEX or VACUUM) runs in a session that is read only, too: no guard would "
    "hold it back. Run what is missing by hand while no migration runs, then run again."
)
_HIDDEN = "No DELETE is offered: its logs hold a secret, which the undo of a DELETE would have to show."


@fixes("failed-migration", "crashed-migration", "half-applied-migration", "failed-and-applied")
def failed_migration(
    finding: Finding,
    history: History,
    environment: Environment,
    migration_effects: dict[str, MigrationEffect],
    catalog: Catalog,
    *,
    api_routes: Routes | None,
) -> Iterator[Fix | NoFix]:
    """By what the objects say: mark the rows as rolled back, or record the migration as applied, or complete it first.

    `prisma migrate resolve` and its API call stand beside; the guide's DELETE (A) and INSERT (B) are fallbacks.
    Nothing is offered while the migration may still be running.
    """
    rows = rows_of(history, finding)
    name = rows[-1].migration_name
    of_worker = "the worker's " if Part.FUNCTIONS in environment.parts else ""
    if any(history.may_be_running(row) for row in rows):
        yield _wait(
            WORKER_LIMIT_S - min(map(history.age_s, rows)),
            f"The row is younger than {of_worker}{WORKER_LIMIT_S} s and holds no error, so it may be a migration at "
            "work.",
        )
        return
    effect = migration_effects[name]
    if finding.code == "failed-and-applied":
        yield from _rolled_back(
            history, environment, api_routes, rows, "The applied row stays in force: nothing runs again."
        )
    elif name not in history.directory.names:
        yield from _rolled_back(
            history, environment, api_routes, rows, "No deploy runs it again, as the directory has lost it."
        )
    elif effect.unseen:
        yield from _unseen(history, rows, effect)
    elif effect.extent == "nothing":
        yield from _midway(environment, effect)
        note = "The next deploy applies the migration again: nothing that its script makes is in the database."
        yield from _rolled_back(history, environment, api_routes, rows, note)
        if effect.again is None:
            yield shell.deployment(environment)
        else:
            yield NoFix("Mend its script before the next deploy, which fails at the same place otherwise.")
    elif effect.extent in ("all", "part"):
        build = record_applied if effect.extent == "all" else complete
        built = list(build(history, environment, catalog, name, effect, routes=api_routes))
        yield from built
        if history.pending and any(isinstance(each, Fix) and not each.fallback for each in built):
            yield shell.deployment(environment)
    else:
        yield from _undecided(history, rows, effect)


@fixes("migration-running")
def migration_running(finding: Finding, history: History, environment: Environment) -> Iterator[Fix | NoFix]:
    """Wait. Past the worker's 900 s, end the session by its pid and start, as a command of last resort."""
    holder = history.recorded.lock_holder
    who = "worker" if Part.FUNCTIONS in environment.parts else "deploy"
    if holder is None or holder.backend_start is None or history.running_s < WORKER_LIMIT_S:
        yield _wait(
            WORKER_LIMIT_S - history.running_s,
            f"A {who} may take {WORKER_LIMIT_S} s, and the migration may be about to commit.",
        )
        return
    from plugins.fixes.sql import fill, literal

    end = fill(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
        " WHERE pid OPERATOR(pg_catalog.=) {pid} AND backend_start OPERATOR(pg_catalog.=) {started}",
        pid=literal(holder.pid),
        started=literal(holder.backend_start),
    ).as_string(None)
    over = f", {shell.way(environment)}" if Part.TUNNEL in environment.parts else ""
    yield _wait(60, "The server may be about to commit, and then nothing is to be mended.")
    yield Fix(
        "command",
        f"Only if it does not end by itself: end the session that holds the lock{over}",
        shell.psql(environment, "-c", end),
        fallback=True,
        note="What it has done so far is rolled back, and its row stays without an end: run again and mend that. "
        "The session is named by its pid and start, so that no other one is ended. There is no undo.",
    )


def _wait(seconds: float, why: str) -> Fix:
    """The whole plan while a migration may be at work: what it leaves is judged when it has ended."""
    minutes = max(1, math.ceil(seconds / 60))
    return Fix(
        "wait",
        f"Wait {minutes} min, then run again",
        "",
        note=f"{why} What else there is to do is told then; there is nothing to undo.",
        rank=DECISION,
    )


def record_applied(
    history: History,
    environment: Environment,
    catalog: Catalog,
    name: str,
    effect: MigrationEffect,
    *,
    routes: Routes | None,
) -> Iterator[Fix | NoFix]:
    """Record a migration as applied whose objects are all there."""
    from plugins.fixes.history.row_sql import RowSql, objects_there

    rows = history.failed_by_name.get(name, [])
    checksum = history.directory.by_name[name].checksum or ""
    sql, guard = RowSql(history, rows, name), objects_there(catalog, effect.done)
    note = "No deploy runs it again."
    if effect.repair.traceless:
        note += " Some of its statements change data only: look whether they ran, as the catalog does not tell."
    yield Fix(
        "sql",
        "Record the migration as applied: all of its objects are in the database",
        sql.apply(checksum, guard=guard),
        undo=sql.undo_apply(checksum),
        note=note,
    )
    yield from resolve(history, environment, routes, name, "applied")
    yield Fix(
        "sql",
        "Record it with the checksum manual",
        sql.apply("manual", steps=1, guard=guard),
        option="B",
        fallback=True,
        undo=sql.undo_apply("manual", steps=1),
        note="Deploys accept it too, but the migration counts as edited for ever, and migrate dev asks for a reset.",
    )


def complete(
    history: History,
    environment: Environment,
    catalog: Catalog,
    name: str,
    effect: MigrationEffect,
    *,
    routes: Routes | None,
) -> Iterator[Fix | NoFix]:
    """Run the statements that have not taken effect, and record the migration as applied."""
    from plugins.fixes.history.row_sql import MISSING, RowSql, objects_there
    from plugins.fixes.sql import present

    repair = effect.repair
    if not repair.statements:
        yield NoFix(
            f"A part of it is in the database, and {repair.reason}. Compare the objects with the script by hand, "
            "complete or remove them, then run again: neither rolled back nor applied is right as it stands."
        )
        return
    if not printed(repair.statements):
        yield NoFix(NOT_PRINTED)
        return
    if not repair.atomic and any(map(runs_read_only, repair.statements)):
        yield NoFix(_UNGUARDED)
        return
    sql = RowSql(history, history.failed_by_name.get(name, []), name)
    checksum = history.directory.by_name[name].checksum or ""
    count = len(repair.statements)
    counted = f"{count} statements that are" if count > 1 else "statement that is"
    if repair.atomic:
        yield Fix(
            "sql",
            f"Run the {counted} missing, and record the migration as applied",
            sql.apply(checksum, guard=objects_there(catalog, effect.done), first=repair.statements),
            note="All or nothing, in one transaction. There is no undo for what they make or drop.",
        )
        return
    for number, statement in enumerate(repair.statements, 1):
        yield Fix(
            "sql",
            f"Run number {number} of the {counted} missing, by itself",
            sql.step(statement),
            note="PostgreSQL does not run these together in one transaction: run them one by one, by psql -f. Not in a "
            "client that connects again by itself, nor through a pooler in transaction mode: another session knows "
            "nothing of a refusal. Where one stops at an error, end the session. There is no undo: what the "
            "statement drops or changes is not kept.",
        )
    made = [key for key in effect.done if key in catalog.objects]
    made += [key for key in effect.missing if key not in catalog.objects]
    yield Fix(
        "sql",
        "Then record the migration as applied",
        sql.apply(checksum, guard=present(catalog.schema, made, MISSING)),
        undo=sql.undo_apply(checksum),
        note="It refuses while an object of the migration is missing.",
    )


def printed(statements: Sequence[str]) -> bool:
    """Whether statements can be shown, and copied, as they are."""
    return all(printable(statement) == statement for statement in statements)


def _rolled_back(
    history: History, environment: Environment, routes: Routes | None, rows: Sequence[Row], note: str
) -> Iterator[Fix | NoFix]:
    yield roll_back(history, rows, note)
    yield from resolve(history, environment, routes, rows[0].migration_name, "rolled-back")
    yield from deleted(
        history, rows, "The deploy does the same as after the first fix, but the trace of it is lost.", "A"
    )


def roll_back(history: History, rows: Sequence[Row], note: str = "") -> Fix:
    """Mark failed rows as rolled back, so that the next deploy applies their migration again."""
    from plugins.fixes.history.row_sql import RowSql

    sql = RowSql(history, rows)
    title = f"Mark the failed {plural(len(rows), 'row')} as rolled back"
    return Fix("sql", title, sql.roll_back(), undo=sql.undo_roll_back(), note=note)


def deleted(
    history: History, rows: Sequence[Row], note: str, option: Literal["A"] | None = None, rank: int = 10
) -> Iterator[Fix | NoFix]:
    """DELETE by id as the fallback that it is, or why its undo could not be shown."""
    from plugins.fixes.history.row_sql import RowSql

    if history.recorded.extra_columns:
        yield NoFix(_EXTRA_COLUMNS)
        return
    if any(row.cut_from for row in rows):
        yield NoFix(_CUT)
        return
    if any(hide(row.logs) != row.logs for row in rows if row.logs):
        yield NoFix(_HIDDEN)
        return
    sql = RowSql(history, rows)
    title = f"Delete the {plural(len(rows), 'row')}, by id"
    yield Fix("sql", title, sql.delete(), option=option, fallback=True, undo=sql.insert_again(), note=note, rank=rank)


def _midway(environment: Environment, effect: MigrationEffect) -> Iterator[Fix | NoFix]:
    """Drop the invalid indexes that it has left: its script passes over them (IF NOT EXISTS), or fails on them."""
    from psycopg.sql import Identifier

    from plugins.fixes.sql import fill, literal, refuse_unless, transaction

    paths = [path_of(name, environment.schema) for _, _, name in effect.midway]
    if not plain(*(part for path in paths for part in path)):
        yield NoFix(NOT_PRINTED)
        return
    for path in paths:
        index = Identifier(*path)
        invalid = fill(
            "EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indexrelid = to_regclass({text})\n"
            "    AND NOT i.indisvalid AND obj_description(i.indexrelid, 'pg_class') IS NULL)",
            text=literal(index.as_string(None)),
        )
        yield Fix(
            "sql",
            "Drop the index that was left invalid",
            transaction(
                [
                    refuse_unless(invalid, "The index is not there, or it is valid, or it has a comment."),
                    fill("  DROP INDEX {index};", index=index),
                ]
            ),
            note="PostgreSQL does not use it. There is no undo, and none is needed: its migration makes it again.",
            rank=9,
        )


def _unseen(history: History, rows: Sequence[Row], effect: MigrationEffect) -> Iterator[Fix | NoFix]:
    """Statements that only change rows may have run: what is right hangs on them, and a person has to look."""
    statements = "; ".join(one_line(each.rstrip(";"), 120) for each in effect.unseen)
    yield NoFix(
        f"It cannot be told whether these ran, as they leave no trace in the schema: {statements}. Look at the rows "
        "that they change. If none of them ran, the deploy may run the script again; if they did, it would run them "
        "twice: then run by hand what is missing behind them, and record the migration as applied."
    )
    hangs = "whether the statements that leave no trace have run"
    if effect.extent == "nothing":
        yield _if_nothing(history, rows, "none of them ran", "The next deploy runs the whole script again.", hangs)
    elif effect.extent == "all":
        yield from _if_all(history, rows, "all of them ran", "No deploy runs it again.", hangs)


def _undecided(history: History, rows: Sequence[Row], effect: MigrationEffect) -> Iterator[Fix | NoFix]:
    yield NoFix(
        f"What its script did cannot be told: {effect.reason}. Compare the objects that it makes with the database. If "
        "none is there, mark it as rolled back; if all are, record it as applied."
    )
    note = "The next deploy runs the whole script again, and fails on what exists already."
    yield _if_nothing(history, rows, "nothing of it took effect", note)
    note = "Where something is missing after all, every later deploy succeeds on a broken schema."
    yield from _if_all(history, rows, "all of it took effect", note)


def _if_nothing(history: History, rows: Sequence[Row], condition: str, note: str, hangs: str = "") -> Fix:
    """What is right where nothing of a script ran, which a person is to find out."""
    from plugins.fixes.history.row_sql import RowSql

    sql, title = RowSql(history, rows), f"If {condition}: mark it as rolled back"
    return Fix("sql", title, sql.roll_back(), fallback=True, undo=sql.undo_roll_back(), note=note, rows=hangs)


def _if_all(history: History, rows: Sequence[Row], condition: str, note: str, hangs: str = "") -> Iterator[Fix]:
    """What is right where all of a script ran, which a person is to find out; nothing where its file is gone."""
    from plugins.fixes.history.row_sql import RowSql

    checksum = history.directory.by_name[rows[0].migration_name].checksum
    if checksum is not None:
        sql, title = RowSql(history, rows), f"If {condition}: record it as applied"
        yield Fix(
            "sql", title, sql.apply(checksum), fallback=True, undo=sql.undo_apply(checksum), note=note, rows=hangs
        )


def rows_of(history: History, finding: Finding) -> list[Row]:
    """The rows that a finding names."""
    return [history.by_id[each] for each in finding.evidence["ids"]]  # type: ignore[union-attr]
