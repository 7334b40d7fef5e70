"""No fix is proven while PostgreSQL's own pg_dump sees another schema, or while the environment would lose rows."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest

import fixtures.clone.schema_dump
import fixtures.data.lost_rows
from fixtures.clone.rehearsal import stage
from fixtures.clone.replays import Replays
from fixtures.clone.server import CloneServer, clone
from fixtures.facts import READERS, FactReader
from health.finding import Finding, Fix
from health.report.results import RehearsalOutcome
from health.schema.drift import Drift
from plugins.paths import ROOT
from plugins.run.check_catalog import all_checks
from plugins.run.check_runner import finding_result
from plugins.run.fix_rehearsal import FixRehearsal
from plugins.run.schema_proof import SchemaProof
from tests.support.lineage import Live, applied, directory

SPELT = """
CREATE TABLE "T" (id int PRIMARY KEY, a varchar(9) CHECK (a IN ('x', 'y')), b text DEFAULT 'one');
CREATE INDEX i ON "T" (a) WHERE a NOT IN ('x', 'y');
CREATE VIEW v AS SELECT a FROM "T" WHERE a IN ('x', 'y');
CREATE POLICY p ON "T" USING (a IN ('x', 'y'));
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE "S" (t int CONSTRAINT k REFERENCES "T" (id));
CREATE TABLE "Entity" (id serial PRIMARY KEY, data jsonb NOT NULL DEFAULT '{}');
"""
SECOND = 'CREATE TABLE "U" (id int); ALTER TABLE "T" ADD COLUMN c int;'
PARTED = (
    'CREATE TABLE "P" (a int PRIMARY KEY, b text) PARTITION BY LIST (a); CREATE INDEX "P_b" ON "P" (b);'
    ' CREATE TABLE "P1" PARTITION OF "P" FOR VALUES IN (1);'
)
FILES = {"1_init": SPELT, "2_next": SECOND}
ROLLED_BACK = "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '2_next';"
RECORDED = ROLLED_BACK + (
    "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', '{}', '2_next', now());"
)
OF_FAILED = frozenset({"failed-migration", "half-applied-migration"})
WRONG = "as pg_dump writes it, the schema then is not what the migrations make: "


@pytest.fixture(scope="module")
def server() -> Iterator[CloneServer]:
    with clone("public") as made:
        yield made


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own eye sees no drift at all."""
    monkeypatch.setitem(READERS, "drift", FactReader("drift", lambda history: Drift(), live=False))


@dataclass
class Judged:
    """What came of trying fixes for the only finding of a code."""

    live: Live
    finding: Finding
    rehearsal: FixRehearsal
    found: Sequence[Finding]

    def prove(self, *bodies: str) -> list[str]:
        """The status and detail of what is shown, else why it is not."""
        suggested = [Fix("sql", "Try it", body) for body in bodies]
        shown, refuted = self.rehearsal.prove(self.finding, suggested)
        refused = [each.removeprefix("Tried on a copy, and not shown: Try it: ") for each in refuted]
        return [f"{fix.proof.status}: {fix.proof.detail}" for fix in shown] + refused

    def to_the_end(self) -> RehearsalOutcome | None:
        told = (finding_result(each, "error", self.live.facts, None, self.rehearsal) for each in self.found)
        return self.rehearsal.to_the_end(list(told))


@contextmanager
def judged(
    server: CloneServer, code: frozenset[str], *by_hand: str, failed: bool = True, files: dict[str, str] = FILES
) -> Iterator[Judged]:
    """A database in which the last file has failed, with something done by hand."""
    held, last = directory(dict(files)), list(files)[-1]
    with applied(server, held, last if failed else None) as live:
        if failed:
            live.record(last, "failed", "ERROR: lock timeout")
        live.run(*by_hand)
        found = [*live.findings(), *all_checks()["schema-matches-history"].judge(live.facts)]
        found = [finding for finding in found if finding.code != "no-lock-file"]
        (finding,) = (finding for finding in found if finding.code in code)
        with closing(live.facts):
            yield Judged(live, finding, FixRehearsal(live.facts, "before"), found)


# What pg_dump sees

