"""Facts about one migration and its rows, built from values, and the states that need a fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from psycopg import sql

from fixtures.history.baselining import baseline
from fixtures.history.effects import applied_effects
from health.api.routes import Routes
from health.catalog.catalog import Catalog, Column, Key
from health.catalog.changes import Change, Replay
from health.check import CHECKS
from health.config.environment import Environment
from health.finding import Finding, Fix
from health.history.effects import EffectReader, MissingStatements
from health.history.history import History
from health.history.provenance import Provenance, Version
from health.history.rows import HistoryTable, LockHolder, Row
from health.migrations.directory import Migration, MigrationDirectory
from health.pending.forecast import FailingStatement, Forecast, MigrationForecast
from health.prisma.engine import checksum
from health.reconstruction.reconstruction import Reconstruction
from health.sanitize import printable
from health.sql.failure import SqlFailure
from plugins import fixes
from plugins.run.check_catalog import all_checks

all_checks()  # registers them

NOW = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=UTC)
NAME = "20260101000000_known"
FILE = 'ALTER TABLE "Entity" ADD COLUMN IF NOT EXISTS "data" JSONB NOT NULL DEFAULT \'{}\';\n'
COMMENTED = f"-- as it was applied\n{FILE}"  # the same statements
ANOTHER = "SELECT 1;\n"
UNSEEN = 'UPDATE "Entity" SET "data" = \'{}\';'
LATE = 'CREATE INDEX "Made_late_idx" ON "Made" (extra)'

# What the migration makes, and its PostgreSQL twin.
MADE: dict[Key, str] = {
    ("enum", "", "Bare"): "",
    ("enum", "", "Kind"): "",
    ("enum label", "Kind", "a"): "",
    ("table", "", "Made"): "",
    ("column", "Made", "extra"): "text",
    ("constraint", "Made", "Made_pkey"): "PRIMARY KEY (id)",
    ("index", "Made", "Made_extra_idx"): "CREATE INDEX",
    ("column", "Other", "added"): "integer",
}
OBJECTS = """
DROP TABLE IF EXISTS "Made", "Other"; DROP TYPE IF EXISTS "Kind", "Bare";
CREATE TYPE "Bare" AS ENUM ();
CREATE TYPE "Kind" AS ENUM ('a');
CREATE TABLE "Made" (id integer PRIMARY KEY, extra text);
CREATE INDEX "Made_extra_idx" ON "Made" (extra);
CREATE TABLE "Other" (id integer, added integer);
"""
BY_ITSELF = 'CREATE INDEX CONCURRENTLY "Made_late_idx" ON "Made" (extra)'
CLEAN = 'DROP INDEX IF EXISTS "Made_late_idx"; COMMENT ON TABLE "Made" IS NULL'
MISSING: dict[Key, str] = {("index", "Made", "Made_late_idx"): ""}

RowKind = Literal[
    "failed", "crashed", "applied", "edited", "commented", "hand-written", "rolled back", "taken back", "edited before"
]
STATES: tuple[RowKind, ...] = get_args(RowKind)
CHECKSUMS: dict[RowKind, str] = {
    "edited": checksum(ANOTHER),
    "edited before": checksum(ANOTHER + ANOTHER),
    "commented": checksum(COMMENTED),
    "hand-written": "manual",
}
Facts = dict[str, Any]


def row(state: RowKind = "failed", **changes: Any) -> Row:
    """A row of the migration, three hours old."""
    started = changes.pop("started_at", NOW - timedelta(hours=3))
    made = Row("8b5ae4b2-1", CHECKSUMS.get(state, checksum(FILE)), None, NAME, None, None, started, 0)
    if state in ("failed", "rolled back"):
        made = replace(made, logs="ERROR")
    if state not in ("failed", "crashed", "rolled back"):
        made = replace(made, finished_at=started + timedelta(seconds=1), applied_steps_count=1)
    if state in ("rolled back", "taken back", "edited before"):
        made = replace(made, rolled_back_at=started + timedelta(minutes=1))
    return replace(made, **changes)


@dataclass(frozen=True)
class KnownEffects:
    """What is known beside the rows.

    Attributes:
        renamed: whether the directory has it under another name than the rows.
        extent: how much of what the migration makes is in the catalog; None where that cannot be learnt.
        made: what it makes; ``missing`` comes to it where only a part is there.
        repair: what would complete it.
        again: what the script says on top of what is there.
        unseen: statements that leave no trace and may have run.
        midway: the invalid indexes that it has left.
        stored: texts of the migration's file that git has.
    """

    extent: Literal["nothing", "part", "all"] | None = "nothing"
    on_disk: bool = True
    renamed: bool = False
    repair: tuple[str, ...] = ()
    atomic: bool = True
    again: str | None = None
    unseen: tuple[str, ...] = ()
    midway: tuple[Key, ...] = ()
    stored: tuple[str, ...] = ()
    made: Mapping[Key, str] = field(default_factory=lambda: MADE)
    missing: Mapping[Key, str] = field(default_factory=lambda: MISSING)
    schema: str = "public"
    extra_columns: tuple[str, ...] = ()
    lock_holder: LockHolder | None = None

    def facts(self, *rows: Row, name: str = NAME) -> Facts:
        """All facts that the checks and fixes of the history take."""
        there = self.on_disk and not self.renamed
        on_disk = f"{name}_now"[:255] if self.renamed else name
        migrations = (Migration(on_disk, FILE, checksum(FILE)),) if self.on_disk else ()
        directory = MigrationDirectory("/app/migrations", "a test", migrations, 'provider = "postgresql"\n')
        ordered = tuple(sorted(rows, key=lambda each: each.started_at))
        recorded = HistoryTable(self.schema, True, ordered, NOW, self.extra_columns, lock_holder=self.lock_holder)
        history = History(directory, recorded)
        makes = {**self.made, **self.missing} if self.extent == "part" else self.made
        changes = tuple(Change(key, None, definition) for key, definition in makes.items())
        replay = Replay({name: changes} if there else {}) if self.extent else Replay(problem="no clone")
        catalog = catalog_of({} if self.extent == "nothing" else self.made, self.schema)
        migration_effects = {
            each: EffectReader(history, replay, catalog).of(each) for each in {name, *history.failed_by_name}
        }
        repair = MissingStatements(tuple(range(len(self.repair))), self.repair, self.atomic)
        known = replace(
            migration_effects[name], repair=repair, again=self.again, unseen=self.unseen, midway=self.midway
        )
        migration_effects[name] = known
        versions = tuple(Version("c0ffee", NOW, f"db/{name}/migration.sql", checksum(t), t) for t in self.stored)
        facts = {
            "history": history,
            "migrations": directory,
            "migration_effects": migration_effects,
            "forecast": self._forecast(name),
            "squash": None,
            "replay": replay,
            "replay_required": replay,
            "catalog": catalog,
            "provenance": Provenance({name: versions}),
            "environment": environment(schema=self.schema),
            "api_routes": Routes("/admin/db-migrate/resolve"),
        }
        return _with_lazy(facts)

    def _forecast(self, name: str) -> Forecast:
        """What a deploy on a copy said, where the script does not run on top of what is there."""
        if self.again is None:
            return Forecast()
        return Forecast((MigrationForecast(name, FailingStatement(SqlFailure(self.again, "42P07"), 1)),))


def _with_lazy(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts, with those that are read from others of them as these stand."""
    facts = {"reconstruction": Reconstruction(), **facts}
    given: Any = facts
    return {
        **facts,
        "applied_effects": applied_effects(facts["history"], None, given),
        "baseline": baseline(facts["history"], given),
    }


