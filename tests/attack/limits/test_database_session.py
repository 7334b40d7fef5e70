"""A server that attacks behind the login: a question ends in time and size, as *could not check*."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from fixtures.database.data_session import DataSession
from fixtures.database.url_session import url_session
from health.config.database_url import UrlLogin, read_database_url
from health.config.environment import Limits
from health.finding import CouldNotCheck
from tests.support.hostile_postgres import Peer, Script, hostile, message, said
from tests.support.load import patience

LIMITS = Limits(connect_s=5, database_s=0.5)
PARSED = message(b"1") + message(b"2")
INT8 = 20
SYNC = b"S\0\0\0\x04"


def columns(*types: int) -> bytes:
    fields = b"".join(b"c\0" + struct.pack("!IhIhih", 0, 0, kind, -1, -1, 0) for kind in types)
    return message(b"T", struct.pack("!h", len(types)) + fields)


def row(*values: bytes) -> bytes:
    return message(b"D", struct.pack("!h", len(values)) + b"".join(struct.pack("!i", len(v)) + v for v in values))


DONE = message(b"C", b"SELECT 1\0") + message(b"Z", b"T")
BEGUN = PARSED + message(b"n") + message(b"C", b"BEGIN\0") + message(b"Z", b"T")


def answers(data: bytes) -> Script:
    """What answers a question, behind that which answers BEGIN and the settings of the session."""

    def script(peer: Peer) -> None:
        peer.accepted()
        for number, answer in (
            (1, BEGUN),
            (2, PARSED + columns(25) + row(b"x") + message(b"C", b"SELECT 1\0") + PARSED),
        ):
            while peer.heard.count(SYNC) < number and peer.hear():
                pass
            peer.send(answer)
        peer.send(data)

    return script


def then(script: str, data: bytes) -> Script:
    def whole(peer: Peer) -> None:
        answers(columns(25))(peer)
        getattr(peer, script)(data)

    return whole


ANSWERS: dict[str, tuple[Script, str]] = {
    "silence": (lambda peer: peer.accepted().silent(), "within 1.5 s"),
    "rows without end": (then("flood", row(b"x" * 1000)), "more than 1 MB"),
    "rows in drips": (then("drip", row(b"x" * 1000)), "within 1.5 s"),
    "notices without end": (then("flood", said(b"N", "x" * 1000)), "more than 1 MB"),
    "parameters without end": (then("flood", message(b"S", b"a\0" + b"b" * 500 + b"\0")), "more than 1 MB"),
    "notifications without end": (then("flood", message(b"A", b"\0\0\0\1" + b"a\0" * 2)), "more than 1 MB"),
    "COPY to us": (answers(message(b"H", b"\0\0\0")), ""),
    "COPY from us": (answers(message(b"G", b"\0\0\0")), ""),
    "COPY both ways": (answers(message(b"W", b"\0\0\0")), ""),
    "no number": (answers(columns(INT8) + row(b"x") + DONE), "malformed values"),
    "a number of 100,000 digits": (answers(columns(INT8) + row(b"1" * 100_000) + DONE), "malformed values"),
    "no protocol": (answers(b"HTTP/1.1 200 OK\r\n\r\n" * 10), ""),
    "a row of 2 GB": (answers(columns(25) + b"D\x7f\xff\xff\xff"), ""),
    "the end": (lambda peer: peer.accepted().connection.close(), ""),
    "an answer before the question": (lambda peer: peer.accepted().send(BEGUN + DONE), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_hostile_answer_is_could_not_check(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.database.session._MOST_BYTES", 1_000_000)
    script, told = ANSWERS[name]
    begin = time.monotonic()
    with hostile(script) as (port, _):
        url = read_database_url(f"postgresql://u:secret@127.0.0.1:{port}/d?sslmode=disable")
        with url_session(UrlLogin(url, "DATABASE_URL", Path()), LIMITS) as session:
            assert session.connection is not None
            with pytest.raises(CouldNotCheck) as error:
                session.read(("SELECT 1", ()))
    assert told in error.value.what
    assert error.value.what.isprintable()
    assert time.monotonic() - begin < patience(10)


def test_second_session_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.database.data_session._LOGIN_S", 0.5)
    first: list[Peer] = []

    def script(peer: Peer) -> None:
        first.append(peer)
        if len(first) == 1:
            peer.accepted()
        peer.silent()

    begin = time.monotonic()
    with hostile(script) as (port, _):
        url = read_database_url(f"postgresql://u:secret@127.0.0.1:{port}/d?sslmode=disable")
        with url_session(UrlLogin(url, "DATABASE_URL", Path()), LIMITS) as session:
            second = DataSession(session, 1)
            assert second.opened is None
            with pytest.raises(CouldNotCheck, match="no second session"):
                second.read_each([("SELECT 1", ())])
    assert time.monotonic() - begin < patience(8)
