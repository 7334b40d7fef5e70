"""The schema file that Prisma's client is built from, against what the migrations make."""

from collections.abc import Iterator

from health.check import SeverityByPhase, check
from health.finding import Finding, Place, Severity
from health.sanitize import short
from health.schema_file.difference import KNOWN, Kind, SchemaChange, SchemaFileDiff
from health.words import plural

_MOST = 40  # findings; more of them say that it is the wrong file
_SQL = 300  # characters of SQL in a message
_CODES: dict[Kind, tuple[str, Severity | None, str]] = {
    "unwritten": ("unwritten-schema-change", None, "It is in the schema file, and no migration makes it so"),
    "slower": (
        "unwritten-schema-change", "warning", "It is in the schema file, and no migration makes it: queries are slower",
    ),
    "renamed": ("unwritten-schema-change", "info", "The schema file and the migrations give it different names"),
    "required": (
        "not-in-schema-file", "error",
        "The migrations make it, and the schema file does not have it. It is NOT NULL without a default: every INSERT "
        "of the client fails (23502)",
    ),
    "unmodelled": (
        "not-in-schema-file", None,
        "The migrations make it, and the schema file does not have it: the next prisma migrate dev writes a migration "
        "that drops it",
    ),
}  # fmt: skip


@check(
    finds={
        "unwritten-schema-change": SeverityByPhase(before="error", after="error", nightly="warning"),
        "not-in-schema-file": "warning",
        "schema-file-refused": "error",
        "schema-file-difference-unused": "info",
    }
)
def test_schema_file_has_no_unwritten_change(schema_file_diff: SchemaFileDiff) -> Iterator[Finding]:
    """The migrations make everything that the schema file describes, and nothing that Prisma would drop.

    Prisma's client is built from the schema file, and the database from the migrations. A change of the schema file
    for which no migration was written is seen by no deploy: the client asks for a column, a table or an enum's label
    that the database does not have, and fails at run time (P2021, P2022). The application's own Prisma compares the
    schema file with a clone in which all migrations of the directory have run; it meets no database of the user's.

    What the migrations make and the schema file does not have is a warning: somebody wrote it by hand, or deleted it
    from the schema file without a migration. Prisma looks at no CHECK, trigger, view, function, policy, partial index
    or index of an expression, so those are never named. An index of another kind, an enum or a partitioned table that
    was written by hand can be declared under `known_differences`, as `schema file: index "name"`.

    Write the missing migration, or take the change out of the schema file.
    """
    place = Place(schema_file_diff.file) if schema_file_diff.file else None
    if schema_file_diff.refused:
        yield Finding(
            "schema-file-refused",
            schema_file_diff.schema,
            f"Prisma does not read it, so no client can be built from it: {schema_file_diff.refused}",
            place=place,
        )
    for change in schema_file_diff.changes[:_MOST]:
        yield _of(change, schema_file_diff.how, place)
    if more := len(schema_file_diff.changes[_MOST:]):
        message = f"{more} more {plural(more, 'object')} differ: this may be the schema file of other migrations."
        yield Finding("unwritten-schema-change", schema_file_diff.schema, message, {"sql": ""}, place=place)
    for subject in schema_file_diff.unused:
        message = f"The registry declares it under known_differences ({KNOWN.strip(': ')}), and it does not differ."
        yield Finding("schema-file-difference-unused", subject, message)


def _of(change: SchemaChange, how: str, place: Place | None) -> Finding:
    code, severity, what = _CODES[change.kind]
    sql = " ".join(change.sql)
    message = f"{what}. A migration would need: {short(sql, _SQL)}"
    return Finding(code, change.subject, message, {"sql": sql, "read_by": how}, severity, place)
