"""Databases with rows, and a migration that somebody is about to edit: what --editing must answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from fixtures.clone.server import CloneServer
from health.migrations.directory import MigrationDirectory
from tests.support.lineage import Live, applied, directory

FIRST = """
CREATE TYPE "Kind" AS ENUM ('A', 'B');
CREATE TABLE "T" ("id" INT PRIMARY KEY, "x" INT, "t" TEXT, "k" "Kind");
CREATE TABLE "C" ("id" INT PRIMARY KEY, "of" INT);
"""
ROWS = """INSERT INTO "T" VALUES (1, 7, '1', 'A'), (2, 7, 'two', 'B'), (3, NULL, '3', 'A');
INSERT INTO "C" VALUES (1, 1), (2, 9);"""
NAME = "2_edit"
TABLE = 'CREATE TABLE "U" ("id" INT PRIMARY KEY);\n'
UNIQUE = 'CREATE UNIQUE INDEX "u" ON "T"("x");\n'
INDEX = 'CREATE INDEX "i" ON "T"("x");\n'
FOREIGN_KEY = 'ALTER TABLE "C" ADD CONSTRAINT "f" FOREIGN KEY ("of") REFERENCES "T"("id");\n'
# As Prisma writes it where a value is taken out of an enum.
ENUM = """BEGIN;
CREATE TYPE "Kind_new" AS ENUM ('A');
ALTER TABLE "T" ALTER COLUMN "k" TYPE "Kind_new" USING ("k"::text::"Kind_new");
ALTER TYPE "Kind" RENAME TO "Kind_old";
ALTER TYPE "Kind_new" RENAME TO "Kind";
DROP TYPE "Kind_old";
COMMIT;
"""
FEW = "DO $$ BEGIN IF (SELECT count(*) FROM \"T\") > 5 THEN RAISE 'too many'; END IF; END $$;\n"
PROVEN, EDITED = "it needs no edit: it applies in dev", "the edit below is proven in dev"


@dataclass(frozen=True)
class EditCase:
    """A database and its migrations.

    Attributes:
        script: of the migration.
        answer: what the answer holds.
        sqlstate: with which the deploy of the answer's file ends; None where it ends well.
        there: what was run beside the applied migrations.
        rows: what was inserted.
        failed: whether the migration has a failed row.
        behind: the migrations behind it.
        before: a migration before it that is pending.
    """

    script: str
    answer: str
    sqlstate: str | None = None
    there: str = ""
    rows: str = ROWS
    failed: bool = False
    behind: Mapping[str, str] = field(default_factory=dict)
    before: str | None = None

    @property
    def held(self) -> MigrationDirectory:
        before = {} if self.before is None else {"1_pending": self.before}
        return directory({"1_first": FIRST, **before, NAME: self.script, **self.behind})

    @contextmanager
    def live(self, server: CloneServer) -> Iterator[Live]:
        """The database."""
        held = self.held
        with applied(server, held, before=held.migrations[1].name) as live:
            live.run(*filter(None, (self.there, self.rows)))
            if self.failed:
                live.record(NAME, "failed", "ERROR: it failed")
            yield live


def violated(rows: str, line: int, sqlstate: str) -> str:
    return f"applies to the schema, but in dev {rows} it (line {line}, {sqlstate})"


CASES: Mapping[str, EditCase] = {
    "column without a value": EditCase(
        'ALTER TABLE "T" ADD COLUMN "y" INT NOT NULL;', violated("3 rows of T violate", 1, "23502"), "23502"
    ),
    "column without a value, no rows": EditCase('ALTER TABLE "T" ADD COLUMN "y" INT NOT NULL;', PROVEN, rows=""),
    "not null": EditCase(
        'ALTER TABLE "T" ALTER "x" SET NOT NULL;', violated("1 row of T violates", 1, "23502"), "23502"
    ),
    "duplicates": EditCase(UNIQUE, violated("2 rows of T violate", 1, "23505"), "23505"),
    "check": EditCase(
        'ALTER TABLE "T" ADD CONSTRAINT "c" CHECK ("x" > 7);', violated("2 rows of T violate", 1, "23514"), "23514"
    ),
    "orphans": EditCase(FOREIGN_KEY, violated("1 row of C violates", 1, "23503"), "23503"),
    "cast": EditCase(
        'ALTER TABLE "T" ALTER "t" TYPE INT USING "t"::int;', "applies to the schema, but in dev ", "22P02"
    ),
    "enum value in use": EditCase(ENUM, violated("1 row of T violates", 3, "22P02"), "22P02"),
    "enum value that nobody uses": EditCase(ENUM, PROVEN, rows=ROWS.replace("'B'", "'A'")),
    "key that exists": EditCase(
        'INSERT INTO "T" VALUES (1, 8);', violated("1 row of T violates", 1, "23505"), "23505"
    ),
    "referenced rows": EditCase(
        'DELETE FROM "T" WHERE "id" = 1;', violated("1 row of T violates", 1, "23503"), "23503",
        there=FOREIGN_KEY, rows=ROWS.replace(", (2, 9)", ""),
    ),
    "rows are put right first": EditCase(
        'UPDATE "T" SET "x" = 1 WHERE "x" IS NULL;\nALTER TABLE "T" ALTER "x" SET NOT NULL;', PROVEN
    ),
    "what hangs on rows is not foreseen": EditCase(FEW, "unproven: in dev, pending-data-unasked: Not foreseen"),
    "failed, nothing is left": EditCase(INDEX, PROVEN, failed=True),
    "failed on duplicates": EditCase(UNIQUE, violated("2 rows of T violate", 1, "23505"), "23505", failed=True),
    "half run": EditCase(TABLE + INDEX, EDITED, there=TABLE, failed=True),
    "half run, the rest over duplicates": EditCase(
        TABLE + UNIQUE, f"the edit below {violated('2 rows of T violate', 2, '23505')}", "23505", there=TABLE,
        failed=True,
    ),
    "half run, the rest without a value": EditCase(
        f'{TABLE}ALTER TABLE "T" ADD COLUMN "y" INT NOT NULL;',
        f"the edit below {violated('3 rows of T violate', 2, '23502')}", "23502", there=TABLE, failed=True,
    ),
    "the next one meets duplicates": EditCase(
        TABLE, "unproven: in dev, the file applies, but the deploy does not end well behind it: pending-data-violates, "
        "3_next", "23505", there=TABLE, behind={"3_next": UNIQUE},
    ),
    "the next one makes the same": EditCase(
        TABLE, "unproven: in dev, the file applies, but the deploy does not end well behind it: "
        "pending-migration-fails, 3_next", "42P07", there=TABLE, behind={"3_next": TABLE},
    ),
    "the one before it meets duplicates": EditCase(
        INDEX, "unproven: in dev, the deploy does not come to it: pending-data-violates, 1_pending", "23505",
        before=UNIQUE,
    ),
}  # fmt: skip
