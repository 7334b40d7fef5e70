"""The form of every SQL fix, and that its text survives a terminal and a copy into psql."""

from __future__ import annotations

import ast
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings

from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.check import CHECKS
from health.history.rows import Row
from health.sanitize import printable
from health.sql.splitter import locate
from health.sql.statements import stands_alone
from plugins import fixes
from tests.support.effort import scaled
from tests.support.fix_cases import CASES, CLEAN, NAME, ROW_CODES, fixes_of, found, suggested
from tests.support.fix_situations import situations
from tests.support.history_table import by_psql, put
from tests.support.hostile import HOSTILE, texts

NO_SQL = ("command", "http", "patch", "decision", "wait")
BUILDERS = Path(fixes.__file__).parent
# Modules of nothing but SQL: all of their lines must be reached by the cases.
ALL_SQL = ("row_sql", "sql", "baseline_sql")
WHY_NO_UNDO = re.compile(r"no undo|nothing to undo|To undo it|way back|takes it back")
# What comes before anything else: PostgreSQL's own names, a limit of waiting, the lock of migrations.
PINNED = r"  PERFORM pg_catalog\.set_config\('search_path', 'pg_catalog, pg_temp', true\);\n"
WAIT = r"  PERFORM pg_catalog\.set_config\('lock_timeout', '3s', true\);\n"
TRY_LOCK = r"  IF NOT pg_catalog\.pg_try_advisory_xact_lock\(72707369\) THEN\n    RAISE EXCEPTION .*?;\n  END IF;\n"
APART = r"  IF pg_catalog\.current_setting\('transaction_read_only'\) <> 'on' THEN\n    RAISE .*?;\n  END IF;\n"
TRANSACTION = re.compile(
    rf"DO (?P<tag>\$health\d*\$)\nBEGIN\n{PINNED}{WAIT}{TRY_LOCK}(?P<body>.*)\nEND\n(?P=tag);\n", re.DOTALL
)
STEP = re.compile(
    r"SET default_transaction_read_only = on;\n"
    rf"DO (?P<tag>\$health\d*\$)\nBEGIN\n{PINNED}{WAIT}{APART}{TRY_LOCK}(?P<body>.*)"
    r"  PERFORM pg_catalog\.set_config\('search_path', '\"public\", pg_temp', false\);\n"
    r"  PERFORM pg_catalog\.set_config\('default_transaction_read_only', 'off', false\);\nEND\n(?P=tag);\n"
    r"(?P<statement>.*);\nSELECT pg_catalog\.pg_advisory_unlock\(72707369\);\n"
    r"RESET search_path;\nRESET default_transaction_read_only;\n",
    re.DOTALL,
)
FOREIGN = re.compile(r"EXECUTE (\$statement\d*\$).*?\1;", re.DOTALL)  # text of a migration, as it is


BLANKS = "".join(char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) == "Zs")
BUILT = {title: fixes_of(code, facts) for title, code, facts in situations()}


# Fixes and findings belong together


def test_every_finding_has_its_fixes_and_no_fix_is_without_a_finding() -> None:
    declared = [code for check in CHECKS.values() for code in check.finds]
    assert len(declared) == len(set(declared))
    assert set(declared) == set(fixes.FIXES)


@pytest.mark.parametrize("code", sorted(fixes.FIXES))
def test_a_fix_is_described_and_built_from_facts(code: str) -> None:
    from fixtures.facts import READERS

    assert fixes.title(code)
    assert set(fixes.needs(code)) <= {*READERS, "environment"}


# Nothing that builds SQL escapes


