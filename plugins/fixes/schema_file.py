"""Fixes for a schema file that is not what the migrations make: the migration that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from health.config.environment import Environment
from health.finding import Finding, Fix, NoFix
from health.sanitize import plain
from health.schema_file.difference import KNOWN, SchemaFileDiff
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix

_END = "health_sql"
_AGAIN = "Read it before you commit it, then run this check again."

no_fix(
    {
        "not-in-schema-file": (
            "None: whether the object or the schema file is right is a person's decision.",
            f"Add it to the schema file, or declare {KNOWN}{{finding.subject}} under known_differences in the registry "
            "where Prisma's schema cannot describe it; to drop it, write a migration that does.",
        ),
        "schema-file-refused": (
            "None: the schema file is mended by hand.",
            "Mend the schema file where Prisma says; npx prisma validate tells whether it is well.",
        ),
        "schema-file-difference-unused": (
            "None: the entry is removed from the registry.",
            "Remove the entry from known_differences in the registry.",
        ),
    }
)


@fixes("unwritten-schema-change")
def unwritten(finding: Finding, schema_file_diff: SchemaFileDiff, environment: Environment) -> Iterator[Fix | NoFix]:
    """Write a migration with the SQL of all unwritten changes; Prisma's own command does the same."""
    written = [change for change in schema_file_diff.changes if change.kind in {"unwritten", "slower", "renamed"}]
    script = "\n".join(statement for change in written for statement in change.sql)
    if not plain(script, schema_file_diff.migrations) or f"\n{_END}\n" in f"\n{script}\n":
        yield NoFix("The SQL holds characters that no terminal shows: use npx prisma migrate dev --create-only.")
    else:
        yield Fix(
            "command",
            f"Write the migration that is missing ({len(written)} of the schema file's changes)",
            _command(schema_file_diff.migrations, script),
            note=f"{_note(script, schema_file_diff.migrations)}{_AGAIN} To undo it, remove the directory.",
            rank=20,
        )
    yield Fix(
        "command",
        "Prisma's own command writes it from a development database",
        f"{environment.prisma_cli} migrate dev --create-only --name schema_file",
        fallback=True,
        note="It needs a development database and a shadow database, which it resets: never let DATABASE_URL lead to "
        "another. It also drops what the schema file does not have.",
        rank=20,
    )


def _command(migrations: str, script: str) -> str:
    directory = shell.quote(str(Path(migrations)))
    return (
        f'dir={directory}/"$(date -u +%Y%m%d%H%M%S)_schema_file" && mkdir -- "$dir" &&\n'
        f"cat > \"$dir/migration.sql\" <<'{_END}'\n{script}\n{_END}"
    )


def _note(script: str, migrations: str) -> str:
    upper = script.upper()
    notes = ""
    if "DROP COLUMN" in upper:
        notes += "It drops a column, and the values in it. "
    if "ADD VALUE" in upper and upper.count(";") > 1:
        notes += "A value that is added to an enum cannot be used in the same file. "
    if "/node_modules/" in migrations:
        notes += "In node_modules the next install undoes this. "
    return notes
