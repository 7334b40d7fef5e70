"""The statements that make a clone's owners and privileges as the environment's."""

from __future__ import annotations

from health.clone.ownership import (
    DefaultGrants,
    Grant,
    OwnedObject,
    Ownership,
    grant_statements,
    owner_statements,
)

TABLE = ("table", 'public."T"', "")
READS, ALL_READ = Grant("app", "SELECT"), Grant("", "SELECT")
NAMES = {"deploy": "migrator", "app": "app", "postgres": "health_instead_of_postgres"}.get


def database(*objects: OwnedObject, defaults: tuple[DefaultGrants, ...] = ()) -> Ownership:
    return Ownership("deploy", objects=objects, defaults=defaults)


HERE = database(OwnedObject(TABLE, "migrator", frozenset({ALL_READ})))


def test_owners_are_called_as_on_the_clone() -> None:
    for owner, said in {
        "deploy": [],
        "app": ['ALTER TABLE public."T" OWNER TO "app"'],
        "postgres": ['ALTER TABLE public."T" OWNER TO "health_instead_of_postgres"'],
        "pg_write_server_files": [],
    }.items():
        assert list(owner_statements(database(OwnedObject(TABLE, owner)), HERE, NAMES)) == said


def test_what_is_not_on_the_clone_or_follows_a_table_gets_no_owner() -> None:
    sequence = ("sequence", "public.s", "")
    there = database(OwnedObject(sequence, "app"), OwnedObject(("table", "gone", ""), "app"))
    here = database(OwnedObject(sequence, "migrator", follows=True))
    assert list(owner_statements(there, here, NAMES)) == []
    unknown = ("x; DROP TABLE t", "public.s", "")
    assert not list(owner_statements(database(OwnedObject(unknown, "app")), database(OwnedObject(unknown, "b")), NAMES))


def test_privileges_are_taken_and_given() -> None:
    wanted = frozenset({READS, Grant("app", "INSERT"), Grant("deploy", "UPDATE", grantable=True)})
    assert list(grant_statements(database(OwnedObject(TABLE, "deploy", wanted)), HERE, NAMES)) == [
        'REVOKE SELECT ON TABLE public."T" FROM PUBLIC',
        'GRANT INSERT, SELECT ON TABLE public."T" TO "app"',
        'GRANT UPDATE ON TABLE public."T" TO "migrator" WITH GRANT OPTION',
    ]


def test_a_privilege_of_another_name_is_no_sql() -> None:
    wanted = frozenset({ALL_READ, Grant("app", "SELECT ON t TO x; --"), Grant("nobody", "SELECT")})
    assert list(grant_statements(database(OwnedObject(TABLE, "deploy", wanted)), HERE, NAMES)) == []


def test_privileges_of_columns() -> None:
    column = ("table", 'public."T"', 'a"b')
    there, here = database(OwnedObject(column, "", frozenset({READS}))), database(OwnedObject(column, ""))
    assert list(grant_statements(there, here, NAMES)) == ['GRANT SELECT ("a""b") ON TABLE public."T" TO "app"']


def test_default_privileges_begin_with_what_everybody_has() -> None:
    usual = frozenset({Grant("", "EXECUTE"), Grant("deploy", "EXECUTE")})
    closed = DefaultGrants("deploy", "", "f", usual - {Grant("", "EXECUTE")}, usual)
    apart = DefaultGrants("deploy", "apart", "r", frozenset({READS}), frozenset())
    said = 'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC'
    assert list(grant_statements(database(defaults=(closed, apart)), HERE, NAMES)) == [said]
    with_schema = database(OwnedObject(("schema", "apart", ""), "migrator"))
    assert list(grant_statements(database(defaults=(apart,)), with_schema, NAMES)) == [
        'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" IN SCHEMA apart GRANT SELECT ON TABLES TO "app"'
    ]