HARM = {
    "another default": (
        'ALTER TABLE "T" ALTER b SET DEFAULT $$two$$;', "table \"T\" has b text DEFAULT 'two'::text, and should have b",
    ),
    "a constraint that is gone": ('ALTER TABLE "S" DROP CONSTRAINT k;', 'fk constraint "S k" is missing'),
    "another action of a key": (
        'ALTER TABLE "S" DROP CONSTRAINT k; ALTER TABLE "S" ADD CONSTRAINT k FOREIGN KEY (t) REFERENCES "T" ON DELETE'
        " CASCADE;", 'fk constraint "S k" has ',
    ),
    "another body of a function": (
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';", 'function "f()" has ',
    ),
    "a column beside": ('ALTER TABLE "T" ADD extra int;', 'table "T" has extra integer, which no migration makes'),
    "a comment": ("COMMENT ON TABLE \"T\" IS 'mine';", 'comment on TABLE "T" is there, and no migration makes it'),
    "row security": ('ALTER TABLE "T" ENABLE ROW LEVEL SECURITY;', 'row security "T" is there'),
    "a history without its key": (
        "ALTER TABLE _prisma_migrations DROP CONSTRAINT _prisma_migrations_pkey;",
        'constraint "_prisma_migrations _prisma_migrations_pkey" is missing',
    ),
    "a history that gives its rows an end": (
        "ALTER TABLE _prisma_migrations ALTER finished_at SET DEFAULT now();",
        'table "_prisma_migrations" has finished_at timestamp with time zone DEFAULT now()',
    ),
    "a trigger on the history": (
        "CREATE TRIGGER g BEFORE UPDATE ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION"
        " suppress_redundant_updates_trigger();", 'trigger "_prisma_migrations g" is there',
    ),
}  # fmt: skip


@pytest.mark.usefixtures("blind")
@pytest.mark.parametrize("name", HARM)
def test_what_a_fix_does_beside_its_purpose_refutes_it(server: CloneServer, name: str) -> None:
    harm, said = HARM[name]
    with judged(server, OF_FAILED) as state:
        (told,) = state.prove(ROLLED_BACK + harm)
        assert told.startswith(WRONG + said)
        assert state.prove(ROLLED_BACK) == ["proven: on a copy"]


@pytest.mark.usefixtures("blind")
@pytest.mark.parametrize(
    ("there", "said"),
    [
        ('CREATE TABLE "U" (id int);', 'table "T" lacks c integer'),
        (SECOND.replace("id int", "id bigint"), 'table "U" has id bigint, and should have id integer'),
        (SECOND, ""),
    ],
)
def test_a_migration_is_recorded_only_where_all_of_it_is_there(server: CloneServer, there: str, said: str) -> None:
    with judged(server, OF_FAILED, there) as state:
        (told,) = state.prove(RECORDED.format(state.live.directory.by_name["2_next"].checksum))
        assert told.startswith(WRONG + said if said else "proven: on a copy")


DRIFT = frozenset({"schema-object-different", "schema-object-missing", "schema-object-extra"})
BY_HAND = 'ALTER TABLE "T" ALTER b SET DEFAULT $$two$$;'
MENDED = 'ALTER TABLE "T" ALTER b SET DEFAULT $$one$$;'
TEXTS = (
    'ALTER TABLE "T" DROP CONSTRAINT "T_a_check"; ALTER TABLE "T" ADD CONSTRAINT "T_a_check" CHECK (((a)::text = ANY'
    " (ARRAY[('x'::character varying)::text, ('y'::character varying)::text])));"
)


def test_what_a_load_spells_anew_is_no_difference(server: CloneServer) -> None:
    with judged(server, DRIFT, BY_HAND, failed=False) as state:
        assert state.prove(MENDED) == ["proven: on a copy"]
        assert state.rehearsal._schema._untouched.eye.instead == ""
        end = state.to_the_end()
        assert end is not None
        assert (end.status, end.detail) == ("proven", None)


def test_a_fix_may_spell_it_as_a_load_does(server: CloneServer) -> None:
    with judged(server, DRIFT, BY_HAND, failed=False) as state:
        assert state.prove(MENDED + TEXTS) == ["proven: on a copy"]
        (told,) = state.prove(MENDED + TEXTS.replace("'y'", "'z'"))
        assert "T_a_check" in told


