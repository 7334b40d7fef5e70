"""Objects that the application needs to run."""

from collections.abc import Iterator

from health.catalog.catalog import Catalog
from health.check import DEPLOY_MENDS, check
from health.finding import Finding
from health.history.history import History


@check(
    finds={
        "entity-data-column-missing": "error", "entity-data-column-pending": DEPLOY_MENDS,
        "entity-data-column-nullable": "error",
    }
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
        yield Finding("entity-data-column-missing", "Entity.data", message)
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
