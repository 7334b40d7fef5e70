"""Reads a PostgreSQL connection URL as Prisma's engine does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote

from health.config.database_hosts import DatabaseUrlError, Host, read_hosts
from health.sanitize import one_line
from health.secrets.secret import Secret

SslMode = Literal["disable", "prefer", "require", "verify-ca", "verify-full"]
ChannelBinding = Literal["disable", "prefer", "require"]

SUPPORTED = "PostgreSQL is supported: postgresql://USER:PASSWORD@HOST:5432/DATABASE?schema=public"
# What the engine takes and a reader needs not: its pool, its cache, and settings for which this suite has its own.
IGNORED = frozenset({
    "application_name", "connection_limit", "max_connection_lifetime", "max_idle_connection_lifetime", "options",
    "pool_timeout", "socket_timeout", "statement_cache_size", "target_session_attrs",
})  # fmt: skip
_READ = frozenset({
    "channel_binding", "connect_timeout", "host", "pgbouncer", "schema", "sslaccept", "sslcert", "sslidentity",
    "sslmode", "sslpassword", "sslrootcert",
})  # fmt: skip
_KINDS: Mapping[str, str] = {
    "mysql:": "MySQL", "mariadb:": "MariaDB", "sqlserver:": "SQL Server", "jdbc:": "a JDBC driver",
    "mongodb:": "MongoDB", "mongodb+srv:": "MongoDB", "file:": "SQLite", "sqlite:": "SQLite", "libsql:": "libSQL",
    "cockroachdb:": "CockroachDB", "cockroach:": "CockroachDB",
}  # fmt: skip
_PROXIES = ("prisma:", "prisma+postgres:")  # Accelerate and the local server of `prisma dev`
_URL = re.compile(r"postgres(?:ql)?://(?P<server>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<rest>.*))?")
_CUT = "".join(map(chr, range(33)))  # what the engine's parser takes from the end of a URL
_SSL_MODES: Mapping[str, SslMode] = {
    "disable": "disable", "prefer": "prefer", "require": "require", "verify-ca": "verify-ca",
    "verify-full": "verify-full", "no-verify": "require",  # node-postgres' own
}  # fmt: skip
_CHANNEL_BINDINGS: Mapping[str, ChannelBinding] = {"disable": "disable", "prefer": "prefer", "require": "require"}
_OPTION = re.compile(r"[A-Za-z_][\w-]{0,39}")


@dataclass(frozen=True)
class DatabaseUrl:
    """A PostgreSQL connection URL.

    Attributes:
        hosts: servers in the order in which they are tried.
        user: empty where the URL names none.
        password: empty where the URL names none.
        schema: where ``_prisma_migrations`` and the models are.
        sslmode: libpq's word. ``verify-*`` is stricter than the engine, which reads these as ``prefer``.
        strict: whether ``sslaccept=strict`` asks to verify the server's certificate.
        server_certificate: file of the server's certificate or its CA, ``sslcert``; empty where there is none.
        identity: PKCS#12 file of the client's certificate and key, ``sslidentity``; empty where there is none.
        identity_password: of that file.
        connect_timeout_s: seconds; None where the URL names none, or 0.
        pooled: whether a transaction pooler such as PgBouncer answers, ``pgbouncer=true``.
        ignored: options that are known and not used.
        notes: sentences about what is read in another way than a person may expect; without values of the URL.
    """

    hosts: tuple[Host, ...]
    user: str
    password: Secret
    database: str
    schema: str = "public"
    sslmode: SslMode = "prefer"
    strict: bool = False
    server_certificate: str = ""
    identity: str = ""
    identity_password: Secret = field(default_factory=lambda: Secret(""))
    channel_binding: ChannelBinding = "prefer"
    connect_timeout_s: float | None = None
    pooled: bool = False
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where the URL leads, for a person: ``host:port/database``."""
        return one_line(f"{','.join(map(str, self.hosts))}/{self.database}")

    @property
    def verified(self) -> bool:
        """Whether the server's certificate is verified."""
        return self.sslmode.startswith("verify") or (self.strict and self.sslmode != "disable")


@dataclass(frozen=True)
class UrlLogin:
    """A connection URL, and what it needs around it.

    Attributes:
        source: where it is from, for a person.
        directory: where relative paths of certificates start; Prisma's start at the directory of the schema file.
    """

    url: DatabaseUrl
    source: str
    directory: Path


def read_database_url(text: str) -> DatabaseUrl:
    """Read a connection URL.

    Raises:
        DatabaseUrlError: it is no URL of a PostgreSQL server; the message holds nothing of the URL.
    """
    __tracebackhide__ = True  # a traceback would show the URL
    server, path, query, fragment = _parts(text)
    login, _, place = server.rpartition("@")
    user, _, spelt = login.partition(":")
    options = dict(parse_qsl(query, keep_blank_values=True))  # the engine takes the last of several
    notes = list(_notes(options, path, place, login, fragment=fragment))
    sslmode = _SSL_MODES.get(options.get("sslmode", "prefer"), "prefer")
    password = _decoded(spelt)
    Secret(spelt)  # hides this spelling, too
    url = DatabaseUrl(
        hosts=read_hosts(place, options.get("host", "")),
        user=_decoded(user),
        password=Secret(password),
        database=_database(path, user),
        schema=options.get("schema", "public"),
        sslmode=sslmode,
        strict=options.get("sslaccept", "accept_invalid_certs") != "accept_invalid_certs",  # as the engine does
        server_certificate=options.get("sslcert") or options.get("sslrootcert", ""),
        identity=options.get("sslidentity", ""),
        identity_password=Secret(options.get("sslpassword", "")),
        channel_binding=_CHANNEL_BINDINGS.get(options.get("channel_binding", "prefer"), "prefer"),
        connect_timeout_s=_seconds(options),
        pooled=_boolean(options, "pgbouncer"),
        ignored=tuple(name for name in options if name in IGNORED),
        notes=tuple(notes),
    )
    if not url.schema:
        raise DatabaseUrlError("The database URL has schema= without a name. Name the schema, or remove schema=.")
    if any("\0" in each for each in (url.user, password, url.database, url.schema)):
        raise DatabaseUrlError("The database URL holds %00, which PostgreSQL does not accept. Remove it.")
    return url


