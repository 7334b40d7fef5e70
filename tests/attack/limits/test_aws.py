"""Something that answers for AWS is an attacker: each call ends in time and size, as *could not check*."""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.clients import aws as client
from fixtures.clients.aws import Aws
from fixtures.logs.cloudwatch import _read
from health.config.environment import Environment, Limits
from health.finding import CouldNotCheck
from health.secrets.secret import Secret
from tests.support.hostile_http import OK, Write, drip, flood, serving, whole
from tests.support.load import patience

# botocore itself begins slowly on a busy machine; the drips come more often than once in this time.
LIMITS = Limits(aws_connect_s=0.5, aws_read_s=1, aws_attempts=1)
KEYS = Environment(
    "a", "a", region="us-east-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key=Secret("key of AWS"),
    limits=LIMITS, functions={"auth": "auth", "worker": "worker"},
)  # fmt: skip
XML = OK.replace(b"application/json", b"text/xml")
BOMB = b"<!DOCTYPE a [" + b"".join(b'<!ENTITY e%d "%s">' % (n + 1, b"&e%d;" % n * 10) for n in range(12)) + b"]>"
PAGE = json.dumps({"Functions": [{"FunctionName": "f"}], "NextMarker": "m"}).encode()
LATE, LARGE, WRONG = "did not finish its answer within 1.5 s", "answers with more than", "is not AWS"


def paged() -> Write:
    numbers = iter(range(1_000_000))

    def write(connection: socket.socket, over: threading.Event) -> None:
        whole(PAGE.replace(b'"m"', b'"m%d"' % next(numbers)), b"Connection: close\r\n")(connection, over)

    return write


ANSWERS: dict[str, tuple[Write, str]] = {
    "headers in drips": (drip(OK + b"X-A: ", b"a"), LATE),
    "1xx after 1xx": (drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), LATE),
    "a body in drips": (drip(OK + b"Content-Length: 1000000\r\n\r\n", b" "), LATE),
    "a body without end": (flood(OK + b"\r\n", b" " * 1000), LARGE),
    "chunks without end": (flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n%b\r\n" % (b" " * 1024)), LARGE),
    "pages without end": (paged(), "answers with more than 20 pages"),
    "a page that leads to itself": (whole(PAGE, b"Connection: close\r\n"), ""),
    "deep JSON": (whole(b'{"Functions":' + b"[" * 500_000), WRONG),
    "an integer of 100,000 digits": (whole(b'{"Functions": [' + b"9" * 100_000 + b"]}"), WRONG),
    "functions that are none": (whole(b'{"Functions": {"a": 1e999999}}'), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_hostile_answer_is_could_not_check(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_MOST_BYTES", 2_000_000)
    monkeypatch.setattr(client, "_MOST_PAGES", 20)
    write, told = ANSWERS[name]
    begin = time.monotonic()
    with serving(write) as (url, _):
        aws = Aws(replace(KEYS, aws_endpoint_url=url))
        with pytest.raises(CouldNotCheck) as error:
            aws.call("lambda", "list_functions", member="Functions")
        aws.close()
    assert told in error.value.what
    assert error.value.what.isprintable()
    assert time.monotonic() - begin < patience(15)


@pytest.mark.parametrize(
    ("body", "told"), [(BOMB + b"<a>&e12;</a>", WRONG), (b"<a>" * 300_000, "AWS")], ids=["entities", "deep"]
)
def test_hostile_xml_is_could_not_check(body: bytes, told: str) -> None:
    with serving(lambda connection, _: connection.sendall(XML + b"\r\n" + body)) as (url, _):
        aws = Aws(replace(KEYS, aws_endpoint_url=url))
        with pytest.raises(CouldNotCheck, match=told):
            aws.call("rds", "describe_db_clusters", member="DBClusters")
        aws.close()


def test_handshake_in_drips_is_not_waited_for() -> None:
    with serving(drip(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\0"), tls=True) as (url, _):
        aws = Aws(replace(KEYS, aws_endpoint_url=url))
        with pytest.raises(CouldNotCheck, match="did not"):
            aws.call("lambda", "list_functions", member="Functions")
        aws.close()


def test_object_in_drips_is_not_waited_for() -> None:
    with serving(drip(OK + b"Content-Length: 60000\r\n\r\n", b"{")) as (url, _):
        aws = Aws(replace(KEYS, aws_endpoint_url=url))
        with pytest.raises(CouldNotCheck, match=LATE):
            aws.content("bucket", "key", 65_536)
        aws.close()


def test_program_that_gives_no_credentials_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_PREPARATION_S", 0.5)
    (tmp_path / "config").write_text("[profile slow]\ncredential_process = sleep 20\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    named = replace(KEYS, aws_access_key_id=None, aws_secret_access_key=None, profile="slow")
    begin = time.monotonic()
    with pytest.raises(CouldNotCheck, match="credentials did not come in time"):
        Aws(named).call("lambda", "list_functions", member="Functions")
    assert time.monotonic() - begin < patience(10)


@pytest.mark.parametrize("timestamp", [10**30, -(10**18), None])
def test_time_of_a_log_that_is_none(timestamp: int | None) -> None:
    event = {"timestamp": timestamp, "message": "ERROR: relation", "logStreamName": "s"}
    with serving(whole(json.dumps({"events": [event]}).encode())) as (url, _):
        environment = replace(KEYS, aws_endpoint_url=url)
        aws = Aws(environment)
        with pytest.raises(CouldNotCheck):
            _read(environment, aws, "worker", datetime(2026, 1, 1, tzinfo=UTC))
        aws.close()
