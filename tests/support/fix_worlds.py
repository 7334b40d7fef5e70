"""Databases in each state in which a fix is SQL, and all that one holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from health.prisma.engine import TABLE
from tests.support.fix_cases import CASES, OBJECTS, Facts, fixes_of
from tests.support.fix_situations import situations
from tests.support.history_table import TABLE as HISTORY
from tests.support.history_table import going_on, put

_EMPTY = """
DROP SCHEMA IF EXISTS public, aside CASCADE; DROP SCHEMA IF EXISTS aside CASCADE;
CREATE SCHEMA public; CREATE SCHEMA aside; SET search_path = public
"""
_T = 'CREATE TABLE "T" (a integer, b integer{more}); INSERT INTO "T" VALUES (1, 2);'
_F = "CREATE FUNCTION f() RETURNS text LANGUAGE sql RETURN '{}2'::text;"
_ON_F = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
_ENTITY = 'CREATE TABLE "Entity" (id integer); INSERT INTO "Entity" VALUES (1);'
_INVALID = "UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'public.{}'::regclass;"
_HOLDS: dict[str, str] = {
    **dict.fromkeys(CASES, OBJECTS),
    "no column data": OBJECTS + _ENTITY,
    "no history, 0": 'CREATE TABLE "Foreign" ()',
    "no history, 1": 'CREATE TABLE "Foreign" (); CREATE TABLE "T0" ()',
    "no history, 2": 'CREATE TABLE "Foreign" (); CREATE TABLE "T0" (); CREATE TABLE "T1" ()',
    "an emptied history": 'CREATE TABLE "Foreign" (); CREATE TABLE "T0" (); CREATE TABLE "T1" ()',
    "a column is gone": _T.replace("{more}", ""),
    "a needed column is gone": 'CREATE TABLE "T" (a integer)',
    "a column may be null": _T.replace("{more}", ", o integer").replace("2)", "2, 3)"),
    "a column may not be null": _T.replace("{more}", ", o integer NOT NULL DEFAULT 1"),
    "a constraint is gone": _T.replace("{more}", ""),
    "a constraint is another": _T.replace("{more}", ", CONSTRAINT o CHECK (a > 1)").replace("(1,", "(3,"),
    "a constraint is not validated": _T.replace("{more}", "")
    + 'ALTER TABLE "T" ADD CONSTRAINT o CHECK (a > 0) NOT VALID',
    "an index is gone": _T.replace("{more}", ""),
    "an index is another": _T.replace("{more}", "") + 'CREATE UNIQUE INDEX o ON "T" (a)',
    "an index is not valid": _T.replace("{more}", "") + 'CREATE UNIQUE INDEX o ON "T" (a);' + _INVALID.format("o"),
    "an index too many": _T.replace("{more}", "") + 'CREATE UNIQUE INDEX o ON "T" (a)',
    "a label is gone": "CREATE TYPE \"T\" AS ENUM ('a')",
    "a trigger is off": _ON_F + _T.replace("{more}", "") + 'CREATE TRIGGER o AFTER UPDATE ON "T" FOR EACH ROW '
    'EXECUTE FUNCTION f(); ALTER TABLE "T" DISABLE TRIGGER o',
    "a rule is gone": _T.replace("{more}", ""),
    "a function is another": _F,
    "a procedure is gone": "",
    "statistics are gone": _T.replace("{more}", ""),
    "a domain's constraint is another": 'CREATE DOMAIN "T" AS integer; '
    'ALTER DOMAIN "T" ADD CONSTRAINT o CHECK (value > 0) NOT VALID',
    "a table's comment is gone": 'CREATE TABLE aside."T" (a integer)',
    "a column's comment is another": _T.replace("{more}", ", o integer") + "COMMENT ON COLUMN \"T\".o IS 'b'",
    "a function's comment is gone": _F,
    "a column of another schema is gone": 'CREATE TABLE aside."T" (a integer); INSERT INTO aside."T" VALUES (1)',
    "a sequence is behind": _T.replace("{more}", ", o integer")
    + "UPDATE \"T\" SET o = 7; CREATE SEQUENCE s; SELECT nextval('s')",
    "data may be null": 'CREATE TABLE "Entity" (id integer, data jsonb); '
    "INSERT INTO \"Entity\" VALUES (1, NULL), (2, '[]')",
    "an index to be dropped": _T.replace("{more}", ""),
    "an index is left invalid": _T.replace("{more}", "") + 'CREATE INDEX i ON "T" (a);' + _INVALID.format("i"),
}  # fmt: skip
_NO_HISTORY = ("no history, 0", "no history, 1", "no history, 2")
STATES: dict[str, tuple[str, Facts]] = {title: (code, facts) for title, code, facts in situations()}


_EVERYTHING = r"""
WITH spaces AS (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'aside')),
  relations AS (SELECT * FROM pg_class WHERE relnamespace IN (SELECT oid FROM spaces))
