"""A dump in pieces: nothing of it is lost, and its order means nothing."""

from __future__ import annotations

import random

import pytest

from health.schema.dump_difference import SchemaDifference, names_of
from health.schema.dump_text import DumpKey, extensions, parts, pieces, script

PREAMBLE = """--
-- PostgreSQL database dump
--

-- Dumped from database version 18.4

SET statement_timeout = 0;

"""
OBJECTS = (
    ("x", "EXTENSION", "-", 'CREATE EXTENSION IF NOT EXISTS "x-y" WITH SCHEMA "S s";'),
    ("EXTENSION x", "COMMENT", "-", "COMMENT ON EXTENSION x IS 'it''s; -- a';"),
    ("f()", "FUNCTION", "public", "CREATE FUNCTION public.f() RETURNS text\n    AS $_$ SELECT 'a;' -- it's\n$_$;"),
    ("t", "TABLE", "public", "CREATE TABLE public.t (\n"
     "    a integer DEFAULT 1,\n    \"b (\" text DEFAULT 'x,'''::text,\n"
     "    CONSTRAINT c CHECK ((a > f(1, 2)))\n)\nWITH (fillfactor='70');\n"
     "ALTER TABLE ONLY public.t ALTER COLUMN a SET STATISTICS 5;"),
    ("TABLE t", "ACL", "public",
     "REVOKE ALL ON TABLE public.t FROM o;\nGRANT SELECT,INSERT(a,b) ON TABLE public.t TO p;"),
    ("t k", "FK CONSTRAINT", "public",
     "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES u(a);"),
)  # fmt: skip
END = "--\n-- PostgreSQL database dump complete\n--\n\n"


def written(*objects: tuple[str, str, str, str]) -> str:
    made = (f"--\n-- Name: {name}; Type: {kind}; Schema: {schema}; Owner: -\n--\n\n{sql}\n\n\n"
            for name, kind, schema, sql in objects)  # fmt: skip
    return PREAMBLE + "".join(made) + END


TEXT = written(*OBJECTS)


def test_each_object_has_its_own_sql() -> None:
    assert list(parts(TEXT)) == [(DumpKey(kind, schema, name), sql) for name, kind, schema, sql in OBJECTS]


def test_order_means_nothing() -> None:
    shuffled = list(OBJECTS)
    random.Random(1).shuffle(shuffled)
    columns = "    a integer DEFAULT 1,\n    \"b (\" text DEFAULT 'x,'''::text,\n"
    other = "    \"b (\" text DEFAULT 'x,'''::text,\n    a integer DEFAULT 1,\n"
    grants = ("SELECT,INSERT(a,b)", "INSERT(a,b),SELECT")
    assert columns in TEXT
    assert pieces(written(*shuffled).replace(columns, other).replace(*grants)) == pieces(TEXT)


def test_no_character_of_an_object_is_lost() -> None:
    known = pieces(TEXT)
    first, last = TEXT.index("-- Name"), TEXT.index(END)
    for place in range(first, last):
        line = TEXT[TEXT.rindex("\n", 0, place) + 1 : TEXT.find("\n", place)]
        of_header = line.startswith("-- Name") and "; Owner" in line and place >= TEXT.index("; Owner", place - 90)
        if not TEXT[place].isspace() and not of_header and line != "--":
            assert pieces(f"{TEXT[:place]}Z{TEXT[place + 1 :]}") != known, TEXT[place - 20 : place + 20]


@pytest.mark.parametrize("quotes", ["'{}'", "$${}$$", "$a${}$a$", '"{}"'])
def test_what_looks_like_a_header_within_quotes_is_none(quotes: str) -> None:
    inner = "\n--\n-- Name: x; Type: ACL; Schema: public; Owner: -\n--\nGRANT ALL ON TABLE a TO b;\n"
    sql = f"CREATE FUNCTION public.g() AS {quotes.format(inner)};"
    assert list(parts(written(("g()", "FUNCTION", "public", sql)))) == [(DumpKey("FUNCTION", "public", "g()"), sql)]


def test_how_a_table_is_stored_is_a_part_of_it_and_of_none_before() -> None:
    made = [(f"t{n}", "TABLE", "public", f"CREATE TABLE public.t{n} (\n);") for n in range(3)]

    def stored(*methods: str) -> dict[str, str]:
        text = written(*made)
        for number, method in enumerate(methods):
            header = f"--\n-- Name: t{number};"
            setting = f"SET default_tablespace = '';\n\nSET default_table_access_method = {method};\n\n"
            text = text.replace(header, setting + header) if method else text
        return {key.name: sql for key, sql in parts(text)}

    assert stored("heap", "", "") == stored("heap", "heap", "heap") == stored("", "", "")
    assert stored("heap", "own", "")["t0"] == stored("heap", "", "")["t0"]
    assert stored("heap", "own", "")["t2"] == stored("", "", "own")["t2"] != stored("heap", "own", "heap")["t2"]


def test_what_is_loaded_holds_no_grants_and_no_extensions() -> None:
    assert script(TEXT) == "\n\n".join(
        sql for _, kind, _, sql in OBJECTS if kind not in {"EXTENSION", "COMMENT", "ACL"}
    )
    assert list(extensions(TEXT)) == [("x", "S s")]


@pytest.mark.parametrize(
    ("catalog", "dumped"),
    [
        (("index", "t", "i"), DumpKey("INDEX", "public", "i")),
        (("constraint", "t", "k"), DumpKey("FK CONSTRAINT", "public", "t k")),
        (("column", "t", "a"), DumpKey("TABLE", "public", "t")),
        (("comment on column", "t", "a"), DumpKey("COMMENT", "public", "COLUMN t.a")),
        (("comment on table", "", "T"), DumpKey("COMMENT", "public", 'TABLE "T"')),
        (("function", "", "public.f(integer)"), DumpKey("FUNCTION", "public", "f(integer)")),
        (("operator", "", "=== (text, text)"), DumpKey("OPERATOR", "public", "===")),
        (("cast", "", "text AS public.c"), DumpKey("CAST", "-", "CAST (text AS public.c)")),
        (("column", "a\nb", "c"), DumpKey("TABLE", "public", "a b")),
        (("schema", "", "auth"), DumpKey("TABLE", "auth", "users")),
        (("table", "", "auth\0users"), DumpKey("TABLE", "auth", "users")),
    ],
)
def test_what_the_catalog_names_is_known_in_a_dump(catalog: tuple[str, str, str], dumped: DumpKey) -> None:
    found = SchemaDifference.of(pieces(TEXT), pieces("")).of_objects([])
    assert not found
    differs = SchemaDifference.of(pieces(written((dumped.name, dumped.kind, dumped.schema, "SELECT 1;"))), pieces(""))
    assert differs.keys == [dumped]
    assert differs.unnamed({"another"}).keys == [dumped]
    assert not differs.unnamed(names_of([catalog]))