def _parts(text: str) -> tuple[str, str, str, bool]:
    """The server with its login, the path, the query, and whether there is a fragment."""
    __tracebackhide__ = True
    text = text.rstrip(_CUT)
    if not text:
        raise DatabaseUrlError(f"The database URL is empty. {SUPPORTED}.")
    if text[0] in "\"'`" or text[-1] in "\"'`":
        raise DatabaseUrlError("The database URL is in quotes, which Prisma does not accept. Remove the quotes.")
    if any(char.isspace() or ord(char) < 32 for char in text):  # noqa: PLR2004 - control characters
        raise DatabaseUrlError("The database URL holds a blank. Remove it, or write %20 where it belongs to a name.")
    scheme = text.partition(":")[0].lower() + ":"
    if scheme in _PROXIES:
        raise DatabaseUrlError(
            f"The database URL begins with {scheme}//, which leads to Prisma's own proxy. "
            "Use the direct URL of the database (postgresql://…)."
        )
    if scheme in _KINDS:
        raise DatabaseUrlError(f"The database URL is for {_KINDS[scheme]}. Only {SUPPORTED}.")
    match = _URL.fullmatch(text)
    if match is None:  # also in capitals, which the engine does not accept
        raise DatabaseUrlError(f"The database URL begins neither with postgresql:// nor postgres://. {SUPPORTED}.")
    tail = text[match.end("server") :]
    if "@" in tail:  # the engine would take a part of the password for the server's name
        raise DatabaseUrlError(
            "The database URL has an @ behind the server's name. "
            "Percent-encode special characters of user, password and options: / %2F, ? %3F, # %23, @ %40, % %25."
        )
    return match["server"], match["path"], match["query"] or "", match["rest"] is not None


def _database(path: str, user: str) -> str:
    """The first segment of the path; the server takes the user's name where that is empty."""
    if not path:
        return "postgres"
    return _decoded(path.split("/")[1]) or _decoded(user)


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:  # the engine takes the text as it is then
        return text


def _boolean(options: Mapping[str, str], name: str) -> bool:
    value = options.get(name, "false")
    if value not in ("true", "false"):
        raise DatabaseUrlError(f"The database URL has {name}= without true or false. Prisma accepts only these.")
    return value == "true"


def _seconds(options: Mapping[str, str]) -> float | None:
    value = options.get("connect_timeout", "0")
    if not re.fullmatch(r"\+?[0-9]{1,19}", value):
        raise DatabaseUrlError("The database URL has connect_timeout= without a whole number. Give seconds.")
    return float(value) or None


def _notes(options: Mapping[str, str], path: str, place: str, login: str, *, fragment: bool) -> list[str]:
    """What Prisma reads in a way of its own; the sentences hold no value."""
    mode = options.get("sslmode", "prefer")
    verifies = mode.startswith("verify") and mode in _SSL_MODES
    unknown = sorted(name for name in options if name not in _READ | IGNORED)
    named = [name for name in unknown if _OPTION.fullmatch(name)]
    spelt = [*named, *(["others"] if len(named) < len(unknown) else [])]
    numbers = ("connection_limit", "pool_timeout", "socket_timeout", "statement_cache_size")
    wrong = [name for name in numbers if name in options and not re.fullmatch(r"\+?[0-9]+", options[name])]
    strict = options.get("sslaccept", "") not in ("", "accept_invalid_certs")
    notes = {
        f"Prisma does not know {', '.join(spelt)}; not used here.": bool(unknown),
        f"Prisma's engine refuses {', '.join(wrong)} without a number; a deploy fails with this URL.": bool(wrong),
        "Prisma's engine reads this sslmode as prefer; here the certificate is verified.": verifies,
        "Prisma's engine does not know this sslmode and reads prefer.": mode not in _SSL_MODES,
        "sslmode=no-verify is read as require; Prisma's engine reads prefer.": mode == "no-verify",
        "sslcert is not verified without sslaccept=strict, as with Prisma.": bool(options.get("sslcert"))
        and not strict and not verifies,
        "sslaccept=strict without sslmode=require: Prisma may connect without TLS; here TLS is required.": strict
        and mode == "prefer",
        "Prisma accepts one server; with several the first that is a writer is read.": "," in place
        or "," in options.get("host", ""),
        "Prisma's engine needs a server's name (localhost) even beside host=.": not place and bool(login),
        "Prisma's engine does not decode the % in the database's name.": "%" in path,
        "Text after the second / is not part of the database's name.": path.count("/") > 1,
        "Text after # is not part of the URL.": fragment,
    }  # fmt: skip
    return [note for note, applies in notes.items() if applies]
