"""Every source that can fail, in every way: a run ends within its limits, says what it does not know, and goes on.

The environment is the sandbox's; on each way into it stands a relay, or a front, that breaks it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fixtures.clients.aws import Accounts
from fixtures.facts import READERS, Facts, with_needs
from health.check import CHECKS
from health.config.environment import Environment, Limits
from health.finding import Finding
from sandbox.aws.proxy import AwsProxy, Mode
from tests.support import sandbox as harness
from tests.support.relay import Mode as WayMode
from tests.support.relay import Relay
from tests.support.second_servers import USERS, Bastion

LIMITS = Limits(
    connect_s=1, aws_connect_s=1, aws_read_s=2.5, aws_attempts=1, api_read_s=1, database_s=1.5, layer_s=3, fact_s=6
)  # fmt: skip
WATCH_S = 20  # of one case, on a busy machine

# What AWS is asked → the readers that ask it.
AWS = {
    "sts:GetCallerIdentity": ("identity",),
    "rds:DescribeDBClusters": ("clusters",),
    "rds:DescribeDBInstances": ("clusters",),
    "ec2:DescribeInstances": ("bastions",),
    "ec2:DescribeSecurityGroups": ("security_groups",),
    "lambda:GetFunctionConfiguration": ("functions_read",),
    "lambda:ListFunctions": ("listed_functions",),
    "lambda:GetLayerVersion": ("deployed_layer",),
    "secretsmanager:GetSecretValue": ("secret_read",),
    "logs:FilterLogEvents": ("auth_log", "worker_log"),
    "s3:ListObjectsV2": ("runs",),
    "s3:GetObject": ("runs",),
}
ROUTES = "apigateway:GetRoutes"  # no answer is an answer there
MODES: tuple[Mode, ...] = ("denied", "expired", "throttled", "reset", "silent", "slow", "html", "half", "cut")
COMMON: tuple[Mode, ...] = ("denied", "html")  # of every operation; all modes of one for each protocol
PROTOCOLS = (
    "rds:DescribeDBClusters", "ec2:DescribeInstances", "lambda:GetFunctionConfiguration",
    "secretsmanager:GetSecretValue",
)  # fmt: skip
AWS_CASES = [(op, mode) for op in AWS for mode in MODES if mode in COMMON or op in PROTOCOLS]
WAY_MODES: tuple[WayMode, ...] = ("refused", "silent", "reset", "wrong", "slow", "half", "cut")
GONE: tuple[WayMode, ...] = ("half", "cut")  # after so many octets
BASTION = [(mode, 20) for mode in WAY_MODES] + [(mode, 1500) for mode in GONE]  # in its greeting, its handshake
DATABASE = [(mode, 1) for mode in WAY_MODES] + [(mode, after) for mode in GONE for after in (500, 20_000)]

Told = dict[str, list[Finding] | str]


@dataclass
class World:
    """The environment, with everything that stands on the ways into it."""

    env: Environment
    aws: AwsProxy
    aws_way: Relay
    api: AwsProxy
    api_way: Relay
    bastion_way: Relay
    database_way: Relay
    healthy: Told
    archive: str = ""  # the path of the layer's archive
    accounts: Accounts = field(default_factory=Accounts)

    def read(self, env: Environment | None = None) -> Told:
        """The answers of all checks, within the limits."""
        began = time.monotonic()
        for aws in self.accounts._made.values():
            aws._answers.clear()  # the clients are kept, as making them takes longer than all else
        read = Facts(env or self.env, {"accounts": self.accounts})
        try:
            read.start({name for check in CHECKS.values() for name in check.needs})
            told = harness.judge_all(read)
        finally:
            read.close()
        assert time.monotonic() - began < WATCH_S
        return told

    def assert_bounded(self, told: Told, *readers: str, findings: bool) -> None:
        """What hangs on the readers is said not to be known, or found; all else is as in good health."""
        touched = {check.id for check in CHECKS.values() if with_needs(check.needs).intersection(readers)}
        assert touched
        for check, answer in told.items():
            if check not in touched:
                assert answer == self.healthy[check], check
        answers = [told[check] for check in touched]
        assert any(isinstance(answer, str) or answer for answer in answers)
        if not findings:
            assert all(isinstance(answer, str) for answer in answers), answers
        assert not any("defect" in answer for answer in answers if isinstance(answer, str)), answers


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("ways")
    with ExitStack() as stack:
        entry = stack.enter_context(harness.sandbox())
        within = stack.enter_context(harness.facts(harness.environment(entry)))
        database_way = relay(stack, within["tunnel"].port)
        bastion = Bastion()
        stack.callback(bastion.stop)
        bastion.start()
        cluster = within["cluster"]
        for endpoint in (cluster.writer_endpoint, cluster.reader_endpoint):
            bastion.forwards[endpoint, cluster.port] = database_way.port
        bastion_way = relay(stack, bastion.port)
        aws, api = front(stack, entry["aws_endpoint_url"]), front(stack, entry["api_url"])
        aws_way, api_way = relay(stack, port(aws.url)), relay(stack, port(api.url))
        key, known_hosts = directory / "key.pem", directory / "known_hosts"
        key.touch(mode=0o600)
        key.write_bytes(bastion.client_key.export_private_key("pkcs1-pem"))
        known_hosts.write_text(bastion.known_hosts().replace(f":{bastion.port} ", f":{bastion_way.port} "))
        env = harness.environment(
            entry,
            aws_endpoint_url=f"http://127.0.0.1:{aws_way.port}",
            api_url=f"http://127.0.0.1:{api_way.port}",
            ssh_user=USERS["qa"],
            ssh_port=bastion_way.port,
            ssh_key=str(key),
            known_hosts=str(known_hosts),
        )
        made = World(replace(env, limits=LIMITS), aws, aws_way, api, api_way, bastion_way, database_way, {})
        aws.changes["lambda:GetLayerVersion"] = lambda body: body.replace(
            entry["aws_endpoint_url"].encode(), aws.url.encode()
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CACHE_HOME", str(directory))
            made.healthy = made.read(replace(env, limits=Limits()))
        (made.archive,) = {seen for seen in aws.seen if seen.startswith("/")}
        yield made


def relay(stack: ExitStack, target: int) -> Relay:
    made = Relay(target)
    stack.callback(made.close)
    return made


def front(stack: ExitStack, upstream: str) -> AwsProxy:
    made = AwsProxy(upstream)
    made.start()
    stack.callback(made.stop)
    return made


def port(url: str) -> int:
    found = urlsplit(url).port
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A layer's archive is read once and kept: here it is to be read."""
    if "archive" in request.node.name or "LayerVersion" in request.node.name:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@contextmanager
