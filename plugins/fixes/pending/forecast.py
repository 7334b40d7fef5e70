"""Fixes for what the next deploy will fail on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from health.catalog.catalog import Key
from health.catalog.changes import Replay
from health.config.environment import Environment
from health.finding import DECISION, Finding, Fix, NoFix
from health.history.history import History
from health.parts import Part
from health.pending.data_check import DataCheck, RequirementResult
from health.pending.data_requirements import NotNullRequirement, RequirementKind
from health.sanitize import one_line, printable
from health.sql.failure import of_rows
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
_DECISIONS: Mapping[RequirementKind, str] = {
    "unique": "which of the duplicates stays, and what becomes of the rows that lead to the others",
    "foreign key": "whether the rows go, or the rows that they lead to come back",
    "referenced": "whether the rows that lead to them go, too",
    "seed": "whether the row that exists stays, or the migration's own",
    "exclusion": "which of the rows stays",
}
_BY_CODE: Mapping[str, RequirementKind] = {
    "23505": "unique", "23502": "not null", "23503": "foreign key", "23001": "referenced", "23P01": "exclusion"
}  # fmt: skip
_ALL_ROWS = "which value the rows that are there get in the new column: a DEFAULT in the migration gives one"
_DECIDED = "It is a person's decision, and comes before the migration. "
_LISTED = "The query only reads: there is nothing to undo."
_NOT_LISTED = "No query lists the rows here (without --rows one may); there is nothing to undo."
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
    finding: Finding, history: History, environment: Environment, replay: Replay, data_check: DataCheck
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
    if of_rows(str(finding.evidence["sqlstate"])):
        name = str(finding.evidence["name"])
        violated = [each for each in data_check.answers if each.violated and each.requirement.migration == name]
        at = [each for each in violated if each.requirement.line == finding.evidence["line"]]
        question = _question(_BY_CODE.get(str(finding.evidence["sqlstate"])))
        yield from _decided(question, next(iter(at or violated), None), history, environment, name)
        return
    advice = _ADVICE.get(str(finding.evidence["sqlstate"]), "What PostgreSQL says has to be mended by a person.")
    yield NoFix(f"{advice} {_IN_A_PACKAGE}")


@fixes("pending-data-violates")
def pending_data_violates(
    finding: Finding, history: History, environment: Environment, data_check: DataCheck
) -> Iterator[Fix]:
    """A person's decision: which rows stay, and with which values. The query that lists them; then the deploy."""
    violated = (each for each in data_check.answers if each.violated and each.requirement.subject == finding.subject)
    answer = next(violated)
    requirement = answer.requirement
    new = isinstance(requirement, NotNullRequirement) and requirement.all_rows
    question = _ALL_ROWS if new else _question(requirement.kind)
    yield from _decided(question, answer, history, environment, requirement.migration)


def _decided(
    question: str, answer: RequirementResult | None, history: History, environment: Environment, name: str
) -> Iterator[Fix]:
    """What a person decides of the rows that a migration stops at, and the deploy where it is the deploy that stops."""
    query = _listing(answer)
    note = _DECIDED + (_LISTED if query else _NOT_LISTED)
    yield Fix("decision", f"Decide {question}", query, note=note, rank=DECISION)
    if any(migration.name == name for migration in history.pending):
        yield shell.deployment(environment)


def _question(kind: RequirementKind | None) -> str:
    if kind is None:
        return "what becomes of the rows that are there, or of the file's own, which do not fit"
    return _DECISIONS.get(kind, "which value the rows get")


def _listing(answer: RequirementResult | None) -> str:
    """The query that lists the rows; empty where none does, or none that can be printed."""
    from fixtures.database.violation_queries import listing

    query = listing(answer.requirement) if answer is not None and answer.rows else None
    return f"{query};" if query is not None and printable(query, keep="") == query else ""


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
    from plugins.fixes.schema.definitions import escaped
    from plugins.fixes.schema.object_sql import SchemaObject

    index = SchemaObject(environment.schema, key)
    # By PostgreSQL's own spelling of it on the copy; that what is dropped next is unique serves nobody.
    plain = definition.replace("CREATE UNIQUE INDEX", "CREATE INDEX", 1)
    return Fix(
        "sql",
        "Make the index again that the migration drops: a plain one is enough",
        index.change(None, [f"{escaped(plain)};"]),
        undo=index.change(plain, ["DROP INDEX {name};"]),
        note="The migration drops it at once. Writers to its table wait while it is made.",
    )


def _extension(said: str) -> str | None:
    missing = _NO_TYPE.search(said)
    if missing is None:
        return None
    return _OF_TYPES.get(missing[1] or "") or _OF_FUNCTIONS.get(missing[2] or "")


def _make_extension(environment: Environment, extension: str) -> Fix:
    from psycopg.sql import Identifier

    # Without IF NOT EXISTS: the undo would take away what was there before.
    make = f'CREATE EXTENSION "{extension}" SCHEMA {Identifier(environment.schema).as_string(None)}'
    over_tunnel = Part.TUNNEL in environment.parts
    return Fix(
        "command",
        f"Create the extension {extension}, as a {'role of rds_superuser' if over_tunnel else 'role that may'}",
        shell.psql(environment, "-c", make),
        undo=shell.psql(environment, "-c", f'DROP EXTENSION "{extension}"'),
        note=("PGHOST and PGPORT must lead through your tunnel. " if over_tunnel else "")
        + "The undo works as long as nothing uses it.",
    )
