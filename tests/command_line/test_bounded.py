"""Every source that can fail, in every way: a run ends within its limits, says what it does not know, and goes on.

The environment is the sandbox's; on each way into it stands a relay, or a front, that breaks it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import pytest

from fixtures.clients.aws import Accounts
from fixtures.facts import READERS, Facts, with_needs
from health.check import CHECKS
from health.config.environment import Environment, Limits
from health.finding import Finding
from sandbox.aws.proxy import AwsProxy
from sandbox.plan import AwsMode
from tests.support import sandbox as harness
from tests.support.load import patience
from tests.support.relay import Mode as WayMode
from tests.support.relay import Relay
from tests.support.second_servers import USERS, Bastion
from tests.support.side_by_side import selected

LIMITS = Limits(
    connect_s=2, aws_connect_s=2, aws_read_s=4, aws_attempts=1, api_read_s=2, database_s=3, layer_s=5, fact_s=10
)  # fmt: skip
WATCH_S = 30  # of one case, on a busy machine

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
MODES: tuple[AwsMode, ...] = ("denied", "expired", "throttled", "reset", "silent", "slow", "html", "half", "cut")
COMMON: tuple[AwsMode, ...] = ("denied", "html")  # of every operation; all modes of one for each protocol
PROTOCOLS = (
    "rds:DescribeDBClusters", "ec2:DescribeInstances", "lambda:GetFunctionConfiguration",
    "secretsmanager:GetSecretValue",
)  # fmt: skip
AWS_CASES = [(op, mode) for op in AWS for mode in MODES if mode in COMMON or op in PROTOCOLS]
ALL_OF_AWS: tuple[AwsMode, ...] = ("expired", "throttled")
WAY_MODES: tuple[WayMode, ...] = ("refused", "silent", "reset", "wrong", "slow", "half", "cut")
GONE: tuple[WayMode, ...] = ("half", "cut")  # after so many octets
BASTION = [(mode, 20) for mode in WAY_MODES] + [(mode, 1500) for mode in GONE]  # in its greeting, its handshake
DATABASE = [(mode, 1) for mode in WAY_MODES] + [(mode, after) for mode in GONE for after in (500, 20_000)]

THREADS = 3

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
    archive: str = ""  # the path of the layer's archive
    accounts: Accounts = field(default_factory=Accounts)

    def read(self, env: Environment | None = None) -> Told:
        """Give the answers of all checks, within the limits."""
        began = time.monotonic()
        for aws in self.accounts._made.values():
            aws._answers.clear()  # the clients are kept, as making them takes longer than all else
        read = Facts(env or self.env, {"accounts": self.accounts})
        try:
            read.start({name for check in CHECKS.values() for name in check.needs})
            told = harness.judge_all(read)
        finally:
            read.close()
        assert time.monotonic() - began < patience(WATCH_S)
        return told


Broken = Callable[[World, Path], AbstractContextManager[Environment]]


@dataclass(frozen=True)
class Case:
    """A source that fails.

    Attributes:
        broken: breaks it for the length of a block, and gives the environment to read.
        readers: what cannot be read then.
        findings: a check may find that out, in place of giving no answer.
        archive: the layer's archive is to be read, so no earlier reading is kept.
    """

    broken: Broken
    readers: tuple[str, ...]
    findings: bool = False
    archive: bool = False


def failing(proxy: str, operation: str, mode: AwsMode) -> Broken:
    """Let a proxy fail at an operation."""

    @contextmanager
    def broken(world: World, _: Path) -> Iterator[Environment]:
        through: AwsProxy = getattr(world, proxy)
        through.modes[operation or world.archive] = mode
        try:
            yield world.env
        finally:
            through.modes.clear()

    return broken


def breaking(way: str, mode: WayMode, after: int = 20) -> Broken:
    """Let a relay break its connections."""

    @contextmanager
    def broken(world: World, _: Path) -> Iterator[Environment]:
        with getattr(world, way).broken(mode, after):
            yield world.env

    return broken


def replacing(setting: str, make: Callable[[Path], object]) -> Broken:
    """Put a file of another kind in the place of one that a setting names."""

    @contextmanager
    def broken(world: World, directory: Path) -> Iterator[Environment]:
        path = directory / "file"
        make(path)
        changed: Any = {setting: path}
        yield replace(world.env, **changed)

    return broken


KEY = ("ssh_key", "preflight", "script_route")
FILES: dict[str, tuple[str, Callable[[Path], object], tuple[str, ...]]] = {
    "a script that is a directory": ("tunnel_script", Path.mkdir, ("tunnel_script",)),
    "a script that is not text": ("tunnel_script", lambda path: path.write_bytes(b"\xff\xfe\x00"), ("tunnel_script",)),
    "a script without end": ("tunnel_script", lambda path: path.symlink_to("/dev/zero"), ("tunnel_script",)),
    "no migrations": ("migrations", lambda path: None, ("migrations",)),
    "migrations that are a file": ("migrations", Path.touch, ("migrations",)),
    "a key that is none": ("ssh_key", lambda path: path.write_bytes(b"no key"), KEY),
    "a key that is missing": ("ssh_key", lambda path: None, KEY),
    "a key without end": ("ssh_key", lambda path: path.symlink_to("/dev/zero"), KEY),
    "hosts that are a directory": ("known_hosts", Path.mkdir, ("preflight", "script_route")),
    "hosts without end": ("known_hosts", lambda path: path.symlink_to("/dev/zero"), ("preflight", "script_route")),
    "hosts that are noise": (
        "known_hosts", lambda path: path.write_bytes(b"\xff" * 99), ("preflight", "script_route"),
    ),
}  # fmt: skip

API, PREFLIGHT = ("api_status",), ("preflight", "script_route")
CASES: dict[str, Case] = {
    **{
        f"AWS, {operation}, {mode}": Case(
            failing("aws", operation, mode), AWS[operation], archive=operation == "lambda:GetLayerVersion"
        )
        for operation, mode in AWS_CASES
    },
    **{f"the archive, {mode}": Case(failing("aws", "", mode), ("deployed_layer",), archive=True) for mode in MODES},
    **{f"all of AWS, {mode}": Case(failing("aws", "*", mode), ("aws",)) for mode in ALL_OF_AWS},
    **{f"the way to AWS, {mode}": Case(breaking("aws_way", mode), ("aws",)) for mode in WAY_MODES},
    **{f"the API, {mode}": Case(failing("api", "*", mode), API, findings=True) for mode in MODES},
    **{f"the way to the API, {mode}": Case(breaking("api_way", mode), API, findings=True) for mode in WAY_MODES},
    **{
        f"the bastion, {mode} after {after}": Case(breaking("bastion_way", mode, after), PREFLIGHT, findings=True)
        for mode, after in BASTION
    },
    **{
        f"the database, {mode} after {after}": Case(
            breaking("database_way", mode, after), ("database", "preflight"), findings=True
        )
        for mode, after in DATABASE
    },
    **{
        name: Case(replacing(setting, make), readers, findings=True) for name, (setting, make, readers) in FILES.items()
    },
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], World]]:
    """Makes the ways into one sandbox."""
    with ExitStack() as stack:
        entry = stack.enter_context(harness.sandbox())
        within = stack.enter_context(harness.facts(harness.environment(entry)))
        yield lambda: ways(stack, entry, within, tmp_path_factory.mktemp("ways"))


def ways(stack: ExitStack, entry: dict[str, Any], within: Facts, directory: Path) -> World:
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
    aws.changes["lambda:GetLayerVersion"] = lambda body: body.replace(
        entry["aws_endpoint_url"].encode(), aws.url.encode()
    )
    return World(replace(env, limits=LIMITS), aws, aws_way, api, api_way, bastion_way, database_way)


@pytest.fixture(scope="module")
def world(made: Callable[[], World]) -> World:
    return made()


@pytest.fixture(scope="module")
def healthy(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The answers where nothing fails, read without haste; what is kept of them is there in all cases."""
    with keeping(tmp_path_factory.mktemp("healthy")):
        answers = world.read(replace(world.env, limits=Limits()))
        (world.archive,) = {seen for seen in world.aws.seen if seen.startswith("/")}
        yield answers


