"""What a person sees of ``--editing``."""

from __future__ import annotations

from datetime import UTC, datetime

from health.editing.advice import EditConflict, MigrationState, unified
from health.editing.report import EditingAnswer, EnvironmentAnswer, Step, report
from health.editing.verdict import EditVerdict
from health.sql.failure import SqlFailure

THERE = EditConflict(0, 1, 'CREATE TABLE "A" ();', SqlFailure('relation "A" already exists', "42P07"))
PENDING = MigrationState("pending", None, "pending.")
STEPS = (Step("Commit the file:", "git commit\n::error::x"), Step("Deploy dev."))
DIFF = unified("1_a", 'CREATE TABLE "A" ();', 'CREATE TABLE IF NOT EXISTS "A" ();\n')


def test_the_answer_comes_first_then_each_environment_the_edit_and_the_warnings() -> None:
    places = (
        EnvironmentAnswer("dev", PENDING, conflicts=(THERE,), verdict=EditVerdict(asked=1)),
        EnvironmentAnswer("prod", PENDING, verdict=EditVerdict()),
    )
    told = EditingAnswer("1_a", places, diff=DIFF, traps=("A trap.",), warnings=("A warning.",), steps=STEPS)
    assert (
        "\n".join(report(told))
        == """\
1_a: may be edited: applied nowhere; the edit below is proven in dev, prod

dev: pending.
  line 1: 42P07 relation "A" already exists
    CREATE TABLE "A" ();
    What it makes is there already.
  proven: the whole deploy was run on a clone; 1 question to its rows answered

prod: pending.
  proven: the whole deploy was run on a clone; no row matters

The edit, for patch -p1 in the migrations directory:

--- a/1_a/migration.sql
+++ b/1_a/migration.sql
@@ -1 +1 @@
-CREATE TABLE "A" ();
\\ No newline at end of file
+CREATE TABLE IF NOT EXISTS "A" ();

Then, in this order:
   1  Commit the file:
      git commit
      |::error::x
   2  Deploy dev.

The directory:
  A trap.

Before you edit:
  A warning."""
    )


def test_one_environment_that_has_it_or_cannot_be_asked_decides() -> None:
    applied = MigrationState("applied", datetime(2026, 1, 2, tzinfo=UTC), "applied.")
    proven = EnvironmentAnswer("dev", PENDING, verdict=EditVerdict())
    assert EditingAnswer("1", (proven, EnvironmentAnswer("prod", applied))).answer == (
        1,
        "do not edit: applied in prod since 2026-01-02",
    )
    assert EditingAnswer("1", (proven, EnvironmentAnswer("prod", why_unanswered="no way"))).answer == (
        10,
        "unknown: prod could not be read: no way",
    )
    assert EditingAnswer("1", (proven, EnvironmentAnswer("prod", PENDING))).answer[0] == 1
    assert EditingAnswer("1", (proven, EnvironmentAnswer("prod", PENDING, why_unanswered="no clone"))).answer == (
        1,
        "unproven: in prod, no clone",
    )


def test_rows_that_violate_the_file_are_counted_for_each_environment() -> None:
    two = EditVerdict(violations=("2 rows of T violate it (line 1, 23505)",))
    places = (EnvironmentAnswer("dev", PENDING, verdict=EditVerdict()), EnvironmentAnswer("prod", PENDING, verdict=two))
    said = "applies to the schema, but in prod 2 rows of T violate it (line 1, 23505)"
    assert EditingAnswer("1", places).answer == (1, said)
    assert EditingAnswer("1", places, diff=DIFF).answer == (1, f"the edit below {said}")
    assert EditingAnswer("1", places).leads_on


def test_what_stops_the_deploy_beside_the_file_is_no_proof() -> None:
    stopped = EditVerdict("a deploy stops with P3009 at 0", ("2 rows of T violate it (line 1, 23505)",))
    answer = EditingAnswer("1", (EnvironmentAnswer("dev", PENDING, verdict=stopped),))
    assert answer.answer == (1, "unproven: in dev, a deploy stops with P3009 at 0")
    assert not answer.leads_on
