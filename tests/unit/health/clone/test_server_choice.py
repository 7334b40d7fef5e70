"""Which PostgreSQL is taken: what may be asked for, and the choice by version."""

from __future__ import annotations

import pytest

from health.clone.server_choice import (
    CloneOptionError,
    Login,
    ServerChoice,
    choose,
    difference,
    dumping,
    extensions_made,
    major_of,
    parse,
)
from health.secrets.secret import Secret

E16, E18 = ServerChoice("embedded", 16), ServerChoice("embedded", 18)
S15, S16, D17 = ServerChoice("system", 15), ServerChoice("system", 16), ServerChoice("docker", 17)


@pytest.mark.parametrize(
    ("offers", "server", "taken"),
    [
        ((E18, E16, S15), 15, S15),
        ((E18, E16, S15), 16, E16),
        ((E18, E16, S16), 16, E16),  # of equals the first
        ((S16, E16), 16, S16),
        ((E18, E16), 15, E16),  # the nearest newer
        ((E18, E16), 17, E18),
        ((E18, E16, D17), 17, D17),
        ((E16, S15, E18), 19, E18),  # none so new: the newest
        ((E16, S15), None, E16),
        ((E16, E18), None, E18),
        ((), 16, None),
    ],
)
def test_the_nearest_version_is_taken(
    offers: tuple[ServerChoice, ...], server: int | None, taken: ServerChoice | None
) -> None:
    assert choose(offers, server) is taken


@pytest.mark.parametrize(
    ("major", "server", "said"),
    [
        (16, "16.2", ""),
        (18, "15.13", "the server is 15.13: the nearest newer"),
        (18, "19beta1", "the server is 19beta1: there is none so new"),
        (18, "", "the server's version is not known"),
        (18, "?", "the server's version is not known"),
    ],
)
def test_a_difference_is_told(major: int, server: str, said: str) -> None:
    assert difference(major, server) == said


@pytest.mark.parametrize(
    ("server", "clone", "programs"),
    [(15, 18, E18), (16, 16, E16), (15, 15, S15), (15, 17, E16), (17, 17, E18), (19, 18, None), (18, 16, None)],
)
def test_who_dumps_is_not_older_than_the_server_and_next_to_the_clone(
    server: int, clone: int, programs: ServerChoice | None
) -> None:
    assert dumping((E18, E16, S15), server, clone) is programs


@pytest.mark.parametrize(
    ("said", "major"),
    [("18.4", 18), ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15), ("?", None), ("", None)],
)
def test_versions(said: str, major: int | None) -> None:
    assert major_of(said) == major


def test_a_server_of_ones_own() -> None:
    wanted = parse("postgresql://an%40n:p%3Aw-of-hers@db.example.com/work", "--clone")
    assert wanted.kind == "server"
    assert wanted.login == Login("db.example.com", 5432, "an@n", Secret("p:w-of-hers"), "work")
    assert "p:w-of-hers" not in repr(wanted)


@pytest.mark.parametrize("name", ["auto", "embedded", "npm", "docker", "off"])
def test_the_other_kinds(name: str) -> None:
    assert (parse(name, "--clone").kind, parse(name, "--clone").login) == (name, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Docker",
        "mysql://a:hidden-pw@b/c",
        "postgresql://",
        "postgresql://host",
        "postgresql:///db",
        "postgresql://u:hidden-pw@h:port/db",
        "postgresql://u:hidden-pw@h/db?sslmode=disable",
        "postgresql://u@[::1/db",
    ],
)
def test_what_is_no_choice_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(CloneOptionError, match=r"^--clone: clone is no.*Write") as refused:
        parse(text, "--clone")
    assert "hidden-pw" not in str(refused.value)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ('CREATE EXTENSION IF NOT EXISTS "uuid-ossp";', {"uuid-ossp"}),
        ("create extension Citext with schema public; CREATE\nEXTENSION hstore;", {"citext", "hstore"}),
        ("CREATE TABLE a (b int);\n-- CREATE EXTENSION a;\n/* CREATE EXTENSION b; */", set()),
        ("/* first */ CREATE EXTENSION vector;", {"vector"}),
        ("SELECT 'no CREATE EXTENSION x';", set()),
        ('DROP EXTENSION "citext";', set()),
        ("", set()),
    ],
)
def test_extensions_that_a_script_asks_for(sql: str, names: set[str]) -> None:
    assert extensions_made(sql) == names
