"""The live schema: what the applied migrations make, sequences, and Frigg's column Entity.data."""

from collections.abc import Iterator

from checks.causes import FAILED, FORESEEN
from health.catalog.catalog import Catalog, describe, describe_some, named
from health.check import DEPLOY_MENDS, check
from health.finding import Finding, Severity
from health.history.history import History
from health.parts import Part
from health.pending.forecast import Forecast
from health.sanitize import one_line, short
from health.schema.drift import Difference, Drift, FreshDatabase
from health.schema.partitions import PartitionChanges
from health.schema.sequences import SequenceState
from health.words import apart

_ENTITY_DATA = ("entity-data-column-missing", "entity-data-column-nullable")
_LONGEST, _BEFORE = 240, 30  # characters of a definition that a message shows
_MILDER: dict[str, Severity] = {"schema-object-extra": "info", "enum-label-extra": "info"}  # or a warning
# What leaves a schema that is not what the applied migrations make.
_NOT_AS_MADE = (
    *FAILED, "pending-objects-exist", "phantom-row", "edited-migration", "edited-after-failure", "hand-written-row",
    "rolled-back-unapplied", "out-of-order-migration", "migration-running",
)  # fmt: skip


@check(
    finds={
        "schema-object-missing": "error", "schema-object-different": "error", "schema-object-extra": "warning",
        "constraint-not-validated": "error", "index-invalid": "error", "enum-label-extra": "warning",
        "partitions-changed": "info", "known-difference-unused": "info", "fresh-database-differs": "info",
    },
    explained_by={
        "schema-object-missing": (*_ENTITY_DATA, *_NOT_AS_MADE, "orphaned-migration"),
        "schema-object-different": (*_ENTITY_DATA, *_NOT_AS_MADE, "orphaned-migration"),
        "schema-object-extra": (*_NOT_AS_MADE, "orphaned-migration"),
        "enum-label-extra": (*_NOT_AS_MADE, "orphaned-migration"),
        "index-invalid": _NOT_AS_MADE,
        "constraint-not-validated": _NOT_AS_MADE,
        "partitions-changed": (*_NOT_AS_MADE, "orphaned-migration"),
    },
)  # fmt: skip
def test_schema_matches_history(drift: Drift, forecast: Forecast) -> Iterator[Finding]:
    """The schema is what the migrations that are recorded as applied make of an empty database.

    Nothing in Prisma's deploy looks at the schema: what was changed by hand stays unseen until a request or a later
    migration runs into it. Everything that pg_dump writes of a schema is compared with a replay of the directory, but
    for owners and grants; a table stands for what belongs to it, and a schema in which nothing is the migrations' for
    all that it holds. What is there beside is a warning only: nothing of the application asks for it, but a later
    migration may want its name. So are comments, and how a table is stored or tuned. Partitions that come and go with
    jobs are information, on one line for each table. The migrations are run in the order in which they were applied;
    where the directory's order makes something else, that is information too.

    Mend it by the suggested SQL, or declare the object under `known_differences` in the registry.
    """
    for each in drift.differences:
        code, message = _told(each)
        subject = short(each.subject, 200)
        ends = forecast.leaves(each.coming)
        by = each.orphan or each.migration
        yield Finding(
            code,
            subject,
            message + (" The next deploy ends that." if ends else _of_orphan(each.orphan)),
            ({"migration": by} if by else {})
            | ({"deploy_ends": True} if ends else {})
            | ({"orphan": True} if each.orphan else {}),
            _MILDER.get(code, "warning") if ends or each.harmless or each.orphan else None,
        )
    for changes in drift.partitions:
        yield Finding("partitions-changed", short(describe(changes.key), 200), _of_partitions(changes))
    for subject in drift.unused:
        message = "The registry declares it under known_differences, and it does not differ: remove the entry."
        yield Finding("known-difference-unused", short(subject, 200), message)
    if drift.fresh is not None:
        yield _of_order(drift.fresh)


@check(finds={"sequence-behind": "error"})
def test_sequences(sequences: tuple[SequenceState, ...]) -> Iterator[Finding]:
    """Every sequence is ahead of the column that takes its values.

    Rows that were inserted with ids of their own, or a restored dump, leave a sequence behind: an INSERT that is given
    a value which is taken fails with 23505 on the primary key, until the sequence has caught up.

    Mend it by setting the sequence to the largest value of its column.
    """
    for each in sequences:
        if each.behind:
            yield Finding(
                "sequence-behind",
                f'sequence "{each.name}"',
                f'It gives {each.following} next, and "{each.table}"."{each.column}" holds {each.largest} already: '
                "an INSERT that is given a value which is taken fails (23505).",
                {"following": each.following, "largest": each.largest},
            )


