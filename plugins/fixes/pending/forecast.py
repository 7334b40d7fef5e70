"""Fixes for what the next deploy will fail on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from health.catalog.catalog import Key
from health.catalog.changes import Replay
from health.config.environment import Environment
from health.finding import Finding, Fix, NoFix
from health.history.history import History
from health.pending.data_check import DataCheck
from health.pending.data_requirements import NotNullRequirement
from health.sanitize import one_line, printable
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix

_NO_INDEX = re.compile(r'index "(.+)" does not exist')
_NO_TYPE = re.compile(r'type "(?:[^"]+\.)?(\w+)" does not exist|function (\w+)\(.*\) does not exist')
_OF_TYPES = {"citext": "citext", "hstore": "hstore", "ltree": "ltree", "geometry": "postgis", "vector": "vector"}
_OF_FUNCTIONS = {
    "uuid_generate_v4": "uuid-ossp",
    "uuid_generate_v1": "uuid-ossp",
    "digest": "pgcrypto",
    "crypt": "pgcrypto",
    "gen_salt": "pgcrypto",
    "unaccent": "unaccent",
    "similarity": "pg_trgm",
}
_ADVICE = {
    "25001": "Move the statement into a migration of its own, whose file holds nothing else.",
    "55P04": "Split it into two migrations: the first adds the label and nothing else, the second uses it. Prisma "
    "commits each file by itself.",
    "42P07": "Compare what is there with what the file makes: drop it if nothing uses it, or record the migration as "
    "applied once everything of it is there.",
    "42701": "The column is there already. Compare its type and default with the file's before anything is recorded.",
    "42710": "Something of that name is there already. Compare the two before anything is dropped or recorded.",
    "42P01": "The table is not there: find out which migration makes it, and whether it took effect.",
    "42703": "The column is not there: find out which migration makes it, and whether it took effect.",
    "42601": "The file is no SQL that PostgreSQL takes: mend it.",
}
_OF_ROWS = ("22", "23")
_ROWS = (
    "Rows that are there do not fit, or the file's own do not: correct them before the deploy, which is a person's "
    "decision. Without --rows the same run names them where it can, with the query that lists them."
)
_IN_A_PACKAGE = (
    "A file under node_modules is mended in the package that it comes from, and only while it is applied nowhere."
)


no_fix(
    {
        "pending-migration-unforeseen": (
            "None: a server like the environment's has to tell.",
            "Try the migration on a server like the environment's. Of an extension, look whether that offers it "
            "(pg_available_extensions) and the migrating role may create it. A waiver accepts what is known then.",
        ),
        ("pending-data-unasked", "pending-locks-table", "pending-locks-large-table"): (
            "None: it is for a person to look at, and to choose the hour of the deploy.",
            "Nothing is to be mended: look at it, and choose the hour of the deploy by it.",
        ),
    }
)


@fixes("pending-migration-fails")
def pending_migration_fails(
    finding: Finding, history: History, environment: Environment, replay: Replay
) -> Iterator[Fix | NoFix]:
    """Make the index again that it drops, or the extension that it needs; else what a person has to decide."""
    said = str(finding.evidence["said"])
    if finding.evidence["sqlstate"] == "42704" and (missing := _NO_INDEX.search(said)):
        definition = _index(missing[1], history, replay)
        if definition is not None:
            yield _plain_index(environment, *definition)
            yield shell.deployment(environment)
            return
        yield NoFix(
            f"No applied migration makes the index {one_line(missing[1])}: ask the file's author where it is made."
        )
        return
    if extension := _extension(said):
        yield _make_extension(environment, extension)
        return
    if str(finding.evidence["sqlstate"]).startswith(_OF_ROWS):
        yield NoFix(_ROWS)
        return
    advice = _ADVICE.get(str(finding.evidence["sqlstate"]), "What PostgreSQL says has to be mended by a person.")
    yield NoFix(f"{advice} {_IN_A_PACKAGE}")


@fixes("pending-data-violates")
def pending_data_violates(finding: Finding, data_check: DataCheck) -> Iterator[NoFix]:
    """None by itself: which rows stay, and with which values, is a person's decision; the query that lists them."""
    from fixtures.database.violation_queries import listing

    answers = (each for each in data_check.answers if each.violated and each.requirement.subject == finding.subject)
    answer = next(answers)
    requirement = answer.requirement
    decision = {
        "unique": "Which of the duplicates stays, and what becomes of the rows that lead to the others",
        "not null": "Which value the rows get",
        "foreign key": "Whether the rows go, or the rows that they lead to come back,",
        "referenced": "Whether the rows that lead to them go, too,",
        "seed": "Whether the row that exists stays, or the migration's own,",
        "exclusion": "Which of the rows stays",
    }.get(requirement.kind, "Which value the rows get")
    if isinstance(requirement, NotNullRequirement) and requirement.all_rows:
        decision = "Which value the rows that are there get in the new column (a DEFAULT in the migration gives one)"
    query = listing(requirement) if answer.rows else None
    shown = f" This lists them: {query};" if query is not None and printable(query, keep="") == query else ""
    yield NoFix(f"{decision} is a person's decision.{shown}")


def _index(name: str, history: History, replay: Replay) -> tuple[Key, str] | None:
    """An index that the applied migrations leave, with its definition."""
    found = None
    for migration in history.directory.migrations:
        if migration.name in history.applied:
            for change in replay.changes.get(migration.name, ()):
                if change.key[0] == "index" and change.key[2] == name:
                    found = (change.key, change.after) if change.after is not None else None
    return found


def _plain_index(environment: Environment, key: Key, definition: str) -> Fix:
    from psycopg.sql import Identifier

    from plugins.fixes.sql import fill, literal, refuse_if, refuse_unless, run, transaction

    index = Identifier(environment.schema, key[2])
    exists = fill("to_regclass({text}) IS NOT NULL", text=literal(index.as_string(None)))
    # By PostgreSQL's own spelling of it on the copy; that what is dropped next is unique serves nobody.
    plain = run(definition.replace("CREATE UNIQUE INDEX", "CREATE INDEX", 1))
    return Fix(
        "sql",
        "Make the index again that the migration drops: a plain one is enough",
        transaction([refuse_if(exists, "The index exists."), plain]),
        undo=transaction(
            [
                refuse_unless(exists, "The index does not exist."),
                fill("  DROP INDEX {index};", index=index),
            ]
        ),
        note="The migration drops it at once. Writers to its table wait while it is made.",
    )


def _extension(said: str) -> str | None:
    missing = _NO_TYPE.search(said)
    if missing is None:
        return None
    return _OF_TYPES.get(missing[1] or "") or _OF_FUNCTIONS.get(missing[2] or "")


def _make_extension(environment: Environment, extension: str) -> Fix:
    return Fix(
        "command",
        f"Create the extension {extension}, as a role of rds_superuser",
        f"psql {shell.quote(environment.database)} -c "
        + shell.quote(f'CREATE EXTENSION IF NOT EXISTS "{extension}" SCHEMA "{environment.schema}"'),
        undo=f"psql {shell.quote(environment.database)} -c " + shell.quote(f'DROP EXTENSION "{extension}"'),
        note="PGHOST and PGPORT must lead through your tunnel. The undo works as long as nothing uses it.",
    )
