"""Where the statements of a script begin and end."""

from __future__ import annotations

import pytest

from health.sql.splitter import locate
from health.sql.statements import transaction_word
from plugins.paths import ROOT

CASES: dict[str, tuple[str, list[tuple[int, str]]]] = {
    "nothing": ("", []),
    "only comments": ("-- one;\n/* two; */;;", []),
    "two on a line": ("SELECT 1; SELECT 2", [(1, "SELECT 1"), (1, "SELECT 2")]),
    "comments before": ("-- a;\n\n/* b /* c; */ ; */\nSELECT 1;", [(4, "SELECT 1")]),
    "a comment within": ("SELECT -- a;\n 1;\nSELECT 2;", [(1, "SELECT  \n 1"), (3, "SELECT 2")]),
    "quotes": ("SELECT 'a;''b';\nSELECT \";\";", [(1, "SELECT 'a;''b'"), (2, 'SELECT ";"')]),
    "a comment in quotes": ("SELECT '/*';\nSELECT '*/';", [(1, "SELECT '/*'"), (2, "SELECT '*/'")]),
    "an escaped quote": (r"SELECT E'\';';SELECT 2", [(1, r"SELECT E'\';'"), (1, "SELECT 2")]),
    "a backslash that escapes nothing": (r"SELECT '\';SELECT 2", [(1, r"SELECT '\'"), (1, "SELECT 2")]),
    "a name that ends in e": ("SELECT type'\\';SELECT 2", [(1, "SELECT type'\\'"), (1, "SELECT 2")]),
    "dollars": ("DO $$ a; $x$; $$;\nDO $x$ $$; $x$;", [(1, "DO $$ a; $x$; $$"), (2, "DO $x$ $$; $x$")]),
    "parameters are no dollars": ("SELECT a$1$;SELECT $1;", [(1, "SELECT a$1$"), (1, "SELECT $1")]),
    "parentheses": (
        "CREATE RULE r AS ON INSERT TO t DO (a; b);\nc",
        [(1, "CREATE RULE r AS ON INSERT TO t DO (a; b)"), (2, "c")],
    ),
    "a body": (
        "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a THEN b END; END;\nSELECT 2;",
        [(1, "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a THEN b END; END"), (2, "SELECT 2")],
    ),
    "a transaction": ("BEGIN;\nSELECT 1;\nEND;", [(1, "BEGIN"), (2, "SELECT 1"), (3, "END")]),
    "a quote without an end": ("SELECT 1;\nSELECT 'a;", [(1, "SELECT 1"), (2, "SELECT 'a;")]),
    "a comment without an end": ("SELECT 1;\n/* a;", [(1, "SELECT 1")]),
}


@pytest.mark.parametrize("case", CASES)
def test_statements_are_told_apart_as_psql_does(case: str) -> None:
    script, expected = CASES[case]
    found = locate(script)
    assert [(each.line, each.text) for each in found] == expected
    for each in found:
        assert script[each.start :].startswith(each.text.split()[0])


@pytest.mark.parametrize(("name", "count"), [("init", 65), ("constraints", 6), ("process_table", 10)])
def test_the_real_migrations(name: str, count: int) -> None:
    (file,) = (
        (ROOT / "sandbox/migrations").glob(f"20250930*_{name}/*.sql")
        if name == "init"
        else (ROOT / "sandbox/migrations").glob(f"*_*{name}/migration.sql")
    )
    assert len(locate(file.read_text())) == count


def test_a_long_script_takes_time_by_its_length_alone() -> None:
    assert len(locate("SELECT 'a'; -- b\n" * 20_000)) == 20_000
    assert len(locate("/*" * 100_000)) == 0
    assert len(locate("'" + "''" * 100_000)) == 1
    for endless in ("(", "$a$ ", "$a", "E'\\\\", "E'a'\n", "E'a'\n\n ", '"', "/*/", "BEGIN ", "--"):
        assert len(locate("SELECT 1;" + endless * 100_000)) <= 2


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("BEGIN", "begin"),
        ("start transaction", "begin"),
        ("COMMIT", "commit"),
        ("END", "commit"),
        ("rollback", "rollback"),
        ("ABORT", "rollback"),
        ("ROLLBACK TO a", None),
        ("SELECT 1", None),
    ],
)
def test_what_begins_or_ends_a_transaction(statement: str, word: str | None) -> None:
    assert transaction_word(statement) == word