def environment(**changes: Any) -> Environment:
    """One that fixes can name."""
    made = Environment("dev", "dev", app=Path("/app"), migrations=Path("/app/migrations"), api_url="https://api.test/")
    return replace(made, **changes)


def catalog_of(objects: Mapping[Key, str], schema: str = "public") -> Catalog:
    """A catalog with these objects."""
    columns = tuple(Column(key[1], key[2], text, False, None) for key, text in objects.items() if key[0] == "column")
    return Catalog(schema, columns, tuple((key, text) for key, text in objects.items() if key[0] != "column"))


def comment(text: str) -> str:
    """A statement of a migration that holds a text, where it can be printed."""
    statement = sql.SQL('COMMENT ON TABLE "Made" IS {}').format(sql.Literal(text)).as_string(None)
    return statement if printable(statement) == statement else "COMMENT ON TABLE \"Made\" IS 'plain'"


@dataclass(frozen=True)
class Case:
    """A state, by the rows of the migration that make it and what is known beside."""

    code: str
    states: tuple[RowKind, ...]
    shape: KnownEffects

    def facts(self, name: str = NAME, text: str = "", others: Iterable[Row] = ()) -> Facts:
        """The facts, with a text from outside wherever there is place for one."""
        return self.of(name, text, [*self.rows(name, text), *others])

    def of(self, name: str, text: str, rows: Sequence[Row]) -> Facts:
        """The facts with other rows."""
        repair = (*self.shape.repair, comment(text)) if self.shape.repair else ()
        return replace(self.shape, repair=repair).facts(*rows, name=name)

    def rows(self, name: str = NAME, text: str = "", place: int = 0) -> Iterator[Row]:
        """The rows, an hour apart; those of several places stand in one table."""
        for number, state in enumerate(self.states):
            changes = {"checksum": text[:64]} if state == "hand-written" and text else {}
            yield row(
                state,
                id=f"{place}{number}{text}"[:36],
                migration_name=name,
                logs=None if state == "crashed" else "" if state == "applied" else f"ERROR{text}",
                started_at=NOW - timedelta(hours=9 - number),
                **changes,
            )


