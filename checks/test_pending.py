"""Pending migrations: what the next deploy would do, and what its SQL asks of rows and locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from checks.causes import FAILED, FORESEEN, NO_HISTORY, NOT_APPLIED, RUN
from health.catalog.catalog import describe_some
from health.check import DEPLOY_MENDS, SeverityByPhase, check
from health.finding import CouldNotCheck, Finding
from health.history.effects import MigrationEffect, objects_in_words
from health.history.history import History
from health.migrations.directory import file_problem, place_in
from health.pending.data_check import DataCheck, RequirementResult
from health.pending.data_requirements import NO_VALUE, DataRequirement, TableLock, UnforeseenRows
from health.pending.forecast import FailingStatement, Forecast, MigrationForecast
from health.pending.squawk import RULES, Remark
from health.sanitize import one_line
from health.words import listed, plural

_SHOWN = 3  # further conflicts that a message names
# What is found of a pending migration beside the finding that it is pending.
_BESIDE = (*FORESEEN, "pending-migration-unforeseen", *NOT_APPLIED, *FAILED, "pending-migration")
_SAID = {
    "25001": "PostgreSQL takes such a statement alone in its file only.",
    "55P04": "A new label of an enum cannot be used in the transaction that adds it, and a file is one.",
}
_VIOLATED = {
    "unique": "They are duplicates to {name}, which is to be unique.",
    "seed": "They have the same {name} as rows that it inserts.",
    "not null": "They have no value in {name}, which becomes NOT NULL.",
    "foreign key": "The rows that they lead to by {name} are not there.",
    "referenced": "They are to be deleted, and other rows lead to them by {name}.",
    "check": "They do not satisfy {name}.",
    "exclusion": "They exclude each other by {name}.",
    "type": "Their value of {name} does not fit its new type.",
    "value": "{name} cannot be computed of them.",
}


@check(
    finds={"pending-migration-fails": "error", "pending-migration-unforeseen": "error"},
    explained_by={
        "pending-migration-fails": ("pending-objects-exist", *FAILED, *RUN),
        "pending-migration-unforeseen": FORESEEN,
    },
)
def test_pending_will_apply(forecast: Forecast) -> Iterator[Finding]:
    """Every pending migration applies to this environment as it stands.

    What a deploy would apply is run on a copy of the environment's schema and history, the way the application's
    Prisma runs it: each file as one query up to 7.3; from 7.4 statement by statement, but still as one query where
    Prisma's own parser does not know a statement of it (DO, DROP INDEX CONCURRENTLY, LOCK and others). A deploy stops
    at the first migration that fails (P3018), leaves its row failed, and blocks every later one (P3009). Later
    migrations, and later statements of the one that fails, are tried as if what fails had been passed over. A copy
    holds no rows: what they say is the check pending-data-fits.

    Mend it by what PostgreSQL says, before the deploy: complete or remove what is in the way, or mend the file while
    it is applied nowhere.
    """
    before = ""
    for foreseen in forecast.required().migrations:
        said = foreseen.said
        unclear = [each for each in said if each.says_nothing]
        evidence = {"migration": foreseen.name, "name": foreseen.name}
        if said and (unclear or before):  # what its other statements, and later migrations, say hangs on this one
            shown = (unclear or said)[0]
            yield Finding(
                "pending-migration-unforeseen",
                foreseen.name,
                f"What it does cannot be foreseen: on the copy, {str(shown).rstrip('.')}. "
                + _otherwise(unclear, before),
                evidence,
                place=place_in(foreseen.name, shown.line),
            )
            before = before or foreseen.name
        elif said:
            shown, *more = said
            others = [each for each in more if (each.line, each.statement) != (shown.line, shown.statement)]
            yield Finding(
                "pending-migration-fails",
                foreseen.name,
                " ".join(_failing(forecast, foreseen, shown, others)),
                {
                    **evidence,
                    "code": shown.code,
                    "sqlstate": shown.failure.sqlstate,
                    "said": shown.failure.message,
                    "line": shown.line,
                    "reached": foreseen.reached,
                    "conflicts": tuple(map(str, (shown, *others))),
                    # Rows stop a failed migration again, whatever becomes of its row.
                    **({"own_cause": True} if shown.of_rows else {}),
                },
                place=place_in(foreseen.name, shown.line),
            )  # fmt: skip


@check(
    finds={"pending-data-violates": "error", "pending-data-unasked": "warning"},
    explained_by={
        "pending-data-violates": ("pending-objects-exist", "pending-migration-fails"),
        "pending-data-unasked": _BESIDE,
    },
)
def test_pending_data_fits(data_check: DataCheck) -> Iterator[Finding]:
    """Every row fits what the pending migrations ask of it.

    A schema does not show that a unique index meets duplicates (23505), NOT NULL a NULL (23502), a foreign key a row
    without its parent, or a DELETE a row with children (23503), a check or a domain (23514), an exclusion (23P01) or
    another type (22P02, 22001, 22003) a value that does not fit, an INSERT a row that exists. The clone tells what
    each pending statement asks of tables that are there; the environment is asked, read only, how many rows do not
    fit, and for the primary keys of up to five, as the statements before will have left them. A migration's own
    expressions are asked as the clone's PostgreSQL prints them, and only where they hold nothing but PostgreSQL's own
    types, operators and functions that change nothing. What is not understood is *not foreseen*, a warning;
    `--rows SIZE` copies the rows of small tables to the clone, where it is run.

    Mend it by correcting the rows before the deploy. Which of two duplicates stays is a person's decision.
    """
    unanswered = [answer for answer in data_check.answers if answer.why_unanswered]
    violated = [answer for answer in data_check.answers if answer.violated]
    if unanswered and not violated:
        requirement = unanswered[0].requirement
        raise CouldNotCheck(
            f"whether the rows of {requirement.table} fit {requirement.name}, which "
            f"{requirement.migration} adds, was not answered: {unanswered[0].why_unanswered}",
            f"table {requirement.table}, read only",
            "Ask it by hand at a quiet hour, or raise limits.database_s in the registry.",
        )
    if data_check.unknown is not None and not violated:
        cause = Finding("pending-migration-unforeseen", data_check.unknown.migration, "")
        raise CouldNotCheck(
            f"what {data_check.unknown.migration} asks of the rows is not known: {data_check.unknown.why_unanswered}",
            "a copy of the environment, statement by statement",
            "Try the migration on a server like the environment's, or divide it.",
            explained_by=cause.key if data_check.unknown.unforeseen else None,
        )
    for answer in violated:
        yield _violation(answer, data_check.blocked)
    for answer in data_check.answers:
        if why := answer.why_unasked or answer.why_unanswered:
            yield _unasked(answer.requirement, why)


@check(
    finds={"pending-locks-table": "info", "pending-locks-large-table": "warning"},
    explained_by={"pending-locks-table": _BESIDE},
)
def test_pending_locks_no_large_table(forecast: Forecast, data_check: DataCheck) -> Iterator[Finding]:
    """No pending migration keeps others from a large table.

    Most changes lock their table against writing, or against everything, until the file's end; some write it anew.
    On a small table nobody notices. On one above 1 GB requests wait, and Frigg's functions have 30 s at most.

    Mend it by deploying at a quiet hour, or by an index that is made CONCURRENTLY in a file of its own.
    """
    locked: dict[str, list[tuple[MigrationForecast, TableLock]]] = {}
    for foreseen in forecast.migrations:
        for lock in foreseen.locks:
            locked.setdefault(lock.table, []).append((foreseen, lock))
    for table, found in locked.items():
        foreseen, lock = max(found, key=lambda each: (each[1].rewrites, each[1].mode == "AccessExclusiveLock"))
        size = data_check.sizes.get(table)
        what = "keeps everybody from it" if lock.mode == "AccessExclusiveLock" else "keeps writers from it"
        rewrites = " and writes it anew" if lock.rewrites else ""
        yield Finding(
            "pending-locks-large-table" if size and size.big else "pending-locks-table",
            table,
            f"{foreseen.name}, line {lock.line}, {what} ({lock.mode}){rewrites}: {size or 'its size is not known'}.",
            {
                "migration": foreseen.name,
                "lock": lock.mode,
                "rewrites": any(each.rewrites for _, each in found),
                "bytes": size.bytes if size else None,
            },
            place=place_in(foreseen.name, lock.line),
        )


def _turn(history: History, number: int, of: int) -> str:
    """When a deploy applies a migration, in a sentence that goes on."""
    deploy = history.deployment
    if deploy.error is None or deploy.stops_at is not None:
        return f"a deploy would apply it as number {number} of {of}."
    at = f" at {listed(list(map(one_line, history.failed_by_name)), 1)}" if deploy.error == "P3009" else ""
    return f"a deploy stops with {deploy.error}{at} first, and comes to it only after that is resolved."


def _otherwise(unclear: Sequence[FailingStatement], before: str) -> str:
    """Why the environment may answer otherwise than the copy."""
    if not unclear:
        return f"It may need {before}."
    if unclear[0].rows:
        return "The copy has no rows, and it may hang on those of the environment: --rows SIZE copies them."
    return "The environment's own server may answer otherwise."


def _failing(
    forecast: Forecast, foreseen: MigrationForecast, shown: FailingStatement, others: Sequence[FailingStatement]
) -> Iterator[str]:
    yield f"{_when(forecast, foreseen, shown)}: {str(shown).rstrip('.')}."
    if shown.failure.sqlstate in _SAID:
        yield _SAID[shown.failure.sqlstate]
    if others:
        yield (
            f"{len(others)} further {'statement conflicts' if len(others) == 1 else 'statements conflict'}: "
            f"{'; '.join(map(str, others[:_SHOWN]))}."
        )


def _when(forecast: Forecast, foreseen: MigrationForecast, shown: FailingStatement) -> str:
    code = f" ({shown.code})" if shown.code else ""
    if not foreseen.reached:
        return "A deploy stops before it; after that, it would fail too"
    if forecast.blocked is not None:
        return f"A deploy stops with {forecast.blocked} before it; once that is mended, it fails here{code}"
    return f"A deploy will fail on it{code}"


def _unasked(requirement: DataRequirement, why: str) -> Finding:
    evidence = {"migration": requirement.migration, "table": requirement.table}
    if isinstance(requirement, UnforeseenRows):
        message = (
            f"Not foreseen: line {requirement.line} does what hangs on rows ({why}). Try it where the rows are, "
            "or add --rows, which copies small tables to the clone."
        )
    else:
        ends = f" ({requirement.sqlstate} where one does not fit)" if requirement.sqlstate != NO_VALUE else ""
        message = (
            f"Not foreseen: line {requirement.line} asks something of the rows of {requirement.table}{ends}, "
            f"which could not be asked: {why}. Look at them before the deploy."
        )
    place = place_in(requirement.migration, requirement.line)
    return Finding("pending-data-unasked", requirement.subject, message, evidence, place=place)


def _violation(answer: RequirementResult, blocked: str | None) -> Finding:
    requirement = answer.requirement
    where = f"on line {requirement.line} (P3018, {answer.sqlstate})"
    when = (
        f"A deploy stops with {blocked}; once that is mended, it fails {where}"
        if blocked
        else f"A deploy will fail {where}"
    )
    if answer.rows:
        many = f"{answer.rows} {plural(answer.rows, 'row')} of {requirement.table}"
        fits = f"{many} {'does' if answer.rows == 1 else 'do'} not fit. "
    else:
        fits = f"at least one row of {requirement.table} does not fit. "
    keys = ", ".join(answer.keys)
    first = "" if answer.rows is not None and answer.rows <= len(answer.keys) else "the first of them "
    return Finding(
        "pending-data-violates",
        requirement.subject,
        f"{when}: {fits}"
        + _VIOLATED[requirement.kind].format(name=requirement.name)
        + (f" By their key ({', '.join(requirement.keys)}), {first}{keys}." if keys else ""),
        {
            "migration": requirement.migration,
            "sqlstate": answer.sqlstate,
            "table": requirement.table,
            "constraint": requirement.name,
            "rows": answer.rows,
            "keys": answer.keys,
            "line": requirement.line,
        },
        place=place_in(requirement.migration, requirement.line),
    )


@check(
    finds={"pending-sql-remark": "warning"},
    explained_by={
        "pending-sql-remark": (
            *FORESEEN, "pending-objects-exist", "rolled-back-unapplied", "out-of-order-migration", "pending-migration",
        ),
    },
)  # fmt: skip
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
            f"{migration}/migration.sql:{line}",
            f"Line {line}: " + " ".join(f"{RULES[rule][0]} ({rule})" for rule in rules),
            {"migration": migration, "line": line, "rules": rules},
            place=place_in(migration, line),
        )


@check(
    finds={
        "pending-migration": DEPLOY_MENDS,
        "rolled-back-unapplied": DEPLOY_MENDS,
        "out-of-order-migration": SeverityByPhase(before="warning", after="error", nightly="warning"),
        "pending-objects-exist": "error",
    },
    explained_by={
        "pending-migration": (*NO_HISTORY, *RUN, *FORESEEN),
        "rolled-back-unapplied": (*RUN, *FORESEEN),
        "out-of-order-migration": (*RUN, *FORESEEN),
        "pending-objects-exist": ("squash-not-recorded", "orphaned-migration"),
    },
)
def test_no_pending_migration(
    history: History, migration_effects: dict[str, MigrationEffect], forecast: Forecast
) -> Iterator[Finding]:
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
        told = migration_effects.get(migration.name, MigrationEffect("nothing"))
        turn = _turn(history, number, len(usable))
        applied_later = history.applied_after(migration.name)
        clash = forecast.clashing(migration.name)
        if told.extent in ("all", "part") and clash is not None:
            code = "pending-objects-exist"
            message = (
                f"Not recorded as applied, but {objects_in_words(told)} "
                f"{_when(forecast, forecast.by_name[migration.name], clash)}: {str(clash).rstrip('.')}."
            )
        elif kept := forecast.passed_over(migration.name, told.differing):
            code = "pending-objects-exist"
            message = (
                f"Not recorded as applied, and a deploy leaves what is there as it is (IF NOT EXISTS), which is not as "
                f"this migration makes it: {describe_some(kept)}."
            )
        elif migration.name in history.by_name:
            code = "rolled-back-unapplied"
            message = f"Rolled back and not applied since; {turn} Prisma's status up to 7.8 does not show it."
        elif applied_later:
            code = "out-of-order-migration"
            message = (
                f"Not applied yet, and it sorts before {applied_later}, which is applied; {turn} Try it "
                "first where its tables are as in this environment."
            )
        else:
            code, message = "pending-migration", f"Not applied yet; {turn}"
        same = {"migration": migration.name} if code == "pending-objects-exist" else {}  # its cause is about the same
        line = clash.line if code == "pending-objects-exist" and clash is not None else None
        evidence = {"name": migration.name, **same}
        yield Finding(code, migration.name, message, evidence, place=place_in(migration.name, line))