@contextmanager
def keeping(directory: Path) -> Iterator[None]:
    """Keep what is read in a directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(directory))
        yield


@pytest.fixture(scope="module")
def answers(
    world: World, made: Callable[[], World], healthy: Told, request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Future[Told]]:  # fmt: skip
    """What all checks answer in each case; cases run side by side, each on ways of its own."""
    assert healthy
    free: Queue[World] = Queue()
    for place in (world, *(made() for _ in range(THREADS - 1))):
        place.archive = world.archive
        free.put(place)

    def work(case: Case, directory: Path) -> Told:
        place = free.get()
        try:
            with case.broken(place, directory) as env:
                return place.read(env)
        finally:
            free.put(place)

    def begin(*, archive: bool) -> dict[str, Future[Told]]:
        names = [name for name in selected(request, "name") if CASES[name].archive == archive]
        with ThreadPoolExecutor(THREADS) as pool:
            return {name: pool.submit(work, CASES[name], tmp_path_factory.mktemp("case")) for name in names}

    answers = begin(archive=False)
    with keeping(tmp_path_factory.mktemp("without the archive")):
        with failing("aws", "", "denied")(world, Path()) as env:
            world.read(replace(env, limits=Limits()))
        return answers | begin(archive=True)


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
    number = urlsplit(url).port
    assert number is not None
    return number


@pytest.mark.parametrize("name", CASES)
def test_a_run_ends_and_says_what_it_does_not_know(answers: dict[str, Future[Told]], healthy: Told, name: str) -> None:
    """What hangs on the readers is said not to be known, or found; all else is as in good health."""
    case, told = CASES[name], answers[name].result()
    touched = {check.id for check in CHECKS.values() if with_needs(check.needs).intersection(case.readers)}
    assert touched
    assert {check: told[check] for check in told.keys() - touched} == {
        check: healthy[check] for check in healthy.keys() - touched
    }
    given = [told[check] for check in touched]
    assert any(isinstance(answer, str) or answer for answer in given)
    if not case.findings:
        assert all(isinstance(answer, str) for answer in given), given
    assert not any("defect" in answer for answer in given if isinstance(answer, str)), given


def test_without_a_fault_all_is_answered(world: World, healthy: Told) -> None:
    without = {check: answer for check, answer in healthy.items() if isinstance(answer, str)}
    assert without.keys() == {"schema-file-has-no-unwritten-change"}  # the sandbox has none
    assert world.read() == healthy


@pytest.mark.usefixtures("healthy")
def test_every_source_of_aws_is_in_the_table(world: World) -> None:
    world.aws.seen.clear()
    world.read()
    assert {seen for seen in world.aws.seen if ":" in seen} == AWS.keys()


@pytest.mark.parametrize("mode", COMMON)
def test_routes(world: World, tmp_path: Path, mode: AwsMode) -> None:
    with failing("aws", ROUTES, mode)(world, tmp_path) as env, harness.facts(env) as read:
        assert read["api_routes"].unknown


def test_the_table_is_large_enough() -> None:
    assert all(reader in READERS for readers in AWS.values() for reader in readers)
    assert len(CASES) + len(COMMON) >= 60