def _of_order(fresh: FreshDatabase) -> Finding:
    earlier, later = one_line(fresh.earlier, 100), one_line(fresh.later, 100)
    end = f"fails: {fresh.refused}" if fresh.refused else f"differs in {describe_some(fresh.keys)}"
    message = f"{earlier} was applied before {later}, which the directory has before it. A fresh database "
    message += f"(a new stage, migrate dev) runs them in the directory's order, and {end.rstrip('.')}."
    return Finding("fresh-database-differs", short(fresh.earlier, 200), message)


def _told(each: Difference) -> tuple[str, str]:
    by = f" {each.migration} makes it" if each.migration else ""
    kind = each.key[0]
    if each.invalid:
        by = by if each.coming is None else ""  # it is told of who drops it
        return "index-invalid", f"It is there, but not valid: PostgreSQL neither uses nor fully enforces it.{_dot(by)}"
    if each.not_validated:
        return "constraint-not-validated", f"It holds for new rows only: the others were never looked at.{_dot(by)}"
    if each.kind == "missing":
        return "schema-object-missing", f"It is not there, although{by or ' the applied migrations make it'}."
    if each.kind == "extra":
        touches = f"; {each.migration} speaks of it" if each.migration else ""
        code = "enum-label-extra" if kind == "enum label" else "schema-object-extra"
        return code, f"It is there, and no applied migration makes it{touches}."
    live, expected = apart(each.live or "plain", each.expected or "plain", _LONGEST, _BEFORE)
    return "schema-object-different", short(f"It is {live}, and should be {expected}.", 600) + _dot(by)


def _of_orphan(name: str | None) -> str:
    """What is to be thought of a difference that a migration may have made which the directory has not."""
    return f" {name}, which this directory does not hold, may have done that." if name else ""


def _of_partitions(changes: PartitionChanges) -> str:
    """What became of the partitions of a table."""
    kinds = {
        "made by no migration": changes.made, "missing": changes.gone, "detached": changes.detached,
        "attached by no migration": changes.attached,
    }  # fmt: skip
    told = (f"{len(names)} {what}: {named(names)}" for what, names in kinds.items() if names)
    return f"Its partitions come and go with jobs. {'; '.join(told)}."


def _dot(text: str) -> str:
    return f"{text}." if text else ""


@check(
    finds={
        "entity-data-column-missing": "error", "entity-data-column-pending": DEPLOY_MENDS,
        "entity-data-column-nullable": "error",
    },
    explained_by={
        "entity-data-column-missing": FAILED,
        "entity-data-column-pending": (*FORESEEN, "pending-migration"),
    },
    part=Part.FRIGG,
)  # fmt: skip
def test_entity_data_column(catalog: Catalog, history: History) -> Iterator[Finding]:
    """The table Entity has its column data.

    Frigg's client reads and writes it at every request; without it they fail with P2022. It was in the
    schema file long before a migration created it, so databases exist that lack it.

    Mend it by the deploy while its migration is pending. Where that is recorded as applied and the column is
    absent, run the migration's own statement. Where somebody added it by hand, as a column that may be NULL, the
    migration has passed over it (IF NOT EXISTS): give it its default, then NOT NULL.
    """
    column, added = catalog.column("Entity", "data"), history.directory.adding_column("Entity", "data")
    if column is not None:
        if added is not None and added[0].name in history.applied and not (column.not_null and column.default):
            lacks = " and ".join([*["NOT NULL"] * (not column.not_null), *["its default"] * (not column.default)])
            message = f"Entity.data lacks {lacks}, which {added[0].name} gives it: a row without it breaks the client."
            yield Finding("entity-data-column-nullable", "Entity.data", message, {"migration": added[0].name})
        return
    if added is None:
        message = f"Entity has no column data, and no migration in {history.directory.path} adds it."
        yield Finding("entity-data-column-missing", "Entity.data", message, {"own_cause": True})
    elif added[0] in history.pending:
        yield Finding(
            "entity-data-column-pending",
            "Entity.data",
            f"Entity has no column data yet; the pending migration {added[0].name} adds it.",
            {"migration": added[0].name},
        )
    else:
        failed = added[0].name in {row.migration_name for row in history.failed}
        yield Finding(
            "entity-data-column-missing",
            "Entity.data",
            f"Entity has no column data, although {added[0].name}, which adds it, is recorded as "
            f"{'failed' if failed else 'applied'}.",
            {"migration": added[0].name},
        )
