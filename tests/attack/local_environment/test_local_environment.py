"""Another user of the machine attacks a running local environment: nothing of it answers."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import psycopg
import pytest

from fixtures.facts import Facts
from sandbox.plan import HOSTILE
from tests.attack.local_environment.strangers import STRANGERS, listeners, needs_root, run
from tests.sandbox.test_sandbox import descendants
from tests.support import sandbox as harness

pytestmark = needs_root
SECRETS = '{"SecretId": "quo-integrations-local-db-credentials"}'
SIGNED = (
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIAMADEUP/20260101/us-east-1/{service}/aws4_request, "
    "SignedHeaders=host, Signature=00\r\n"
)


@dataclass
class World:
    """A running sandbox, and what its owner knows of it."""

    entry: dict[str, Any]
    read: Facts
    directory: Path
    processes: dict[int, str]

    @property
    def ports(self) -> dict[str, int]:
        aws, api = (urlsplit(self.entry[key]).port for key in ("aws_endpoint_url", "api_url"))
        return {"aws": aws or 0, "api": api or 0, "ssh": self.entry["ssh_port"]}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with ExitStack() as stack:
        entry = stack.enter_context(harness.sandbox("reader"))
        read = stack.enter_context(harness.facts(harness.environment(entry)))
        (directory,) = (each for each in Path(entry["ssh_key"]).parents if each.name.startswith("sandbox-"))
        assert read["secret_read"].username == "postgres"
        owners = [pid for pid, command in descendants(os.getppid()).items() if str(directory) in command]
        yield World(entry, read, directory, dict.fromkeys(_around(owners), ""))


def _around(pids: list[int]) -> set[int]:
    """Processes, their parents but for pytest's, and all that these started."""
    found = set(pids)
    for pid in pids:
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if parent not in (1, os.getpid()):
            found |= set(descendants(parent))
    return found


# AWS

REQUESTS = {
    "made-up keys": ("POST / HTTP/1.1\r\nHost: {host}\r\n" + SIGNED.format(service="secretsmanager"), SECRETS),
    "a made-up token": (
        "POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Security-Token: made-up\r\n"
        + SIGNED.format(service="secretsmanager"),
        SECRETS,
    ),
    "an empty token": (
        "POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Security-Token:\r\n" + SIGNED.format(service="secretsmanager"),
        SECRETS,
    ),
    "a token of no ASCII": ("GET /?X-Amz-Security-Token=%C3%A9 HTTP/1.1\r\nHost: {host}\r\n", ""),
    "no signature": ("POST / HTTP/1.1\r\nHost: {host}\r\n", SECRETS),
    "a presigned URL": ("GET /?X-Amz-Signature=00&X-Amz-Credential=AKIA HTTP/1.1\r\nHost: {host}\r\n", ""),
    "another host": ("POST / HTTP/1.1\r\nHost: secretsmanager.us-east-1.amazonaws.com\r\n", SECRETS),
    "no host": ("POST / HTTP/1.0\r\n", SECRETS),
    "moto's own pages": ("GET /moto-api/config HTTP/1.1\r\nHost: {host}\r\n", ""),
    "moto's reset": ("POST /moto-api/reset HTTP/1.1\r\nHost: {host}\r\n", ""),
    "moto's settings": ("POST /moto-api/config HTTP/1.1\r\nHost: {host}\r\n", '{"lambda": {"use_docker": true}}'),
    "an absolute URL": ("GET http://127.0.0.1/moto-api/config HTTP/1.1\r\nHost: moto\r\n", ""),
    "the routes": ("GET /v2/apis/l0ca1ap1id/routes HTTP/1.1\r\nHost: {host}\r\n", ""),
    "the layer": ("GET /layers/0 HTTP/1.1\r\nHost: {host}\r\nRange: bytes=0-9\r\n", ""),
    "a bucket": ("GET /?list-type=2 HTTP/1.1\r\nHost: {host}\r\n" + SIGNED.format(service="s3"), ""),
    "a HEAD": ("HEAD /moto-api/config HTTP/1.1\r\nHost: {host}\r\n", ""),
    "an unknown verb": ("TRACE / HTTP/1.1\r\nHost: {host}\r\n", ""),
    "HTTP/0.9": ("GET /moto-api/config\r\n", ""),
}
FORBIDDEN = '{"message": "Forbidden"}'
ASK = """
answers = {}
for name, (head, body) in arguments['requests'].items():
    text = head.format(host='127.0.0.1:%d' % arguments['port'])
    target = 'X-Amz-Target: secretsmanager.GetSecretValue\\r\\nContent-Type: application/x-amz-json-1.1\\r\\n'
    whole = text + target + 'Content-Length: %d\\r\\n\\r\\n' % len(body) + body
    # Twice in one go: what comes after a refused request is not answered either.
    answers[name] = send(arguments['port'], whole + whole)
print(json.dumps(answers))
"""