def sql_calls(source: str) -> Iterator[int]:
    """The lines on which a fix is made that is SQL, or that may be."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        kinds = [keyword.value for keyword in call.keywords if keyword.arg == "kind"]
        if kinds or ast.unparse(call.func).rpartition(".")[2] == "Fix":
            kinds += call.args[:1]
            if not any(isinstance(kind, ast.Constant) and kind.value in NO_SQL for kind in kinds):
                yield call.lineno


def lines_of(code: CodeType) -> Iterator[int]:
    """The lines that running the functions of a module would reach."""
    for inner in (each for each in code.co_consts if isinstance(each, CodeType)):
        if inner.co_flags & 1:  # a function, not the body of a class
            yield from {line for _, _, line in inner.co_lines() if line and line != inner.co_firstlineno}
        yield from lines_of(inner)


def reached(run: Any) -> set[tuple[str, int]]:
    """The lines of the builders that a function reaches."""
    seen: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(str(BUILDERS)):
            return None
        seen.add((Path(frame.f_code.co_filename).stem, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return seen


def test_all_builders_of_sql_are_looked_at_here() -> None:
    wanted = set()
    for file in BUILDERS.rglob("*.py"):
        source = file.read_text()
        wanted |= {(file.stem, line) for line in sql_calls(source)}
        if file.stem in ALL_SQL:
            wanted |= {(file.stem, line) for line in lines_of(compile(source, str(file), "exec"))}
        for node in ast.walk(ast.parse(source)):  # by another name a fix would escape
            assert not (
                isinstance(node, ast.ImportFrom)
                and node.module == "health.finding"
                and any(name.asname for name in node.names)
            )
    assert len(wanted) > 100
    every = [(code, facts) for text in ("", "\n") for _, code, facts in situations(text)]
    escaped = wanted - reached(lambda: [fixes_of(code, facts) for code, facts in every])
    assert not escaped


# The form


@pytest.mark.parametrize("title", BUILT)
def test_the_form_of_sql(title: str) -> None:
    built = [fix for fix in BUILT[title] if fix.kind == "sql"]
    assert built
    for text in (text for fix in built for text in (fix.body, fix.undo) if text):
        form = TRANSACTION.fullmatch(text) or STEP.fullmatch(text)
        assert form, text
        assert form["tag"] not in form["body"]
        assert not re.search(r"CASCADE|TRUNCATE|--|/\*|\$\w*\$|search_path = ", FOREIGN.sub("", form["body"]))
        if form.re is STEP:
            statements = CASES[title].facts()["migration_effects"][NAME].repair.statements
            assert form["statement"] in statements
            assert stands_alone(form["statement"])
        else:
            assert [each.text for each in locate(text)] == [text.rstrip().rstrip(";")]


@pytest.mark.parametrize("title", BUILT)
def test_what_is_said_beside(title: str) -> None:
    for fix in BUILT[title]:
        assert fix.undo is not None or WHY_NO_UNDO.search(fix.note), fix
    for rank in {fix.rank for fix in BUILT[title]}:
        fallbacks = [fix.fallback for fix in BUILT[title] if fix.rank == rank]
        assert fallbacks == sorted(fallbacks)  # the preferred ones first


def test_titles_and_notes_of_sql_hold_no_text_from_outside() -> None:
    for title, code, facts in situations("\n--'"):
        told = [(fix.title, fix.note) for fix in fixes_of(code, facts, "sql")]
        assert told == [(fix.title, fix.note) for fix in BUILT[title] if fix.kind == "sql"]


# In a terminal, and copied from there


def examples(test: Any) -> Any:
    for text in HOSTILE:
        test = example(text)(test)
    return test


@examples
@given(texts)
@settings(max_examples=scaled(10), derandomize=True)
def test_what_is_printed_is_printable(text: str) -> None:
    for _, code, facts in situations(text):
        for finding in found(code, facts):
            for fix in suggested(finding, facts)[0]:
                # What is applied must survive being copied, so a blank in it is a space; a command may show others.
                blanks = "\n" if fix.kind == "sql" and "COMMENT ON" not in fix.body else f"\n\t{BLANKS}"
                for said in (fix.title, fix.body, fix.undo or "", fix.note):
                    assert all(char.isprintable() or char in blanks for char in said), ascii(said)


LOOK = "SELECT md5(string_agg(t::text, '|' ORDER BY id COLLATE \"C\")) FROM _prisma_migrations t;\n"


@pytest.mark.parametrize("number", range(len(HOSTILE)), ids=lambda number: ascii(HOSTILE[number])[:40])
def test_hostile_texts_by_psql(
    server: PrivatePostgres, database: psycopg.Connection, tmp_path: Path, number: int
) -> None:
    text, owned = HOSTILE[number], Path("/tmp/owned")
    assert not owned.exists()
    titles = [title for title, case in CASES.items() if case.code in ROW_CODES and not case.shape.repair]
    rows: list[Row] = []
    script = [LOOK]
    for place, title in enumerate([*titles[number % 4 :: 4], "half applied"]):
        name = f"{place}{text}"[:255]
        facts = CASES[title].of(name, text, list(CASES[title].rows(name, text, place)))
        rows += facts["history"].recorded.rows
        for fix in fixes_of(CASES[title].code, facts, "sql"):
            script += [fix.body, LOOK, fix.undo or "", LOOK]
    put(database, *rows)
    try:
        first, *states = by_psql(server, tmp_path / "fixes.sql", *script).split()
        said = database.execute("SELECT obj_description('\"Made\"'::regclass)").fetchone()
    finally:
        database.execute(CLEAN.encode())
    *undone, last = states[1::2]
    assert set(undone) == {first}
    assert first not in states[::2]
    assert last != first  # what is repaired stays
    assert said == ((text or None) if printable(text) == text else "plain",)
    assert not owned.exists()
