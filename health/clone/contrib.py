"""The extensions that come with PostgreSQL itself, of every version 13 to 18, and which of all a clone installs."""

from __future__ import annotations

# Without the languages, and what is for them: those need programs of the machine.
_NAMES = """
amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw fuzzystrmatch
hstore insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache pg_freespacemap pg_prewarm
pg_stat_statements pg_trgm pg_visibility pgcrypto pgrowlocks pgstattuple plpgsql postgres_fdw refint seg sslinfo
tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp xml2
"""
CONTRIB = frozenset(_NAMES.split())

# Those that only a superuser may make and a clone lets its role make: their scripts run nothing that a schema could put
# in a name's place, none of their functions runs with its owner's rights, and none leads out of the database.
_HARMLESS = """
amcheck autoinc bloom dict_xsyn earthdistance insert_username moddatetime pg_buffercache pg_freespacemap
pg_stat_statements pg_visibility pgrowlocks pgstattuple refint sslinfo vector
"""
HARMLESS = frozenset(_HARMLESS.split())
# The server's owner makes these too, before anything else is in a database.
MADE_BY_OWNER = HARMLESS | {"postgis"}