@pytest.mark.parametrize("uid", STRANGERS)
@pytest.mark.parametrize("which", ["aws", "api"])
def test_no_request_of_another_user_is_answered(world: World, uid: int, which: str) -> None:
    answers = run(uid, ASK, requests=REQUESTS, port=world.ports[which])
    assert answers == dict.fromkeys(REQUESTS, "")


def test_no_request_without_the_token_is_answered_to_this_user(world: World) -> None:
    """The token holds by itself: where peers cannot be told apart, it is all there is."""
    for name, (head, body) in REQUESTS.items():
        told = _send(world.ports["aws"], head, body)
        assert told.count("HTTP/1.") <= 1, name
        assert told.partition(" ")[2][:3] in ("400", "401", "403", "501") or told in ("", FORBIDDEN), (name, told)


def _send(port: int, head: str, body: str) -> str:
    target = "X-Amz-Target: secretsmanager.GetSecretValue\r\nContent-Type: application/x-amz-json-1.1\r\n"
    whole = f"{head.format(host=f'127.0.0.1:{port}')}{target}Content-Length: {len(body)}\r\n\r\n{body}"
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.settimeout(10)
        answer = b""
        try:
            client.sendall(whole.encode() * 2)
            while more := client.recv(65536):
                answer += more
        except OSError:  # it has hung up on what it has not read
            pass
        return answer.decode(errors="replace")


def test_a_good_request_does_not_let_in_the_next_of_its_connection(world: World) -> None:
    token = {"X-Amz-Security-Token": world.entry["aws_session_token"]}
    with httpx.Client(base_url=world.entry["aws_endpoint_url"], trust_env=False) as client:
        assert client.get("/moto-api/config", headers=token).is_success
        assert client.get("/moto-api/config").status_code == 403
        url = f"/moto-api/config?X-Amz-Security-Token={quote(token['X-Amz-Security-Token'])}"
        assert client.get(url).is_success
        assert client.get(f"{url}x").status_code == 403


# SSH and the database

SPEAK = "print(json.dumps({name: send(port, arguments['text']) for name, port in arguments['ports'].items()}))"


@pytest.mark.parametrize("uid", STRANGERS)
def test_the_bastion_says_nothing_to_another_user(world: World, uid: int) -> None:
    told = run(uid, SPEAK, ports={"ssh": world.entry["ssh_port"]}, text="SSH-2.0-x\r\n")
    assert not told["ssh"]


def test_the_bastion_takes_its_own_key_alone_and_leads_to_the_database_alone(world: World, tmp_path: Path) -> None:
    import paramiko

    def connect(**how: Any) -> paramiko.SSHClient:
        client = paramiko.SSHClient()
        client.load_host_keys(world.entry["known_hosts"])
        login = {"username": "ec2-user", "look_for_keys": False, "allow_agent": False, "timeout": 20, **how}
        client.connect("127.0.0.1", world.entry["ssh_port"], **login)
        return client

    for wrong in (
        {"pkey": paramiko.RSAKey.generate(2048)}, {"password": "postgres"}, {"password": ""},
        {"username": "root", "key_filename": world.entry["ssh_key"]},
    ):  # fmt: skip
        with pytest.raises((paramiko.SSHException, OSError)):
            connect(**wrong)
    with connect(key_filename=world.entry["ssh_key"]) as client:
        transport = client.get_transport()
        assert transport is not None
        for place in (
            ("127.0.0.1", 22), ("127.0.0.1", 5432), ("localhost", world.ports["aws"]),
            ("127.0.0.1", world.ports["api"]), (str(world.directory / ".p"), 5432), ("169.254.169.254", 80),
        ):  # fmt: skip
            with pytest.raises(paramiko.ChannelException):
                transport.open_channel("direct-tcpip", place, ("127.0.0.1", 1), timeout=20)
        with pytest.raises(paramiko.SSHException):
            transport.request_port_forward("127.0.0.1", 0)
        with pytest.raises(paramiko.ChannelException):  # for a shell, a command or files
            transport.open_session(timeout=20)


