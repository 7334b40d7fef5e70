"""Splits what ``pg_dump --schema-only`` writes into objects, so that two schemas are compared by PostgreSQL's own eye.

No text is lost on the way but pg_dump's own preamble and headers; what looks like one within quotes is none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from health.sanitize import one_line

_HEADER = re.compile(
    r"^--\n-- Name: (?P<name>[^\n]*); Type: (?P<kind>[^;\n]*); Schema: (?P<schema>[^;\n]*); Owner:[^\n]*\n--\n"
    r"""|(?P<tag>\$\w*\$).*?(?P=tag)|'[^']*'|"[^"]*"|--[^\n]*""",
    re.MULTILINE | re.DOTALL,
)
_END = re.compile(r"\n--\n-- PostgreSQL database dump complete\n--\s*\Z")
# Written only where it is another than that of the table before: it is no part of the object that it stands behind.
_SETTINGS = re.compile(r"(?:^SET default_\w+ = [^\n]*;\s*)+\Z", re.MULTILINE)
_ACCESS_METHOD = re.compile(r"^SET default_table_access_method = ([^\n]*);$", re.MULTILINE)
_USUAL = "heap"
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[(),;]""")
_GRANT = re.compile(r"(?P<verb>(?:GRANT|REVOKE)(?: GRANT OPTION FOR)?) (?P<rights>.*?) (?P<rest>ON .*)", re.DOTALL)
_RIGHT = re.compile(r"[^,(]+(?:\([^)]*\))?")
# From 18 on it has a name, which an older server does not keep.
_NOT_NULL = re.compile(r""" CONSTRAINT (?:\w+|"(?:[^"]|"")+") NOT NULL$""")
_IN_SCHEMA = re.compile(r"WITH SCHEMA (.+);$")
TABLES = ("TABLE", "FOREIGN TABLE")
_STORED = (*TABLES, "MATERIALIZED VIEW")
GRANTS = ("ACL", "DEFAULT ACL")
_CAST = re.compile(r"^CAST \((.*)\)$")
_ABOUT = {"COMMENT": "comment on", "ACL": "grant on", "DEFAULT ACL": "grant by"}  # whose names are of what they are on


class DumpKey(NamedTuple):
    """An object as the headers of a dump name it: ``FK CONSTRAINT``, ``public``, ``Post Post_authorId_fkey``."""

    kind: str
    schema: str
    name: str

    @property
    def shown(self) -> str:
        """The object as a person names it."""
        if self.kind in _ABOUT:
            return one_line(f"{_ABOUT[self.kind]} {self.name}")
        schema = "" if self.schema in ("", "-", "public") else f'"{self.schema}".'
        return one_line(f'{self.kind.lower()} {schema}"{self.name}"')

    @property
    def names(self) -> frozenset[str]:
        """What its name may name: ``Post Post_fkey``, ``COLUMN "Post".title``, ``f(integer)``."""
        bare = _CAST.sub(r"\1", self.name).partition("(")[0].replace('"', "")
        words = bare.split(" ")
        places = range(1, len(words))
        found = {self.name, self.schema, bare, *(" ".join(words[:place]) for place in places)}
        found |= {" ".join(words[place:]) for place in places}
        return frozenset(part for name in found for part in (name, *name.rsplit(".", 1))) - {"", "-"}


Pieces = Counter[tuple[DumpKey, str]]  # an object's statements, of a table also its columns and constraints


def parts(text: str) -> Iterator[tuple[DumpKey, str]]:
    """The objects of a dump in its order, each with the SQL that makes it."""
    text = _END.sub("\n", text)
    headers = [hit for hit in _HEADER.finditer(text) if hit["kind"] is not None]
    ends = [*(hit.start() for hit in headers), len(text)]
    method = _method_of(text[: ends[0]], _USUAL)
    for hit, end in zip(headers, ends[1:], strict=True):
        sql, kind = text[hit.end() : end], hit["kind"]
        own = _SETTINGS.sub("", sql).strip()
        usual = method == _USUAL or kind not in _STORED
        made = own if usual else f"SET default_table_access_method = {method};\n{own}"
        yield DumpKey(kind, hit["schema"], hit["name"]), made
        method = _method_of(sql, method)


def pieces(text: str) -> Pieces:
    """The objects of a dump in pieces whose order means nothing."""
    return Counter((key, piece) for key, sql in parts(text) for piece in _pieces_of(key.kind, sql))


def without_grants(found: Pieces) -> Pieces:
    """All but what a dump without privileges leaves out."""
    return Counter({each: number for each, number in found.items() if each[0].kind not in GRANTS})


def script(text: str) -> str:
    """What makes the objects of a dump anew, without grants and extensions."""
    return "\n\n".join(sql for key, sql in parts(text) if key.kind not in GRANTS and not _of_extension(key))


def extensions(text: str) -> Iterator[tuple[str, str]]:
    """The extensions of a dump, each with its schema."""
    for key, sql in parts(text):
        if key.kind == "EXTENSION" and (found := _IN_SCHEMA.search(sql)):
            yield key.name, found[1][1:-1].replace('""', '"') if found[1].startswith('"') else found[1]


def _of_extension(key: DumpKey) -> bool:
    return key.kind == "EXTENSION" or (key.kind == "COMMENT" and key.name.startswith("EXTENSION "))


def _pieces_of(kind: str, sql: str) -> Iterator[str]:
    if kind in GRANTS:
        for statement in _split(sql, ";"):
            yield from _rights(statement)
    elif kind in TABLES:
        for statement in _split(sql, ";"):
            yield from _columns(statement)
    else:
        yield sql


def _columns(statement: str) -> Iterator[str]:
    """The columns and constraints of a CREATE TABLE, then what stands around them; of another statement itself."""
    opened = next((hit.start() for hit in _TOKEN.finditer(statement) if hit[0] == "("), None)
    closed = _closing(statement, opened) if opened is not None else None
    if opened is None or closed is None or not statement.startswith("CREATE"):
        yield statement
        return
    yield from (_NOT_NULL.sub(" NOT NULL", each) for each in _split(statement[opened + 1 : closed], ","))
    yield statement[: opened + 1] + statement[closed:]


def _closing(text: str, opened: int) -> int | None:
    depth = 0
    for hit in _TOKEN.finditer(text, opened):
        depth += (hit[0] == "(") - (hit[0] == ")")
        if depth == 0:
            return hit.start()
    return None


def _split(text: str, between: str) -> Iterator[str]:
    """The parts of a text between signs that stand in no quotes and no parentheses."""
    depth = start = 0
    for hit in _TOKEN.finditer(text):
        depth += (hit[0] == "(") - (hit[0] == ")")
        if hit[0] == between and depth == 0:
            yield text[start : hit.start()].strip()
            start = hit.end()
    if last := text[start:].strip():
        yield last


def _rights(statement: str) -> Iterator[str]:
    """A GRANT or REVOKE, one for each right."""
    found = _GRANT.fullmatch(statement)
    if found is None:
        yield statement
        return
    for right in _RIGHT.findall(found["rights"]):
        yield f"{found['verb']} {right.strip()} {found['rest']}"


def _method_of(sql: str, before: str) -> str:
    settings = _SETTINGS.search(sql)
    found = _ACCESS_METHOD.findall(settings[0]) if settings else []
    return found[-1] if found else before
