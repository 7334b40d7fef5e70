"""HTTP that is an attacker: one limit for the whole answer, and for the one POST that acts."""

from __future__ import annotations

import json
import socket
import time

import pytest

from fixtures.clients.http import NoResponse, ask
from fixtures.clients.http_range_file import RangeError, RangeLimits, remote
from fixtures.runs.trigger import migrate
from health.api.response import understand
from health.config.environment import Environment, Limits
from health.secrets.secret import Secret
from tests.support.hostile_http import OK, Write, drip, flood, serving, whole
from tests.support.load import patience

LIMITS = Limits(connect_s=1, api_read_s=1, migration_s=2, poll_s=0.1)
WITHOUT_END: dict[str, tuple[Write, str]] = {
    "a status line in drips": (drip(b"HTTP/1.1 200 O", b"K"), "timeout"),
    "headers in drips": (drip(OK + b"X-A: ", b"a"), "timeout"),
    "1xx after 1xx": (drip(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), "timeout"),
    "1xx without pause": (flood(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), "timeout"),
    "a chunk's extension in drips": (drip(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x=1;"), "timeout"),
    "trailers in drips": (drip(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"), "timeout"),
    "chunks in drips": (drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), "timeout"),
    "headers without end": (flood(OK, b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"), "broken"),
    "a header without end": (flood(OK + b"X-A: ", b"a" * 100), "broken"),
    "a chunk's extension without end": (flood(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x=1;" * 50), "broken"),
    "a body without end": (flood(OK + b"\r\n", b"[" * 1000), "broken"),
    "a body of gzip": (whole(b"x", b"Content-Encoding: gzip\r\n"), "broken"),
    "a body of br": (whole(b"x", b"Content-Encoding: br\r\n"), "broken"),
    "a body of two encodings": (whole(b"x", b"Content-Encoding: identity, deflate\r\n"), "broken"),
    "a wrong length": (whole(b"x", b"Content-Length: 99999999999999999999\r\n"), "broken"),
}  # fmt: skip


@pytest.mark.parametrize("name", WITHOUT_END)
def test_answer_without_end_is_none(name: str) -> None:
    write, kind = WITHOUT_END[name]
    begin = time.monotonic()
    with serving(write) as (url, heard), pytest.raises(NoResponse) as error:
        ask(Environment("a", "a", limits=LIMITS), "GET", url, {})
    assert (error.value.kind, error.value.sent) == (kind, True)
    assert error.value.message.isprintable()
    assert time.monotonic() - begin < patience(6)
    assert b"accept-encoding: identity" in heard[0].lower()


@pytest.mark.parametrize("name", ["headers in drips", "1xx after 1xx", "1xx without pause"])
def test_post_of_migrate_is_not_held(name: str) -> None:
    begin = time.monotonic()
    with serving(WITHOUT_END[name][0]) as (url, heard):
        run = list(migrate(Environment("a", "a", limits=LIMITS), Secret("key of the API"), url))[-1]
    assert run.problem is not None
    assert "its answer is lost: No whole answer within 1 s" in run.problem
    assert len(heard) == 1  # never a second one
    assert time.monotonic() - begin < patience(6)


def test_handshake_in_drips_is_not_waited_for() -> None:
    begin = time.monotonic()
    record = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"
    with serving(drip(record, b"\0"), tls=True) as (url, _), pytest.raises(NoResponse) as error:
        ask(Environment("a", "a", limits=LIMITS), "POST", url, {})
    assert (error.value.kind, error.value.sent) == ("unreachable", False)
    assert time.monotonic() - begin < patience(6)


def test_hanging_resolver_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(30))
    begin = time.monotonic()
    with pytest.raises(NoResponse) as error:
        ask(Environment("a", "a", limits=LIMITS), "POST", "http://api.example", {})
    assert (error.value.kind, error.value.sent) == ("unreachable", False)
    assert time.monotonic() - begin < patience(6)


def test_what_is_late_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    original = socket.getaddrinfo

    def slow(*words: object, **named: object) -> object:
        time.sleep(1.5)
        return original(*words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with serving(whole(b"{}")) as (url, heard):
        with pytest.raises(NoResponse) as error:
            ask(Environment("a", "a", limits=LIMITS), "POST", url.replace("127.0.0.1", "localhost"), {})
        time.sleep(1.5)  # the abandoned request gets its address, and a connection
    assert error.value.sent is False
    assert not any(b"POST" in text for text in heard)


@pytest.mark.parametrize("name", ["a status line in drips", "headers in drips", "1xx after 1xx"])
def test_ranges_have_one_limit(name: str) -> None:
    begin = time.monotonic()
    limits = RangeLimits(connect_s=1, read_s=1, total_s=1)
    with serving(WITHOUT_END[name][0]) as (url, _), pytest.raises(RangeError, match="not read within 1 s"):
        remote(Secret(f"{url}/?c4n4ry"), limits).__enter__()
    assert time.monotonic() - begin < patience(6)


BODIES = {
    "deep": b"[" * 900_000,
    "deep objects": b'{"upToDate":' * 70_000,
    "an integer of 100,000 digits": b'{"upToDate": ' + b"9" * 100_000 + b"}",
    "a float without end": b'{"upToDate": 1e999999, "error": -1e999999, "progress": NaN}',
    "a text of 900 kB": json.dumps({"upToDate": False, "error": "Following migration have failed:\n" + "x" * 900_000})
    .encode(),
    "700,000 lines": json.dumps({"upToDate": False, "error": "\n" * 400_000}).encode(),
    "300,000 keys": b"{" + b",".join(b'"%d":0' % number for number in range(70_000)) + b"}",
    "half a pair": b'{"upToDate": false, "error": "\\ud800"}',
    "details": json.dumps({"details": "lambda " * 100_000}).encode(),
}  # fmt: skip


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize("name", BODIES)
def test_hostile_json_is_judged_in_time(name: str, status: int) -> None:
    with serving(whole(BODIES[name])) as (url, _):
        answer = ask(Environment("a", "a", limits=Limits()), "GET", url, {})
    begin = time.process_time()
    told = understand(url, status, answer.body, answer.json)
    assert time.process_time() - begin < 3
    assert len(told.problem.message if told.problem else "") < 1000