CASES: dict[str, Case] = {
    "failed before all": Case("failed-migration", ("failed",), KnownEffects()),
    "failed several times": Case("failed-migration", ("rolled back", "failed", "failed", "crashed"), KnownEffects()),
    "failed behind all": Case("failed-migration", ("failed", "failed"), KnownEffects("all")),
    "failed before all that is seen": Case("failed-migration", ("failed",), KnownEffects(unseen=(UNSEEN,))),
    "failed behind all that is seen": Case("failed-migration", ("failed",), KnownEffects("all", unseen=(UNSEEN,))),
    "failed, nobody knows": Case("failed-migration", ("failed",), KnownEffects(None)),
    "failed, not on disk": Case("failed-migration", ("failed", "failed"), KnownEffects(on_disk=False)),
    "crashed behind all": Case("crashed-migration", ("crashed",), KnownEffects("all")),
    "crashed before all": Case("crashed-migration", ("crashed", "crashed"), KnownEffects()),
    "half applied": Case("half-applied-migration", ("failed", "crashed"), KnownEffects("part", repair=(LATE,))),
    "half applied, in steps": Case(
        "half-applied-migration",
        ("failed",),
        KnownEffects("part", repair=(BY_ITSELF,), atomic=False),
    ),
    "failed and applied": Case("failed-and-applied", ("applied", "failed", "crashed"), KnownEffects("all")),
    "orphaned": Case("orphaned-migration", ("applied",), KnownEffects(on_disk=False)),
    "orphaned, in git": Case("orphaned-migration", ("applied",), KnownEffects(on_disk=False, stored=(FILE,))),
    "orphaned, renamed": Case("orphaned-migration", ("applied",), KnownEffects(renamed=True)),
    "phantom": Case("phantom-row", ("applied", "applied"), KnownEffects()),
    "duplicated": Case("duplicated-row", ("edited", "applied", "applied"), KnownEffects("all")),
    "hand-written": Case("hand-written-row", ("hand-written",), KnownEffects("all")),
    "edited": Case("edited-migration", ("edited",), KnownEffects("all")),
    "edited, in git": Case("edited-migration", ("edited",), KnownEffects("all", stored=(COMMENTED, ANOTHER))),
    "edited, a part missing": Case("edited-migration", ("edited",), KnownEffects("part", repair=(LATE,))),
    "edited after it was rolled back": Case("edited-migration", ("edited before", "edited"), KnownEffects("all")),
    "comment edited": Case("comment-edited-migration", ("commented",), KnownEffects("all", stored=(COMMENTED,))),
    "pending behind all": Case("pending-objects-exist", (), KnownEffects("all", again="it exists")),
    "pending, rolled back, behind all": Case(
        "pending-objects-exist", ("taken back", "rolled back"), KnownEffects("all", again="it exists")
    ),
    "pending behind a part": Case("pending-objects-exist", (), KnownEffects("part", repair=(LATE,), again="it exists")),
    "no column data": Case("entity-data-column-missing", ("applied",), KnownEffects("all")),
}
ROW_CODES = sorted({case.code for case in CASES.values()} - {"entity-data-column-missing"})


def bare(
    names: Sequence[str], there: int, schema: str = "public", without_file: Sequence[int] = (), *, emptied: bool = False
) -> Facts:
    """A database without a history. Each migration makes a table T0, T1, …; those of the first ``there`` exist.

    With ``emptied`` the table of the history is there, without a row.
    """
    makes: dict[str, tuple[Change, ...]] = {}
    migrations = []
    for number, name in enumerate(names):
        has_file = number not in without_file
        migrations.append(Migration(name, *((FILE, checksum(f"{number} {name}")) if has_file else (None, None))))
        makes[name] = (Change(("table", "", f"T{number}"), None, ""),) if has_file else ()
    directory = MigrationDirectory("/app/migrations", "a test", tuple(migrations), 'provider = "postgresql"\n')
    made = {change.key: "" for name in names[:there] for change in makes[name]}
    facts = {
        "history": History(directory, HistoryTable(schema, emptied, (), NOW, base_tables=("Foreign",))),
        "migrations": directory,
        "replay": Replay(makes),
        "catalog": catalog_of({("table", "", "Foreign"): "", **made}, schema),
        "environment": environment(schema=schema),
    }
    return _with_lazy(facts)


def found(code: str, facts: Facts) -> list[Finding]:
    """The findings of one code, as its check tells them."""
    (check,) = [check for check in CHECKS.values() if code in check.finds]
    return [finding for finding in check.judge(facts) if finding.code == code]


def suggested(finding: Finding, facts: Facts) -> tuple[list[Fix], str]:
    """The fixes of a finding, and why there are not more."""
    built, reason = fixes.suggest(finding, facts)
    assert "defect" not in (reason or ""), reason
    assert "could not be read" not in (reason or ""), reason
    return built, reason or ""


def fixes_of(code: str, facts: Facts, kind: str = "") -> list[Fix]:
    """The fixes of all findings of one code, of one kind if that is wanted."""
    built = [fix for finding in found(code, facts) for fix in suggested(finding, facts)[0]]
    return [fix for fix in built if not kind or fix.kind == kind]
