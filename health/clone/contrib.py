"""The extensions that come with PostgreSQL itself, of every version from 13 to 18."""

from __future__ import annotations

# Without the languages, and what is for them: those need programs of the machine.
_NAMES = """
amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw fuzzystrmatch
hstore insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache pg_freespacemap pg_prewarm
pg_stat_statements pg_trgm pg_visibility pgcrypto pgrowlocks pgstattuple plpgsql postgres_fdw refint seg sslinfo
tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp xml2
"""
CONTRIB = frozenset(_NAMES.split())
