"""Whatever stands in the place of the table of Prisma, no code of its owner's runs in the suite's session."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from fixtures.history.history import recorded
from health.finding import CouldNotCheck
from tests.attack.hostile_database.conftest import LOGINS, Hostile, Login
from tests.support.lineage import environment

ENVIRONMENT = environment()
COLUMNS = "id, checksum, finished_at, migration_name, rolled_back_at, started_at, applied_steps_count"


@dataclass(frozen=True)
class Attack:
    """What an attacker does to the table.

    Attributes:
        script: with ``{schema}`` and ``{table}``.
        said: of *could not check*; None where the row is read all the same.
        since: the version that can do it.
        superuser: whether it takes one.
    """

    script: str
    said: str | None
    since: int = 13
    superuser: bool = False
    until: int = 99


_ELSEWHERE = "ALTER TABLE {schema}.{table} RENAME TO held;"
_WRAPPER = "CREATE FOREIGN DATA WRAPPER {schema}; CREATE SERVER {schema} FOREIGN DATA WRAPPER {schema};"
ATTACKS = {
    "a view": Attack(
        _ELSEWHERE + "CREATE VIEW {schema}.{table} AS SELECT " + COLUMNS + ", {schema}.strike('x') AS logs"
        " FROM {schema}.held", "is a view, not a table",
    ),
    "a view over a view": Attack(
        _ELSEWHERE + "CREATE VIEW {schema}.below AS SELECT *, {schema}.strike(1) FROM {schema}.held;"
        "CREATE VIEW {schema}.{table} AS SELECT * FROM {schema}.below", "is a view, not a table",
    ),
    "a rule that makes the table a view": Attack(
        _ELSEWHERE + "CREATE TABLE {schema}.{table} (LIKE {schema}.held);"
        'CREATE RULE "_RETURN" AS ON SELECT TO {schema}.{table} DO INSTEAD SELECT id, checksum, finished_at,'
        " migration_name, logs, rolled_back_at, started_at, applied_steps_count FROM {schema}.held"
        " WHERE {schema}.strike(1) = 1", "is a view, not a table", until=15,
    ),
    "a materialized view": Attack(
        _ELSEWHERE + "CREATE MATERIALIZED VIEW {schema}.{table} AS SELECT * FROM {schema}.held",
        "is a materialized view, not a table",
    ),
    "a sequence": Attack("DROP TABLE {schema}.{table}; CREATE SEQUENCE {schema}.{table}", "is a sequence"),
    "a foreign table": Attack(
        _WRAPPER + "DROP TABLE {schema}.{table}; CREATE FOREIGN TABLE {schema}.{table} (id text) SERVER {schema}",
        "is a foreign table", superuser=True,
    ),
    "a foreign child": Attack(
        _WRAPPER + "CREATE FOREIGN TABLE {schema}.child () INHERITS ({schema}.{table}) SERVER {schema}",
        'also in the foreign table "child"', superuser=True,
    ),
    "a foreign partition of a partition": Attack(
        _WRAPPER + _ELSEWHERE + "CREATE TABLE {schema}.{table} (LIKE {schema}.held) PARTITION BY LIST (id);"
        "CREATE TABLE {schema}.part PARTITION OF {schema}.{table} DEFAULT PARTITION BY LIST (checksum);"
        "CREATE FOREIGN TABLE {schema}.child PARTITION OF {schema}.part DEFAULT SERVER {schema}",
        'also in the foreign table "child"', superuser=True,
    ),
    "a policy": Attack(
        "ALTER TABLE {schema}.{table} ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY p ON {schema}.{table} USING ({schema}.strike(1) = 1)", "row-level security",
    ),
    "an index with a constant call": Attack(
        "CREATE INDEX i ON {schema}.{table} (({schema}.strike(1)))", "index i calls strike()",
    ),
    "an index of some rows": Attack(
        "CREATE INDEX i ON {schema}.{table} (id) WHERE {schema}.strike(1) = 1", "index i calls strike()",
    ),
    "an index of a child": Attack(
        "CREATE TABLE {schema}.child () INHERITS ({schema}.{table});"
        "CREATE INDEX i ON {schema}.child (({schema}.strike(1)))", "index i calls strike()",
    ),
    "an operator in an index": Attack(
        "CREATE OPERATOR {schema}.#@# (FUNCTION = {schema}.strike, RIGHTARG = int);"
        "CREATE INDEX i ON {schema}.{table} ((OPERATOR({schema}.#@#) 1))", "index i calls strike()",
    ),
    "a call behind a function of SQL": Attack(
        "CREATE FUNCTION {schema}.f(text) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT {schema}.strike(1)';"
        "CREATE INDEX i ON {schema}.{table} ({schema}.f(id))", "index i calls f()",
    ),
    "statistics": Attack(
        "CREATE STATISTICS {schema}.st ON ({schema}.strike(1)), id FROM {schema}.{table}", "statistics st calls", 14,
    ),
    "what it is partitioned by": Attack(
        _ELSEWHERE + "CREATE TABLE {schema}.{table} (LIKE {schema}.held)"
        " PARTITION BY RANGE ((length(id) + {schema}.strike(1)));"
        "CREATE TABLE {schema}.part PARTITION OF {schema}.{table} DEFAULT", "its partitioning calls strike()",
    ),
    "a cast of a composite type": Attack(
        "CREATE TYPE {schema}.c AS (t text); CREATE FUNCTION {schema}.as_text({schema}.c) RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN PERFORM {schema}.strike(1); RETURN 'x'; END $$;"
        "CREATE CAST ({schema}.c AS text) WITH FUNCTION {schema}.as_text AS IMPLICIT;"
        "ALTER TABLE {schema}.{table} DROP logs, ADD logs {schema}.c; UPDATE {schema}.{table} SET logs = ROW('x')",
        "a cast of type c calls as_text()",
    ),
    "a cast of an enum": Attack(
        "CREATE TYPE {schema}.e AS ENUM ('x'); CREATE FUNCTION {schema}.as_text({schema}.e) RETURNS text"
        " LANGUAGE plpgsql AS $$ BEGIN PERFORM {schema}.strike(1); RETURN 'x'; END $$;"
        "CREATE CAST ({schema}.e AS text) WITH FUNCTION {schema}.as_text AS IMPLICIT;"
        "ALTER TABLE {schema}.{table} DROP migration_name, ADD migration_name {schema}.e DEFAULT 'x'",
        "a cast of type e calls as_text()",
    ),
    "an enum without a cast": Attack(
        "CREATE TYPE {schema}.e AS ENUM ('x');"
        "ALTER TABLE {schema}.{table} DROP migration_name, ADD migration_name {schema}.e DEFAULT 'x'",
        "migration_name in a row of _prisma_migrations is not of",
    ),
    "an array": Attack(
        "ALTER TABLE {schema}.{table} ALTER id TYPE text[] USING ARRAY[id]",
        "id in a row of _prisma_migrations is not of",
    ),
    "a domain": Attack(
        "CREATE DOMAIN {schema}.d AS text; ALTER TABLE {schema}.{table} ALTER logs TYPE {schema}.d;"
        "ALTER DOMAIN {schema}.d ADD CHECK ({schema}.strike(VALUE) IS NOT NULL) NOT VALID", None,
    ),
    "a condition": Attack(
        "ALTER TABLE {schema}.{table} ADD CHECK ({schema}.strike(1) = 1) NOT VALID", None,
    ),
    "a condition of a child": Attack(
        "CREATE TABLE {schema}.child () INHERITS ({schema}.{table});"
        "ALTER TABLE {schema}.child ADD CHECK ({schema}.strike(1) = 1) NOT VALID", None,
    ),
    "a default": Attack("ALTER TABLE {schema}.{table} ALTER logs SET DEFAULT {schema}.strike('x')", None),
    "a trigger": Attack(
        "CREATE FUNCTION {schema}.t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM {schema}.strike(1);"
        " RETURN NULL; END $$; CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON {schema}.{table}"
        " EXECUTE FUNCTION {schema}.t()", None,
    ),
    "rules that write": Attack(
        "CREATE RULE r AS ON UPDATE TO {schema}.{table} DO ALSO SELECT {schema}.strike(1);"
        "CREATE RULE i AS ON INSERT TO {schema}.{table} DO INSTEAD SELECT {schema}.strike(1)", None,
    ),
    "a column of spaces": Attack("ALTER TABLE {schema}.{table} ALTER checksum TYPE char(64)", None),
    "a column that is computed": Attack(
        "ALTER TABLE {schema}.{table} ADD own text GENERATED ALWAYS AS (checksum || 'x') STORED", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("name", ATTACKS)
def test_no_code_runs_where_the_history_is_read(hostile: Hostile, name: str, login: Login) -> None:
    attack = ATTACKS[name]
    if not attack.since <= hostile.major <= attack.until:
        pytest.skip(f"PostgreSQL {hostile.major} cannot do it")
    schema = hostile.made(attack.script, superuser=attack.superuser)
    said = None if login == "postgres" and name == "a policy" else attack.said  # it holds for no superuser
    session, place = hostile.session(login), replace(ENVIRONMENT, schema=schema)
    if said is None:
        (row,) = recorded(place, session).rows
        assert row.id == "1"
        assert row.checksum == ("c".ljust(64) if name == "a column of spaces" else "c")
    else:
        with pytest.raises(CouldNotCheck) as error:
            recorded(place, session)
        assert said in str(error.value)
        assert "_prisma_migrations" in str(error.value)
    assert hostile.strikes() == 0
