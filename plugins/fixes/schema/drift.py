"""Fixes that bring the live schema back to what the migrations make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from health.config.environment import Environment
from health.finding import Finding, Fix, NoFix
from health.sanitize import one_line, plain, short
from health.schema.drift import Difference, Drift
from health.schema.sequences import SequenceState as Numbers
from plugins.fixes import fixes, no_fix
from plugins.fixes.schema.definitions import escaped, remade

_COLUMN = re.compile(
    r"(?P<type>.+?)(?P<settings> (?:STORAGE|COMPRESSION|STATISTICS|SET \(|OPTIONS \().*?)?(?P<null> NOT NULL)?"
    r"(?: DEFAULT (?P<default>.+))?",
    re.DOTALL,
)
_ATTACHED = re.compile(r" (?:ATTACHED TO .+|STATISTICS \([^()]*\))(?: INVALID)?$")
_ROWS = "whether the rows allow it, no copy can tell: it has none"
_VIOLATED = "It fails, and changes nothing, while a row violates it."
_BY_HAND = "Its name or definition holds characters that no terminal shows: mend it by hand."
_DECLARE = "or declare it under known_differences in the registry"
_MADE_BY_ITSELF = ("identity", "generated")  # columns that say so where others have their default


no_fix(
    {
        "known-difference-unused": (
            "None: the entry is removed from the registry.",
            "Remove the entry from known_differences in the registry.",
        ),
        "fresh-database-differs": (
            "None here: the environment is as its migrations made it.",
            "Nothing in the environment. Where a fresh database shall get the same schema, write one more migration "
            "that gives the objects the form that they should have, whatever came before.",
        ),
        "partitions-changed": (
            "None: what a job does with partitions is no mistake.",
            f"Nothing, where a job makes and drops them; else write the migration that does, {_DECLARE}.",
        ),
    }
)


@fixes("schema-object-missing", "schema-object-different", "constraint-not-validated", "index-invalid")
def brought_back(finding: Finding, drift: Drift, environment: Environment) -> Iterator[Fix | NoFix]:
    """The SQL that makes the object as the migrations have it, or what a person is to decide first."""
    each = _difference(drift, finding)
    if finding.evidence.get("deploy_ends"):
        yield NoFix("Deploy: a pending migration sets it right, or drops it. Nothing is to be done before.")
        return
    if each.orphan is not None:
        yield NoFix(
            "None: a migration that this directory does not hold may have done it, and nothing of that is taken back. "
            "Check out the release that has it, and run again."
        )
        return
    if not plain(each.subject, each.expected or "", each.live or ""):
        yield NoFix(_BY_HAND)
        return
    kind = each.key[0]
    if kind == "column":
        yield from _column(each, environment.schema)
    elif kind == "constraint":
        yield _constraint(each, environment.schema)
    elif kind == "index":
        yield _index(each, environment.schema)
    elif kind == "enum label":
        yield _label(each, environment.schema)
    elif (fix := remade(each, environment.schema)) is not None:
        yield fix
    else:
        made = f" {one_line(each.migration)} makes it." if each.migration else ""
        yield NoFix(f"Run the statements that make it by hand, and compare what hangs on it.{made}")


@fixes("schema-object-extra", "enum-label-extra")
def too_many(finding: Finding, drift: Drift, environment: Environment) -> Iterator[Fix | NoFix]:
    """Nothing is dropped without a person's word; an index alone, which holds no data, can be made again."""
    each = _difference(drift, finding)
    if each.key[0] == "enum label":
        yield NoFix(
            f"PostgreSQL cannot take a label from an enum. Write the migration that adds it, {_DECLARE}; and look for "
            "rows that hold it before an older client reads them."
        )
        return
    yield NoFix(f"Find out who made it and what hangs on it: write the migration that makes or drops it, {_DECLARE}.")
    if each.key[0] != "index" or each.live is None or _ATTACHED.search(each.live):
        return
    if plain(each.subject, each.live):
        from plugins.fixes.schema.object_sql import SchemaObject

        index = SchemaObject(environment.schema, each.key)
        yield Fix(
            "sql",
            "Drop the index",
            index.change(each.live, ["DROP INDEX {name};"]),
            fallback=True,
            undo=index.change(None, [_made(each.live)]),
            note="Queries that use it become slow; a unique one also keeps duplicates out.",
        )


@fixes("sequence-behind")
def sequence_behind(
    finding: Finding, sequences: tuple[Numbers, ...], environment: Environment
) -> Iterator[Fix | NoFix]:
    """Set the sequence to the largest value of its column, as it is when the SQL runs."""
    from psycopg.sql import Identifier

    from plugins.fixes.sql import EVERY_ROW, fill, literal, refuse_unless, transaction

    each = next(each for each in sequences if f'sequence "{each.name}"' == finding.subject)
    if not plain(each.name, each.table, each.column):
        yield NoFix(_BY_HAND)
        return
    names = {
        "table": Identifier(environment.schema, each.table),
        "column": Identifier(each.column),
        "sequence": Identifier(environment.schema, each.name),
        "text": literal(Identifier(environment.schema, each.name).as_string(None)),
    }
    behind = fill(
        "(SELECT max(t.{column}) FROM {table} t) >=\n    (SELECT s.last_value + s.is_called::int FROM {sequence} s)",
        **names,
    )
    yield Fix(
        "sql",
        "Set the sequence to the largest value of its column",
        transaction(
            [
                EVERY_ROW,
                fill("  LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE;", **names),
                refuse_unless(behind, "The sequence is not behind."),
                fill("  PERFORM setval({text}::regclass, (SELECT max(t.{column}) FROM {table} t));", **names),
            ]
        ),
        note="There is no undo, and none is needed: values that are skipped do no harm.",
    )


