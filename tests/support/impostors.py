"""A schema full of impostors of PostgreSQL's own names: whoever calls one of them gets an error that says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg

CALLED = "an impostor was called"
_TYPES = ("text", "varchar", "name", '"char"', "int4", "int8", "bool", "oid", "timestamptz", "jsonb", "regclass")
_RAISES = f"LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''{CALLED}: {{}}''; END'"
_MAKE = """
DO $make$
DECLARE made record;
BEGIN
  FOR made IN {these} LOOP
    BEGIN EXECUTE made.statement; EXCEPTION WHEN OTHERS THEN NULL; END;
  END LOOP;
END $make$
"""
# With the very arguments of PostgreSQL's own, and with one of each type that may fit a call better.
_FUNCTIONS = """
  SELECT format('CREATE FUNCTION evil.%I(%s) RETURNS %s ' || {raises}, proname,
           pg_get_function_identity_arguments(oid), pg_get_function_result(oid), proname) AS statement
  FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND proname = ANY ({words})
  UNION SELECT format('CREATE FUNCTION evil.%I(pg_catalog.%s) RETURNS %s ' || {raises}, proname, argument,
           pg_get_function_result(oid), proname)
  FROM pg_proc, unnest({types}) AS argument
  WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND proname = ANY ({words})
"""
_AGGREGATES = """
  SELECT format('CREATE AGGREGATE evil.%I(pg_catalog.%s) (SFUNC = evil.step, STYPE = pg_catalog.%s)', proname, argument,
           argument) AS statement
  FROM pg_proc, unnest({types}) AS argument
  WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'a' AND proname = ANY ({words})
"""
_OPERATORS = """
  SELECT format('CREATE OPERATOR evil.%s (LEFTARG = pg_catalog.%s, RIGHTARG = pg_catalog.%s, FUNCTION = evil.{both})',
           oprname, one, other) AS statement
  FROM (SELECT DISTINCT oprname FROM pg_operator WHERE oprname = ANY ({signs})) AS signs,
    unnest({types}) AS one, unnest({types}) AS other
"""
_RELATIONS = """
  SELECT format('CREATE VIEW {schema}.%I AS SELECT * FROM pg_catalog.%1$I WHERE evil.looked(%1$L)', relname)
    AS statement
  FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') AND relname = ANY ({words})
"""
_TYPE_NAMES = """
  SELECT format('CREATE DOMAIN {schema}.%I AS pg_catalog.%1$I CHECK (evil.looked(%1$L))', typname) AS statement
  FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname = ANY ({words})
"""
# Of the application's own tables, with what a statement may look for in them.
_TABLES = """
  SELECT format('CREATE VIEW {schema}.%I AS SELECT * FROM public.%1$I WHERE evil.looked(%1$L)', relname) AS statement
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
  UNION ALL SELECT format('CREATE INDEX %I ON {schema}.made (id)', relname)
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'i'
"""


_SHADOWS = """
  SELECT format('DROP VIEW IF EXISTS pg_temp.%I', relname) FROM pg_catalog.pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""


def impersonate(database: psycopg.Connection, texts: Iterable[str]) -> None:
    """Make the schema `evil`: impostors of all that these texts name."""
    text = "\n".join(texts)
    database.execute("SET search_path = pg_catalog, pg_temp")
    words = sorted({word.lower() for word in re.findall(r"\w+", text)} | {"text", "int4", "int8", "bool", "regclass"})
    signs = sorted(set(re.findall(r"[-+*/<>=~!@#%^&|`?]+", text)))
    types = _array(_TYPES)
    database.execute("DROP SCHEMA IF EXISTS evil CASCADE; CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC")
    functions = {"step(anyelement, anyelement)": "anyelement", "looked(pg_catalog.text)": "pg_catalog.bool"}
    functions |= {
        f"both(pg_catalog.{one}, pg_catalog.{other})": "pg_catalog.bool" for one in _TYPES for other in _TYPES
    }
    for name, result in functions.items():
        database.execute(f"CREATE FUNCTION evil.{name} RETURNS {result} {_RAISES.format(name)}".encode())
    names = {"words": _array(words), "signs": _array(signs), "types": types, "both": "both", "schema": "evil"}
    names["raises"] = "'" + _RAISES.format("%s").replace("'", "''") + "'"
    for these in (_FUNCTIONS, _AGGREGATES, _OPERATORS, _RELATIONS, _TYPE_NAMES):
        database.execute(_MAKE.replace("{these}", _filled(these, names)).encode())
    database.execute("SET search_path = public")


@contextmanager
def tables_shadowed(database: psycopg.Connection) -> Iterator[None]:
    """Let the schema `evil_tables` and the session's temporary one hold impostors of what is in `public`."""
    database.execute("SET search_path = pg_catalog, pg_temp; CREATE SCHEMA evil_tables")
    for schema in ("evil_tables", "pg_temp"):
        database.execute(f"CREATE TABLE {schema}.made (id pg_catalog.int4)".encode())
        database.execute(_MAKE.replace("{these}", _filled(_TABLES, {"schema": schema})).encode())
    try:
        yield
    finally:
        database.execute("SET search_path = pg_catalog, pg_temp")
        names = database.execute(_SHADOWS).fetchall()
        database.execute(b"DROP SCHEMA evil_tables CASCADE; DROP TABLE pg_temp.made")
        for (statement,) in names:
            database.execute(statement.encode())


def shadow_catalog(database: psycopg.Connection, texts: Iterable[str]) -> None:
    """Let the session's temporary schema hold impostors of PostgreSQL's own relations and types."""
    words = _array(sorted(set(re.findall(r"\w+", "\n".join(texts)))))
    database.execute("SET search_path = pg_catalog, pg_temp")
    for these in (_RELATIONS, _TYPE_NAMES):
        database.execute(_MAKE.replace("{these}", _filled(these, {"words": words, "schema": "pg_temp"})).encode())


def _filled(template: str, names: dict[str, str]) -> str:
    for name, text in names.items():
        template = template.replace(f"{{{name}}}", text)
    return template


def _array(words: Iterable[str]) -> str:
    return "ARRAY[" + ", ".join("'" + word.replace("'", "''") + "'" for word in words) + "]"