def failing(through: AwsProxy, operation: str, mode: Mode) -> Iterator[None]:
    through.modes[operation] = mode
    try:
        yield
    finally:
        through.modes.clear()


def test_without_a_fault_all_is_answered(world: World) -> None:
    assert [answer for answer in world.healthy.values() if isinstance(answer, str)] == []
    assert world.read() == world.healthy


def test_every_source_of_aws_is_in_the_table(world: World) -> None:
    world.aws.seen.clear()
    world.read()
    assert {seen for seen in world.aws.seen if ":" in seen} == AWS.keys()


@pytest.mark.parametrize("mode", COMMON)
def test_routes(world: World, mode: Mode) -> None:
    with failing(world.aws, ROUTES, mode), harness.facts(world.env) as read:
        assert read["api_routes"].unknown


@pytest.mark.parametrize("mode", MODES)
def test_the_archive(world: World, mode: Mode) -> None:
    with failing(world.aws, world.archive, mode):
        told = world.read()
    world.assert_bounded(told, "deployed_layer", findings=False)


@pytest.mark.parametrize(("operation", "mode"), AWS_CASES)
def test_aws(world: World, operation: str, mode: Mode) -> None:
    with failing(world.aws, operation, mode):
        told = world.read()
    world.assert_bounded(told, *AWS[operation], findings=False)