def _column(each: Difference, schema: str) -> Iterator[Fix | NoFix]:
    from plugins.fixes.schema.object_sql import SchemaObject

    column, wanted, there = SchemaObject(schema, each.key), _parts(each.expected), _parts(each.live)
    if any((parts["default"] or "").startswith(_MADE_BY_ITSELF) for parts in (wanted, there)):
        yield NoFix("It is or was an identity or generated column: change it by hand, as its migration does.")
    elif wanted["settings"] or there["settings"]:
        yield NoFix("Storage, compression, statistics target or options are set for it: set them by hand.")
    elif each.live is None:
        needs = wanted["null"] and wanted["default"] is None
        yield Fix(
            "sql",
            "Add the column",
            column.change(None, [f"ALTER TABLE {{owner}} ADD COLUMN {{own}} {escaped(each.expected)};"]),
            undo=column.change(
                each.expected,
                ["ALTER TABLE {owner} DROP COLUMN {own};"],
                column.unwritten(wanted["type"] or "", wanted["default"]),
            ),
            note="What it held before does not come back. The undo refuses once something was written to it.",
            rows="it has no default, so that a table with rows refuses it" if needs else "",
        )
    elif there["type"] != wanted["type"]:
        yield NoFix("Its type is another one: what becomes of the values in it is a person's decision.")
    else:
        tightens = wanted["null"] and not there["null"]
        yield Fix(
            "sql",
            "Make the column as the migration has it",
            column.change(each.live, _altered(there, wanted)),
            undo=column.change(each.expected, _altered(wanted, there)),
            note="It fails, and changes nothing, while a row holds NULL there." if tightens else "",
            rows=_ROWS if tightens else "",
        )


def _altered(there: dict[str, str | None], wanted: dict[str, str | None]) -> list[str]:
    """What makes one column of another that has the same type."""
    alter, changes = "ALTER TABLE {owner} ALTER COLUMN {own} ", []
    if wanted["default"] != there["default"]:
        given = f"SET DEFAULT {escaped(wanted['default'])};" if wanted["default"] is not None else "DROP DEFAULT;"
        changes.append(alter + given)
    if bool(wanted["null"]) != bool(there["null"]):
        changes.append(alter + ("SET NOT NULL;" if wanted["null"] else "DROP NOT NULL;"))
    return changes


def _constraint(each: Difference, schema: str) -> Fix:
    from plugins.fixes.schema.object_sql import SchemaObject

    constraint, drop = SchemaObject(schema, each.key), "ALTER TABLE {owner} DROP CONSTRAINT {own};"
    if each.not_validated:
        return Fix(
            "sql",
            "Look at all rows, and let the constraint hold for them too",
            constraint.change(each.live, ["ALTER TABLE {owner} VALIDATE CONSTRAINT {own};"]),
            note=f"{_VIOLATED} There is no undo, and none is needed.",
            rows=_ROWS,
        )

    off = (each.live or "").endswith(" DISABLED")

    def add(definition: str | None) -> list[str]:
        if definition is None:
            return []
        return [f"ALTER TABLE {{owner}} ADD CONSTRAINT {{own}} {escaped(definition)};"]

    return Fix(
        "sql",
        "Make the constraint as the migration has it",
        constraint.change(each.live, [*([drop] if each.live else []), *add(each.expected)]),
        undo=None if off else constraint.change(each.expected, [drop, *add(each.live)]),
        note=_VIOLATED + (" There is no undo: nobody wants a key whose triggers are off." if off else ""),
        rows=_ROWS,
    )


def _index(each: Difference, schema: str) -> Fix | NoFix:
    from plugins.fixes.schema.object_sql import SchemaObject

    if any(_ATTACHED.search(definition or "") for definition in (each.expected, each.live)):
        return NoFix("It is a part of the index of the partitioned table, or has a statistics target: mend that one.")
    index, expected = SchemaObject(schema, each.key), _made(each.expected or "")
    back = [] if each.live is None or each.invalid else [_made(each.live)]
    note = "The table takes no writes meanwhile: a large one wants it built CONCURRENTLY under another name first."
    return Fix(
        "sql",
        "Make the index as the migration has it",
        index.change(each.live, [*(["DROP INDEX {name};"] if each.live else []), expected]),
        undo=None if each.invalid else index.change(each.expected, ["DROP INDEX {name};", *back]),
        note=note + (" There is no undo: nobody wants an index that is not valid." if each.invalid else ""),
        rows=_ROWS if expected.startswith("CREATE UNIQUE") else "",
    )


def _label(each: Difference, schema: str) -> Fix | NoFix:
    from plugins.fixes.schema.object_sql import SchemaObject

    if each.live is not None:
        return NoFix(
            "PostgreSQL cannot move a label: an enum in this order is made anew, and its columns take it over."
        )
    return Fix(
        "sql",
        "Add the label",
        SchemaObject(schema, each.key).change(None, ["ALTER TYPE {owner} ADD VALUE {text};"]),
        note="There is no undo: PostgreSQL cannot take a label from an enum.",
    )


def _made(definition: str) -> str:
    return escaped(definition.removesuffix(" INVALID")) + ";"


def _parts(definition: str | None) -> dict[str, str | None]:
    found = _COLUMN.fullmatch(definition or "-")
    return found.groupdict() if found else {"type": definition, "settings": None, "null": None, "default": None}


def _difference(drift: Drift, finding: Finding) -> Difference:
    found: Sequence[Difference] = [e for e in drift.differences if short(e.subject, 200) == finding.subject]
    return found[0]