SELECT concat_ws(' ', oid::regclass, relkind, reloptions, relacl, relreplident, reltablespace) FROM relations
UNION ALL SELECT concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
    pg_get_expr(adbin, adrelid), attacl)
  FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE attrelid IN (SELECT oid FROM relations) AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT concat_ws(' ', conrelid::regclass, contypid::regtype, conname, pg_get_constraintdef(oid))
  FROM pg_constraint WHERE connamespace IN (SELECT oid FROM spaces)
UNION ALL SELECT concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, indisclustered, indisreplident)
  FROM pg_index WHERE indrelid IN (SELECT oid FROM relations)
UNION ALL SELECT concat_ws(' ', pg_get_triggerdef(oid), tgenabled)
  FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM relations) AND NOT tgisinternal
UNION ALL SELECT concat_ws(' ', pg_get_ruledef(oid), ev_enabled)
  FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM relations)
UNION ALL SELECT concat_ws(' ', polname, polrelid::regclass) FROM pg_policy
UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace IN (SELECT oid FROM spaces)
UNION ALL SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxnamespace IN (SELECT oid FROM spaces)
UNION ALL SELECT concat_ws(' ', enumtypid::regtype, enumlabel) FROM pg_enum
UNION ALL SELECT concat_ws(' ', pg_describe_object(classoid, objoid, objsubid), description) FROM pg_description
  WHERE objoid >= 16384
"""


# The query that gives every row of these schemas.
_ROWS = r"""
SELECT string_agg(format('SELECT concat(%L, regexp_replace(row(t.*)::text, %L, %L, %L)) FROM %s t', oid::regclass,
  '(?!2026-0)20\d\d-\d\d-\d\d [\d:.+]+', 'now', 'g', oid::regclass), ' UNION ALL ')
FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'aside'))
  AND relkind IN ('r', 'S')
"""


@dataclass(frozen=True)
class SqlFix:
    """A fix as it is printed, and what has to run before it.

    Attributes:
        before: preferred fixes of the same state that are printed before it.
    """

    body: str
    undo: str | None
    before: tuple[str, ...]
    title: str


def sql_fixes() -> dict[str, tuple[str, SqlFix]]:
    """Every SQL fix of every state, by a name of its own: with the state's title."""
    named: dict[str, tuple[str, SqlFix]] = {}
    for title, (code, facts) in STATES.items():
        steps: list[str] = []
        for number, fix in enumerate(fixes_of(code, facts, "sql"), 1):
            named[f"{title}: {number}"] = (title, SqlFix(fix.body, fix.undo, tuple(steps), fix.title))
            if fix.undo is None and "by itself" in fix.title:
                steps.append(fix.body)
    return named


def prepare(database: psycopg.Connection, title: str, steps: Iterable[str] = ()) -> None:
    """Let the database of a superuser's session hold this state and nothing else, and run the steps before a fix."""
    _, facts = STATES[title]
    database.execute(_EMPTY.encode())
    if title not in _NO_HISTORY:
        database.execute(HISTORY.replace("{table}", TABLE).encode())
        if "history" in facts:
            put(database, *facts["history"].recorded.rows)
    database.execute((_HOLDS[title] or "SELECT").encode())
    for step in steps:
        assert going_on(database, step) == []


def everything(database: psycopg.Connection) -> set[str]:
    """All objects and rows of the schemas public and aside, a line each; moments of this run are no part of it."""
    database.execute("SET search_path = pg_catalog")
    try:
        ((rows,),) = database.execute(_ROWS.encode()).fetchall()
        ask = _EVERYTHING if rows is None else f"{_EVERYTHING} UNION ALL {rows}"
        return {line for (line,) in database.execute(ask.encode()).fetchall()}
    finally:
        database.execute("SET search_path = public")
