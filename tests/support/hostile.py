"""Texts from outside that try to leave their quotes, as data and as a strategy."""

from __future__ import annotations

from hypothesis import strategies as st

HOSTILE = [
    "it's",
    "'; DROP TABLE _prisma_migrations; --",
    "''';COMMIT; DROP TABLE _prisma_migrations; --",
    '"; DROP SCHEMA public CASCADE; --',
    "\\'; DROP TABLE _prisma_migrations; --",
    "a\\",
    "E'\\\\",
    "100%s %(name)s %%",
    "{} {0} {table} {{id}}",
    "$$ $fix$ $1 $body$; COMMIT",
    "END; $$; COMMIT; BEGIN",
    "*/ /* -- */",
    "\n\\! touch /tmp/owned\n\\q\n",
    "\r\n\\! touch /tmp/owned",
    "$(touch /tmp/owned) `touch /tmp/owned` && touch /tmp/owned #",
    "--help -rf ~ * ? [a-z] !! :(glob)**",
    ":id :'id' :\"id\" :{?id}",
    "tab\there, bell\a, escape\x1b[2J\x1b]0;title\x07, delete\x7f, C1 \x9b31m",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "line\u2028separator\u2029paragraph\x85next\x0bline\x0cfeed",
    "🧨👩\u200d👩\u200d👧 é e\u0301 ß 日本",
    "no-break\xa0space\u3000wide",
    "private \ue000, unassigned \U000e0fff, none \uffff",
    "",
    " ",
    "NULL",
    "'" * 255,
    "\\" * 255,
    "🧨" * 255,
    "\n" * 255,
]

_without_nul = st.characters(codec="utf-8", exclude_characters="\0")
texts = st.lists(st.sampled_from(HOSTILE) | st.text(_without_nul, max_size=8), max_size=6).map("".join)


def file_name(text: str) -> str:
    """The text as far as a file can be named so."""
    return "2026_" + text.replace("/", "_").encode()[:200].decode(errors="ignore")


def identifier(text: str) -> str:
    """The text as far as PostgreSQL takes it for a name."""
    return "n" + text.encode()[:50].decode(errors="ignore")