def test_nothing_else_listens(world: World) -> None:
    """Neither the database, nor its reader, nor moto: only what answers this user alone."""
    found = listeners(set(world.processes))
    silent = found - {("127.0.0.1", port) for port in world.ports.values()}
    assert {host for host, _ in found} == {"127.0.0.1"}
    assert len(silent) == 1  # accepts nothing: where a fault has it, a bastion that is silent


RIGHTS = """
SELECT rolsuper, rolreplication, rolbypassrls, pg_has_role('pg_execute_server_program', 'MEMBER'),
       pg_has_role('pg_read_server_files', 'MEMBER'), pg_has_role('pg_write_server_files', 'MEMBER')
FROM pg_roles WHERE rolname = current_user
"""


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO PROGRAM 'id'", "CREATE TEMP TABLE t (x text); COPY t FROM PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/x'", "SELECT pg_read_file('/etc/passwd')", "SELECT lo_import('/etc/passwd')",
        "ALTER ROLE postgres SUPERUSER", "CREATE ROLE strong SUPERUSER", "SET ROLE rdsadmin",
        "SET SESSION AUTHORIZATION rdsadmin", "ALTER ROLE rdsadmin PASSWORD 'x'", "GRANT rdsadmin TO postgres",
        "GRANT pg_execute_server_program TO postgres", "SELECT * FROM pg_authid", "LOAD 'dblink'",
        "ALTER SYSTEM SET listen_addresses = '*'", "CREATE LANGUAGE plpython3u", "CREATE EXTENSION file_fdw",
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc', 'system'",
    ],
)  # fmt: skip
def test_the_login_cannot_leave_the_database(world: World, statement: str) -> None:
    refused = (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)
    with harness.writing(world.read) as session, pytest.raises(refused):
        session.execute(statement.encode())


def test_the_login_is_no_superuser(world: World) -> None:
    with harness.writing(world.read) as session:
        assert session.execute(RIGHTS).fetchall() == [(False,) * 6]


# Files and processes

LOOK = """
def attempts(path):
    for name, attempt in {
        'list': lambda: os.listdir(path), 'enter': lambda: os.chdir(path), 'read': lambda: open(path, 'rb').read(1),
        'write': lambda: open(path + '/x', 'w'),
    }.items():
        try:
            attempt()
        except OSError:
            continue
        yield f'{name} {path}'
def reached(path):
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(path)
    except OSError:
        return False
    return True
done = [each for path in arguments['paths'] for each in attempts(path)]
done += ['connect ' + path for path in arguments['sockets'] if reached(path)]
for pid in arguments['pids']:
    for name in ('environ', 'mem', 'maps', 'cwd/PG_VERSION', 'cwd/owner.lock', 'root/etc/passwd', 'fd/0', 'fd/5'):
        place = '/proc/%d/%s' % (pid, name)
        for attempt in (lambda: open(place, 'rb').read(1), lambda: os.readlink(place)):
            try:
                done.append((place, repr(attempt())))
            except OSError:
                pass
print(json.dumps([done, {pid: open('/proc/%d/cmdline' % pid).read() for pid in arguments['pids']}]))
"""


@pytest.mark.parametrize("uid", STRANGERS)
def test_no_file_socket_or_process_is_another_users(world: World, uid: int) -> None:
    paths = [str(path) for path in (world.directory, *world.directory.rglob("*")) if not path.is_symlink()]
    sockets = [path for path in paths if stat.S_ISSOCK(os.lstat(path).st_mode)]
    assert {Path(path).name.partition(".PGSQL")[0] for path in sockets} == {".s", "moto"}
    pids = [pid for pid in world.processes if Path(f"/proc/{pid}").exists()]
    assert len(pids) > 5
    done, commands = run(uid, LOOK, paths=paths, sockets=sockets, pids=pids)
    assert done == []
    shown = "\0".join(commands.values())
    known = (
        world.read["secret_read"].password.reveal(), HOSTILE,
        world.entry["aws_session_token"], world.entry["aws_secret_access_key"],
    )  # fmt: skip
    assert [secret for secret in known if secret in shown] == []
