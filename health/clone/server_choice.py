"""Which PostgreSQL migrations and fixes are tried on: what the user asks for, and which of those there are serves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from health.secrets.secret import Secret

ServerKind = Literal["embedded", "npm", "system", "docker", "server"]

VERSIONS = range(13, 19)  # the major versions that the suite is for
_CHOICES = "auto, embedded, npm, docker, postgresql://USER:PASSWORD@HOST:PORT/DATABASE or off"
_URL = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
_PASSWORD = re.compile(r"[^:/]*://[^:@/]*:(.+)@")
_MAJOR = re.compile(r"\D*(\d+)")
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_CREATES_EXTENSION = re.compile(
    r'(?:^|;)\s*CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:"((?:[^"]|"")+)"|([A-Za-z_][\w$]*))',
    re.IGNORECASE | re.MULTILINE,
)


class CloneOptionError(ValueError):
    """What is asked for is none of the choices; the text names no secret."""


@dataclass(frozen=True)
class Login:
    """Where a PostgreSQL server of the user's is, and who makes databases there."""

    host: str
    port: int
    user: str
    password: Secret = field(repr=False)
    database: str


@dataclass(frozen=True)
class CloneOption:
    """What ``--clone``, or the registry's ``clone``, asks for.

    Attributes:
        kind: ``auto`` takes what is nearest to the environment's server; ``off`` takes nothing.
        login: of a server of the user's; None for all other kinds.
        source: where that was said.
    """

    kind: Literal["auto", "embedded", "npm", "docker", "server", "off"] = "auto"
    login: Login | None = None
    source: str = "default"


@dataclass(frozen=True)
class ServerChoice:
    """A PostgreSQL that could be taken.

    Attributes:
        place: the directory of its programs, or the image; what a person needs to tell it from another.
    """

    kind: ServerKind
    major: int
    place: str = ""


def parse(text: str, source: str) -> CloneOption:
    """What is asked for.

    Raises:
        CloneOptionError: it is none of the choices.
    """
    if held := _PASSWORD.match(text):
        Secret(held[1])  # also of what is no choice: from here on no output shows it
    if text in ("auto", "embedded", "npm", "docker", "off"):
        return CloneOption(text, source=source)  # type: ignore[arg-type]  # mypy does not narrow by a tuple's members
    if not _URL.match(text):
        raise CloneOptionError(f"{source}: clone is none of {_CHOICES}. Write one of them.")
    try:
        parts = urlsplit(text)
        host, port = unquote(parts.hostname or ""), parts.port or 5432
    except ValueError:
        host, port = "", 0
    if not host or not parts.username or parts.query:
        raise CloneOptionError(f"{source}: clone is no URL of a server. Write postgresql://USER:PASSWORD@HOST:PORT.")
    password = Secret(unquote(parts.password or ""))
    login = Login(host, port, unquote(parts.username), password, unquote(parts.path.lstrip("/")) or "postgres")
    return CloneOption("server", login, source)


def supported(text: str, source: str) -> int:
    """The major version that a person names.

    Raises:
        CloneOptionError: it is none that the suite is for.
    """
    if text not in map(str, VERSIONS):
        raise CloneOptionError(f"{source}: {text!r} is none of {', '.join(map(str, VERSIONS))}.")
    return int(text)


def major_of(version: str) -> int | None:
    """The major version in what a server or a program says of itself: ``15.13``, ``psql (PostgreSQL) 18.4``."""
    found = _MAJOR.match(version)
    return int(found[1]) if found else None


def choose(offers: Iterable[ServerChoice], server: int | None) -> ServerChoice | None:
    """The offer nearest to a server's major version: the same, else the nearest newer, else the newest.

    Of equals the first is taken; where the server's version is not known, the newest.
    """
    ranked = sorted(offers, key=lambda offer: _rank(offer.major, server))
    return ranked[0] if ranked else None


def _rank(major: int, server: int | None) -> tuple[bool, int]:
    return (False, major - server) if server is not None and major >= server else (True, -major)


def difference(major: int, server: str) -> str:
    """In what the version taken differs from the server's; empty where it does not."""
    wanted = major_of(server)
    if wanted is None:
        return "the server's version is not known"
    if major == wanted:
        return ""
    return f"the server is {server}: {'the nearest newer' if major > wanted else 'there is none so new'}"


def dumping(offers: Iterable[ServerChoice], server: int, clone: int) -> ServerChoice | None:
    """Whose ``pg_dump`` reads a server, and writes what a clone of another version takes.

    It reads servers that are not newer than itself. The newest that is no newer than the clone is taken, else the one
    next to it.
    """
    fitting = sorted((each for each in offers if server <= each.major), key=lambda each: each.major)
    if server > clone or not fitting:
        return None
    older = [each for each in fitting if each.major <= clone]
    return older[-1] if older else fitting[0]


def extensions_made(sql: str) -> frozenset[str]:
    """The extensions that a script asks for by CREATE EXTENSION, as PostgreSQL folds their names.

    A script may be of many megabytes: it is searched, not taken apart.
    """
    if "extension" not in sql.lower():
        return frozenset()
    found = _CREATES_EXTENSION.finditer(_COMMENTS.sub(" ", sql))
    return frozenset(hit[1].replace('""', '"') if hit[1] else hit[2].lower() for hit in found)