def test_what_a_fix_is_for_must_have_changed(server: CloneServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding is gone, and nothing is as it should be."""
    with judged(server, DRIFT, BY_HAND, failed=False) as state:
        state.rehearsal._begin()
        monkeypatch.setitem(READERS, "drift", FactReader("drift", lambda history: Drift(), live=False))
        assert state.prove("SELECT 1;") == [
            "as pg_dump writes it, nothing that differs has changed: table \"T\" has b text DEFAULT 'two'::text, and "
            "should have b text DEFAULT 'one'::text."
        ]


def test_the_end_is_not_proven_while_pg_dump_sees_what_no_finding_names(
    server: CloneServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with judged(server, OF_FAILED, BY_HAND) as state:
        state.found = [state.finding]
        end = state.to_the_end()
        assert end is not None
        assert (end.status, end.detail) == ("proven", None)  # it is a finding of its own
        monkeypatch.setitem(READERS, "drift", FactReader("drift", lambda history: Drift(), live=False))
        end = state.to_the_end()
        assert end is not None
        assert (end.detail or "").startswith(WRONG + 'table "T" has b text DEFAULT ')


def test_what_a_finding_names_is_no_matter_of_another_fix(server: CloneServer) -> None:
    with judged(server, OF_FAILED, 'CREATE TABLE "Beside" (a varchar(9) CHECK (a IN ($$x$$, $$y$$)));') as state:
        assert state.prove(ROLLED_BACK) == ["proven: on a copy"]
        end = state.to_the_end()
        assert end is not None
        assert (end.status, end.detail) == ("proven", None)


HAND = tomllib.loads((ROOT / "tests" / "data" / "changes_by_hand.toml").read_text())
DRIFTING = {
    "every kind": (HAND["made"], [each["after"] for each in HAND["change"]]),
    "a partition that is detached": (PARTED, ['ALTER TABLE "P" DETACH PARTITION "P1";']),
    "a partition with a column less": (PARTED, ['ALTER TABLE "P" DETACH PARTITION "P1"; ALTER TABLE "P" DROP b;']),
    "a table with its partitions": (PARTED, ['DROP TABLE "P";']),
}


@pytest.mark.parametrize("case", DRIFTING)
def test_what_our_catalog_sees_to_differ_needs_no_other_eye(
    server: CloneServer, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    made, changes = DRIFTING[case]
    with applied(server, directory({"1_init": SPELT + made})) as live:
        with server.administering(live.copy) as admin:
            assert admin is not None
            admin.execute("SET search_path = public")
            for each in changes:
                admin.execute(each.encode())
        with closing(live.read()) as read, stage(read) as copy, copy.facts() as facts:
            assert SchemaProof(read).remains(copy, facts) == ""
        monkeypatch.setitem(READERS, "drift", FactReader("drift", lambda history: Drift(), live=False))
        with closing(live.read()) as read, stage(read) as copy, copy.facts() as facts:
            assert SchemaProof(read).remains(copy, facts).startswith(WRONG)


def test_what_a_deploy_does_to_what_no_file_makes_is_no_mistake(server: CloneServer) -> None:
    files = {"1_init": SPELT + PARTED, "2_next": 'ALTER TABLE "P" RENAME b TO c; ALTER TABLE "P" ADD d int;'}
    by_hand = 'CREATE TABLE "P2" PARTITION OF "P" FOR VALUES IN (2); CREATE VIEW "V" AS SELECT b FROM "P";'
    with judged(server, OF_FAILED, by_hand, files=files) as state:
        end = state.to_the_end()
        assert end is not None
        assert (end.status, end.detail) == ("proven", None)


def test_what_the_next_deploy_drops_need_not_be_as_it_was(server: CloneServer) -> None:
    files = {"1_init": SPELT, "2_next": "DROP INDEX i; CREATE FUNCTION g() RETURNS int LANGUAGE sql AS $$SELECT 1$$;"}
    with judged(server, OF_FAILED, "DROP INDEX i;", files=files) as state:
        assert state.prove(f'{ROLLED_BACK} CREATE INDEX i ON "T" (a);') == ["proven: on a copy"]
        (told,) = state.prove(f'{ROLLED_BACK} CREATE INDEX i ON "T" (a); CREATE INDEX j ON "T" (a);')
        assert told.startswith(WRONG + 'index "j" is there, and no migration makes it')


def test_files_that_do_not_run_from_empty_prove_no_change(server: CloneServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with judged(server, OF_FAILED, SECOND) as state:
        monkeypatch.setattr(Replays, "refused", lambda _, migrations: {migrations[0].name: "never again"})
        (told,) = state.prove(RECORDED.format(state.live.directory.by_name["2_next"].checksum))
        assert told == (
            "unproven: what the migrations make is not known: 1_init does not run on an empty database (never again)"
        )


def test_without_pg_dump_our_catalog_judges_and_the_proof_says_so(
    server: CloneServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fixtures.clone.schema_dump, "MOST_TABLES", 1)
    with judged(server, OF_FAILED) as state:
        assert state.prove(ROLLED_BACK) == [
            "proven: on a copy; judged by our catalog alone, as pg_dump is not run on more than 1 tables"
        ]
        monkeypatch.setitem(READERS, "drift", FactReader("drift", lambda history: Drift(), live=False))
        (told,) = state.prove(ROLLED_BACK + BY_HAND)
        assert 'column "T"."b"' in told
    with judged(server, OF_FAILED) as state:
        end = state.to_the_end()
        assert end is not None
        assert (end.status, end.detail) == ("proven", None)


# What would be lost

LOSING = {
    "1_init": 'CREATE TABLE "T" (id int PRIMARY KEY, a int, b text, c int); CREATE TABLE "O" (id int);',
    "2_drop": 'ALTER TABLE "T" DROP COLUMN a; ALTER TABLE "T" ALTER c TYPE bigint; DROP TABLE "O";',
}
ROWS = 'INSERT INTO "T" SELECT n, CASE WHEN n > 3 THEN n END, $$b$$, NULL FROM generate_series(1, 1237) n;'
MARKED = ROLLED_BACK.replace("2_next", "2_drop")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "proven: on a copy"),
        (
            ROWS,
            'unproven: it mends a copy, but the deploy then runs 2_drop again, which drops column "T"."a", which holds'
            " values in 1,234 rows",
        ),
        (
            'INSERT INTO "T" (id, c) VALUES (1, 1); INSERT INTO "O" VALUES (1);',
            'unproven: it mends a copy, but the deploy then runs 2_drop again, which drops table "O", which holds 1 row'
            '; the deploy then runs 2_drop again, which makes column "T"."c" bigint, which holds values in 1 row',
        ),
    ],
)
def test_a_file_that_runs_again_takes_no_values(server: CloneServer, rows: str, said: str) -> None:
    with judged(server, OF_FAILED, *filter(None, [rows]), files=LOSING) as state:
        (told,) = state.prove(MARKED)
        assert told.removesuffix("; leaves pending-sql-remark") == said


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "proven: on a copy"),
        (ROWS, 'unproven: it mends a copy, but it drops column "T"."extra", which holds values in 1,237 rows'),
        ('INSERT INTO "T" (id, extra) VALUES (1, NULL)', "proven: on a copy"),
    ],
)
def test_a_fix_takes_no_values(server: CloneServer, rows: str, said: str) -> None:
    extra = 'ALTER TABLE "T" ADD extra int DEFAULT 1;'
    with judged(server, DRIFT, extra, *filter(None, [rows]), failed=False, files={"1": LOSING["1_init"]}) as state:
        assert state.prove('ALTER TABLE "T" RENAME extra TO gone; ALTER TABLE "T" DROP COLUMN gone;') == [said]


def test_what_cannot_be_asked_is_not_proven(server: CloneServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixtures.data.lost_rows, "_TABLE", "SELECT 1 / 0 FROM {table} LIMIT {limit}")
    extra = ('CREATE TABLE "Beside" (id int)', 'INSERT INTO "Beside" VALUES (1)')
    with judged(server, DRIFT, *extra, failed=False, files={"1": LOSING["1_init"]}) as state:
        assert state.prove('DROP TABLE "Beside";') == [
            'unproven: it mends a copy, but it drops table "Beside", and what that holds could not be asked (22012: '
            "division by zero)"
        ]


def test_rows_are_counted_to_a_limit(server: CloneServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixtures.data.lost_rows, "MOST_ROWS", 1000)
    extra = ('CREATE TABLE "Beside" (id int)', 'INSERT INTO "Beside" SELECT generate_series(1, 2000)')
    with judged(server, DRIFT, *extra, failed=False, files={"1": LOSING["1_init"]}) as state:
        (told,) = state.prove('DROP TABLE "Beside";')
        assert told.endswith('drops table "Beside", which holds more than 1,000 rows')
