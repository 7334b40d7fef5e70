"""Every state in which a fix is SQL: of rows, of the schema, and of what is pending."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from health.catalog.catalog import Catalog, Column
from health.catalog.changes import Change, Replay
from health.check import CHECKS
from health.migrations.directory import Migration
from health.pending.data_check import DataCheck
from health.pending.forecast import FailingStatement, Forecast, MigrationForecast
from health.prisma.engine import checksum
from health.schema.drift import Difference, Drift
from health.schema.sequences import SequenceState as Numbers
from health.sql.failure import SqlFailure
from tests.support.fix_cases import CASES, NAME, Facts, KnownEffects, bare, environment, row


def situations(text: str = "") -> Iterator[tuple[str, str, Facts]]:
    """Each case that ends in fixes, by its title and code."""
    for title, case in CASES.items():
        yield title, case.code, case.facts(f"{NAME}{text}"[:255], text)
    for there in (0, 1, 2):
        names = [f"{number}{text}"[:255] for number in range(3)]
        yield f"no history, {there}", "no-history", bare(names, there, without_file=[1] if there == 2 else [])
    yield "an emptied history", "no-history", bare(names, 2, emptied=True)
    yield from drifted(text)
    yield "an index to be dropped", "pending-migration-fails", dropping()
    left = KnownEffects(midway=(("index", "T", f"i{text}"[:63]),))
    yield "an index is left invalid", "failed-migration", left.facts(row())


def drifted(text: str = "") -> Iterator[tuple[str, str, Facts]]:
    """Objects that are not as the migrations have them, by a title and the finding's code; a text in every name."""
    table, own = f"T{text}"[:63], f"o{text}"[:63]
    column, constraint, label = ("column", table, own), ("constraint", table, own), ("enum label", table, own)
    index, made = ("index", table, own), 'CREATE UNIQUE INDEX o ON public."T" USING btree (a)'
    plain = made.replace("UNIQUE ", "")
    trigger = 'CREATE TRIGGER o AFTER UPDATE ON public."T" FOR EACH ROW EXECUTE FUNCTION public.f()'
    rule, check = 'CREATE RULE o AS\n    ON DELETE TO public."T" DO INSTEAD NOTHING;', "CHECK ((VALUE > 0))"
    function = "CREATE OR REPLACE FUNCTION public.f()\n RETURNS text\n LANGUAGE sql\nRETURN '{}%s'::text\n"
    statistics = 'CREATE STATISTICS public.o ON a, b FROM public."T"'
    procedure = "CREATE OR REPLACE PROCEDURE aside.p()\n LANGUAGE sql\nBEGIN ATOMIC\nEND\n"
    differences = {
        "a column is gone": Difference(column, "integer DEFAULT 1", None, NAME),
        "a needed column is gone": Difference(column, "integer NOT NULL", None),
        "a column may be null": Difference(column, "integer NOT NULL DEFAULT 1", "integer", NAME),
        "a column may not be null": Difference(column, "integer", "integer NOT NULL DEFAULT 1", NAME),
        "a constraint is gone": Difference(constraint, "CHECK ((a > 0))", None, NAME),
        "a constraint is another": Difference(constraint, "CHECK ((a > 0))", "CHECK ((a > 1))", NAME),
        "a constraint is not validated": Difference(constraint, "CHECK ((a > 0))", "CHECK ((a > 0)) NOT VALID", NAME),
        "an index is gone": Difference(index, made, None, NAME),
        "an index is another": Difference(index, plain, made, NAME),
        "an index is not valid": Difference(index, made, f"{made} INVALID", NAME),
        "an index too many": Difference(index, None, made),
        "a label is gone": Difference(label, "", None, NAME),
        "a trigger is off": Difference(("trigger", table, own), trigger, f"{trigger} DISABLED", NAME),
        "a rule is gone": Difference(("rule", table, own), f"{rule} DISABLED", None, NAME),
        "a function is another": Difference(("function", "", f"public.f{text}()"), function % 1, function % 2, NAME),
        "a procedure is gone": Difference(("procedure", "", f"aside\0p{text}()"), procedure, None),
        "statistics are gone": Difference(("statistics", table, own), statistics, None, NAME),
        "a domain's constraint is another": Difference(("domain constraint", table, own), check, f"{check} NOT VALID"),
        "a table's comment is gone": Difference(
            ("comment on table", "", f"aside\0{table}"), f"people{text}", None, NAME
        ),
        "a column's comment is another": Difference(("comment on column", table, own), f"a{text}", f"b{text}", NAME),
        "a function's comment is gone": Difference(("comment on function", "", f"public.f{text}()"), "f", None, NAME),
        "a column of another schema is gone": Difference(("column", f"aside\0{table}", own), "integer", None, NAME),
    }
    for title, each in differences.items():
        facts = {"drift": Drift((each,)), "forecast": Forecast(), "environment": environment()}
        (finding,) = next(check for check in CHECKS.values() if check.id == "schema-matches-history").judge(facts)
        yield title, finding.code, facts
    behind = {"sequences": (Numbers(f"s{text}", table, own, 1, 7),), "environment": environment()}
    yield "a sequence is behind", "sequence-behind", behind
    loose = Catalog("public", (Column("Entity", "data", "jsonb", False, None),))
    facts = {**KnownEffects("all").facts(row("applied")), "catalog": loose}
    yield "data may be null", "entity-data-column-nullable", facts


def dropping() -> Facts:
    """A pending migration that drops an index which is not there."""
    index = ("index", "T", "i")
    facts = KnownEffects("all").facts(row("applied"))
    conflict = FailingStatement(SqlFailure(f'index "{index[2]}" does not exist', "42704"), 1, "DROP INDEX")
    pending = Migration("20990101000000_drops", "DROP INDEX i;", checksum("DROP INDEX i;"))
    replay = Replay({NAME: (Change(index, None, 'CREATE UNIQUE INDEX i ON public."T" USING btree (a)'),)})
    directory = replace(facts["migrations"], migrations=(*facts["migrations"].migrations, pending))
    foreseen = MigrationForecast(pending.name, conflict, (conflict,), True)
    return {
        **facts,
        "replay": replay,
        "history": replace(facts["history"], directory=directory),
        "forecast": Forecast((foreseen,), None, True),
        "data_check": DataCheck(),
    }