@pytest.mark.parametrize("mode", ["expired", "throttled"])
def test_the_whole_of_aws(world: World, mode: Mode) -> None:
    with failing(world.aws, "*", mode):
        told = world.read()
    world.assert_bounded(told, "aws", findings=False)


@pytest.mark.parametrize("mode", WAY_MODES)
def test_the_way_to_aws(world: World, mode: WayMode) -> None:
    with world.aws_way.broken(mode):
        told = world.read()
    world.assert_bounded(told, "aws", findings=False)


@pytest.mark.parametrize("mode", MODES)
def test_the_api(world: World, mode: Mode) -> None:
    with failing(world.api, "*", mode):
        told = world.read()
    world.assert_bounded(told, "api_status", findings=True)


@pytest.mark.parametrize("mode", WAY_MODES)
def test_the_way_to_the_api(world: World, mode: WayMode) -> None:
    with world.api_way.broken(mode):
        told = world.read()
    world.assert_bounded(told, "api_status", findings=True)


@pytest.mark.parametrize(("mode", "after"), BASTION)
def test_the_bastion(world: World, mode: WayMode, after: int) -> None:
    with world.bastion_way.broken(mode, after):
        told = world.read()
    world.assert_bounded(told, "preflight", "script_route", findings=True)


@pytest.mark.parametrize(("mode", "after"), DATABASE)
def test_the_database(world: World, mode: WayMode, after: int) -> None:
    with world.database_way.broken(mode, after):
        told = world.read()
    world.assert_bounded(told, "database", "preflight", findings=True)


KEY = ("ssh_key", "preflight", "script_route")
FILES: dict[str, tuple[str, Callable[[Path], None], tuple[str, ...]]] = {
    "a script that is a directory": ("tunnel_script", lambda path: path.mkdir(), ("tunnel_script",)),
    "a script that is not text": ("tunnel_script", lambda path: _write(path, b"\xff\xfe\x00"), ("tunnel_script",)),
    "a script without end": ("tunnel_script", lambda path: path.symlink_to("/dev/zero"), ("tunnel_script",)),
    "no migrations": ("migrations", lambda path: None, ("migrations",)),
    "migrations that are a file": ("migrations", lambda path: _write(path, b""), ("migrations",)),
    "a key that is none": ("ssh_key", lambda path: _write(path, b"no key"), KEY),
    "a key that is missing": ("ssh_key", lambda path: None, KEY),
    "a key without end": ("ssh_key", lambda path: path.symlink_to("/dev/zero"), KEY),
    "hosts that are a directory": ("known_hosts", lambda path: path.mkdir(), ("preflight", "script_route")),
    "hosts without end": ("known_hosts", lambda path: path.symlink_to("/dev/zero"), ("preflight", "script_route")),
    "hosts that are noise": ("known_hosts", lambda path: _write(path, b"\xff" * 99), ("preflight", "script_route")),
}


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@pytest.mark.parametrize("case", FILES)
def test_a_file(world: World, tmp_path: Path, case: str) -> None:
    setting, make, readers = FILES[case]
    path = tmp_path / "file"
    make(path)
    changed: Any = {setting: path}
    told = world.read(replace(world.env, **changed))
    world.assert_bounded(told, *readers, findings=True)


def test_the_table_is_large_enough() -> None:
    assert all(reader in READERS for readers in AWS.values() for reader in readers)
    number = (
        len(AWS_CASES)
        + len(MODES)
        + len(COMMON)
        + 2
        + len(MODES)
        + 2 * len(WAY_MODES)
        + len(BASTION)
        + len(DATABASE)
        + len(FILES)
    )
    assert number >= 60
