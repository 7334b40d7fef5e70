"""What a person sees of ``--editing``."""

from __future__ import annotations

from datetime import UTC, datetime

from health.editing.advice import EditConflict, EditProof, MigrationState, unified
from health.editing.report import EditingAnswer, EnvironmentAnswer, report
from health.sql.failure import SqlFailure

THERE = EditConflict(0, 1, 'CREATE TABLE "A" ();', SqlFailure('relation "A" already exists', "42P07"))
PENDING = MigrationState("pending", None, "pending.")
DIFF = unified("1_a", 'CREATE TABLE "A" ();', 'CREATE TABLE IF NOT EXISTS "A" ();\n')


def test_the_answer_comes_first_then_each_environment_the_edit_and_the_warnings() -> None:
    places = (
        EnvironmentAnswer("dev", PENDING, conflicts=(THERE,), proof=EditProof(None, "2_b: 42P07 there")),
        EnvironmentAnswer("prod", PENDING, proof=EditProof(None)),
    )
    told = EditingAnswer("1_a", places, diff=DIFF, traps=("A trap.",), warnings=("A warning.",))
    assert (
        "\n".join(report(told))
        == """\
1_a: may be edited: applied nowhere; the edit below is proven in dev, prod

dev: pending.
  line 1: 42P07 relation "A" already exists
    CREATE TABLE "A" ();
    What it makes is there already.
  proven on a clone
  After it the next deploy stops at 2_b: 42P07 there

prod: pending.
  proven on a clone

The edit, for patch -p1 in the migrations directory:

--- a/1_a/migration.sql
+++ b/1_a/migration.sql
@@ -1 +1 @@
-CREATE TABLE "A" ();
\\ No newline at end of file
+CREATE TABLE IF NOT EXISTS "A" ();

The directory:
  A trap.

Before you edit:
  A warning."""
    )


def test_one_environment_that_has_it_or_cannot_be_asked_decides() -> None:
    applied = MigrationState("applied", datetime(2026, 1, 2, tzinfo=UTC), "applied.")
    proven = EnvironmentAnswer("dev", PENDING, proof=EditProof(None))
    assert EditingAnswer("1", (proven, EnvironmentAnswer("prod", applied))).answer == (
        1,
        "do not edit: applied in prod since 2026-01-02",
    )
    assert EditingAnswer("1", (proven, EnvironmentAnswer("prod", why_unanswered="no way"))).answer == (
        1,
        "unknown: prod could not be read: no way",
    )
    assert EditingAnswer("1", (proven, EnvironmentAnswer("prod", PENDING))).answer[0] == 1
    assert EditingAnswer("1", (proven, EnvironmentAnswer("prod", PENDING, why_unanswered="no clone"))).answer == (
        1,
        "unproven: in prod, no clone",
    )
