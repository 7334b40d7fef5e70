"""A server that is an attacker, or a database URL that leads astray: a login ends in time, and gives nothing away."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from fixtures.database.login import DatabaseLogin, connect
from fixtures.database.url_session import url_session
from health.config.database_url import UrlLogin, read_database_url
from health.config.environment import Environment, Limits
from health.outcomes import finding_of
from health.secrets.secret import Secret
from plugins.run.check_catalog import all_checks
from tests.support.certificates import issue
from tests.support.hostile_postgres import (
    ACCEPTED,
    Peer,
    Script,
    authentication,
    hostile,
    parameter,
    said,
    scram,
)
from tests.support.load import patience

PASSWORD = "c4n4ry-of-the-login"
LIMITS = Limits(connect_s=1, database_s=1, wake_s=1)
CLEARTEXT = authentication(3)


def asks(data: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.greeted().send(data)

    return script


def floods(data: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.greeted().send(authentication(0))
        peer.flood(data)

    return script


def tls_without_end(peer: Peer) -> None:
    peer.hear()
    peer.send(b"S")
    peer.hear()
    peer.send(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")  # a record of 16 kB with a ServerHello
    peer.drip(b"\0")


def big_error(peer: Peer) -> None:
    peer.greeted().send(said(b"E", "x" * 5_000_000))


# Name → what the server does, and what the finding must say.
SERVERS: dict[str, tuple[Script, str]] = {
    "silent": (Peer.silent, "silent for 1 s"),
    "silent behind the greeting": (lambda peer: peer.greeted().silent(), "silent for 1 s"),
    "TLS in drips": (tls_without_end, "silent for 1 s"),
    "parameters in drips": (
        lambda peer: peer.greeted().drip(authentication(0) + parameter("a", "b" * 5000)), "silent for 1 s",
    ),
    "parameters without end": (
        floods(parameter("a", "b" * 500)), "4,000,000",
    ),
    "notices without end": (
        floods(said(b"N", "b" * 500)), "4,000,000",
    ),
    "an error of 5 MB": (big_error, "PostgreSQL"),
    "an error that steers the terminal": (asks(said(b"E", "\x1b[2J\n::error::\u202e")), "PostgreSQL closed"),
    "GSS": (asks(authentication(7)), "PostgreSQL closed"),
    "SSPI": (asks(authentication(9)), "PostgreSQL closed"),
    "an unknown way": (asks(authentication(77)), "PostgreSQL closed"),
    "a message of 2 GB": (asks(b"R\x7f\xff\xff\xff"), "PostgreSQL closed"),
    "HTTP": (asks(b"HTTP/1.1 200 OK\r\n\r\n"), "PostgreSQL closed"),
    "a clear-text password": (asks(CLEARTEXT), "clear text, without TLS"),
}  # fmt: skip


@pytest.mark.parametrize("way", ["URL", "tunnel"])
@pytest.mark.parametrize("name", SERVERS)
def test_hostile_server_is_refused_in_time(name: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, told = SERVERS[name]
    # This machine itself may be told a password in clear text: here it stands for another.
    monkeypatch.setattr("fixtures.clients.postgres._here", lambda _: False)
    all_checks()  # they know how an outcome is told
    begin = time.monotonic()
    with hostile(script) as (port, peers):
        if way == "URL":
            url = read_database_url(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/d")
            with url_session(UrlLogin(url, "DATABASE_URL", Path()), LIMITS) as session:
                problem = session.problem
        else:
            parameters = {"hostaddr": "127.0.0.1"}
            login = DatabaseLogin("127.0.0.1", port, "u", Secret(PASSWORD), "d", parameters=parameters)
            _, problem = connect(Environment("a", "a", limits=LIMITS), login)
    assert time.monotonic() - begin < patience(8)
    assert problem is not None
    finding = finding_of(problem)
    assert told in finding.message
    assert len(finding.message) < 500
    assert not any(PASSWORD.encode() in peer.heard for peer in peers)


def test_nobody_waits_for_the_proof_of_a_password() -> None:
    with hostile(scram(3_000_000)) as (port, peers):  # some seconds of a processor; a server may ask for hours
        url = read_database_url(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/d")
        with url_session(UrlLogin(url, "DATABASE_URL", Path()), Limits(connect_s=0.3)) as session:
            assert session.problem is not None
            assert session.problem.kind == "silent"
        assert not any(b"c=" in peer.heard for peer in peers)


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_clear_text_password_needs_tls(mode: str, tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issue("localhost").write(tmp_path / "server.pem")
    monkeypatch.setattr("fixtures.clients.postgres._here", lambda _: False)

    def script(peer: Peer) -> None:
        peer.greeted(tmp_path / "server.pem" if tls else None).send(CLEARTEXT)
        if PASSWORD.encode() in peer.hear():
            peer.send(ACCEPTED)

    with hostile(script) as (port, peers):
        url = read_database_url(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/d?sslmode={mode}")
        with url_session(UrlLogin(url, "DATABASE_URL", Path()), LIMITS) as session:
            entered = session.connection is not None
    assert entered == (tls and mode != "disable")
    assert any(PASSWORD.encode() in peer.heard for peer in peers) == entered


def test_this_machine_may_ask_for_a_clear_text_password() -> None:
    def script(peer: Peer) -> None:
        peer.greeted().send(CLEARTEXT)
        if PASSWORD.encode() in peer.hear():
            peer.send(ACCEPTED)

    with hostile(script) as (port, _):
        url = read_database_url(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/d")
        with url_session(UrlLogin(url, "DATABASE_URL", Path()), LIMITS) as session:
            assert session.connection is not None


HOSTS: dict[str, tuple[str, str]] = {
    "10,000 silent servers": (",".join(["127.0.0.1:{port}"] * 10_000), ""),
    "10,000 sockets": ("localhost", "?host=" + ",".join(f"/nowhere/{number}" for number in range(10_000))),
    "10,000 names without an address": (",".join(f"h{number}.invalid" for number in range(10_000)), ""),
    "a socket that is a FIFO": ("localhost", "?host={directory}"),
    "a certificate that is a FIFO": ("127.0.0.1:{port}", "?sslmode=verify-full&sslrootcert={directory}/fifo"),
    "a certificate that is /dev/zero": ("127.0.0.1:{port}", "?sslmode=verify-full&sslrootcert=/dev/zero"),
    "a certificate of 10 GB": ("127.0.0.1:{port}", "?sslmode=verify-full&sslrootcert={directory}/sparse"),
    "an identity that is a FIFO": ("127.0.0.1:{port}", "?sslmode=require&sslidentity={directory}/fifo"),
    "an identity of 10 GB": ("127.0.0.1:{port}", "?sslmode=require&sslidentity={directory}/sparse"),
    "files of libpq's own": (
        "127.0.0.1:{port}", "?passfile={directory}/fifo&service=x&sslkey={directory}/fifo&sslcrl={directory}/fifo",
    ),
    "options": ("127.0.0.1:{port}", "?options=-c%20search_path%3Devil&application_name=x"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTS)
def test_hostile_url_ends_in_time(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    os.mkfifo(tmp_path / ".s.PGSQL.5432")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10_000_000_000)
    place, query = HOSTS[name]
    begin = time.monotonic()
    with hostile(Peer.silent) as (port, peers):
        text = f"postgresql://u:{PASSWORD}@{place}/d{query}".format(port=port, directory=tmp_path)
        with url_session(UrlLogin(read_database_url(text), "DATABASE_URL", Path()), LIMITS) as session:
            problem = session.problem
    assert problem is not None
    assert time.monotonic() - begin < patience(10)
    assert not any(b"evil" in peer.heard for peer in peers)


def test_hanging_resolver_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(30))
    url = read_database_url(f"postgresql://u:{PASSWORD}@db.example/d")
    begin = time.monotonic()
    with url_session(UrlLogin(url, "DATABASE_URL", Path()), LIMITS) as session:
        assert session.problem is not None
        assert session.problem.kind == "silent"
    assert time.monotonic() - begin < patience(8)
