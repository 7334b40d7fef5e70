"""``--clone docker`` with a real engine (``ci/engine``): a proof, and what becomes of a container whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import LiteralString

import pytest
from testcontainers.core.config import ConnectionMode, testcontainers_config

from fixtures.clone.database import CloneError
from fixtures.clone.server import CloneServer, clone
from fixtures.clone.servers import container, docker, local, take
from fixtures.clone.servers.running import ServerError
from health.clone.server_choice import ServerChoice, parse
from health.secrets.secret import Secret
from plugins.paths import ROOT
from tests.support import second_environment as second
from tests.support.container_engine import Eye, engine, falling_silent, wait_until_watched
from tests.support.load import patience

MAJORS = (15, 18)
DOCKER = parse("docker", "--clone")
STATE: LiteralString = "SELECT version(), datcollate::text FROM pg_database WHERE datname = current_database()"
# Starts a container as a run does, says so, and waits to be killed.
HOLDS = """
import sys, time
from contextlib import ExitStack
from fixtures.clone.servers import docker
from tests.support.container_engine import wait_until_watched
with ExitStack() as owned:
    wait_until_watched(docker.start(docker.offer(int(sys.argv[1])), owned))
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with engine() as found:
        yield found


@pytest.fixture
def eye(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Eye]:
    """Sees the engine that is now the one which a run finds; no test leaves anything on it."""
    monkeypatch.setenv("DOCKER_HOST", address)
    seen = Eye(address)
    seen.clear()  # of a run of these tests that was killed
    yield seen
    seen.clear()
    seen.client.close()


def until(is_so: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + patience(seconds)
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def test_a_migration_makes_an_untrusted_extension(eye: Eye) -> None:
    with clone("public", lambda owned: take(DOCKER, "15", owned)) as made, made.database("extends") as copy:
        assert copy.run("CREATE EXTENSION pgstattuple") is None
        refused = copy.run("CREATE EXTENSION dblink")
        assert refused is not None
        assert refused.sqlstate == "42501"
        assert copy.session.read(("SHOW max_locks_per_transaction", ())) == [[("512",)]]


@pytest.mark.parametrize("major", MAJORS)
def test_a_fix_is_proven_in_a_container(eye: Eye, tmp_path: Path, major: int) -> None:
    with ExitStack() as owned:
        server = docker.start(docker.offer(major), owned)
        world = owned.enter_context(second.world(tmp_path, server))
        with world.connect() as person:
            person.execute('ALTER TABLE "Entity" ALTER COLUMN "data" DROP DEFAULT')
        told = world.run("--clone=docker", variables={"DOCKER_HOST": docker_host(eye)})
        assert len(eye.containers()) == 1, "the clone's has gone, the environment's is here"
    assert told.environment()["facts"]["clone"] == f"docker PostgreSQL {major} (--clone)", told.flat
    assert told.finding("schema-object-different")["subject"] == 'column "Entity"."data"', "the only difference"
    (fix,) = told.finding("entity-data-column-nullable")["fixes"]
    assert (fix["kind"], fix["proof"]["status"]) == ("sql", "proven"), told.flat
    assert "Proven to the end on a copy" in told.flat


def docker_host(eye: Eye) -> str:
    return f"unix://{eye.client.api.get_adapter(eye.client.api.base_url).socket_path}"


@pytest.mark.parametrize(("major", "inside"), [(15, False), (18, True)], ids=["machine", "container"])
def test_it_ends_with_the_run_wherever_that_runs(
    eye: Eye, monkeypatch: pytest.MonkeyPatch, major: int, inside: bool
) -> None:
    # What testcontainers asks /.dockerenv for: there it would take the gateway's address, which Podman does not tell.
    monkeypatch.setattr("testcontainers.core.utils.inside_container", lambda: inside)
    with clone("public", lambda owned: take(DOCKER, f"{major}.1", owned)) as server:
        with server.database("first") as copy:
            assert copy.run("CREATE TABLE a (b text)") is None
            (((version, collation),),) = copy.read((STATE, ()))
        assert version.startswith(f"PostgreSQL {major}.")
        assert collation == "C"
        (only,) = eye.containers()  # and no reaper beside it
        assert only.image.tags == [f"docker.io/library/postgres:{major}"]
        begun = time.monotonic()
    assert time.monotonic() - begun < patience(2)
    assert until(lambda: not eye.containers() and not eye.volumes(), 2)


@pytest.mark.parametrize("major", MAJORS)
def test_nothing_lives_on_when_the_run_is_killed(eye: Eye, major: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(major)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        try:
            assert run.stdout.readline() == "ready\n"
            assert [each.status for each in eye.containers()] == ["running"]
        finally:
            run.send_signal(signal.SIGKILL)
    assert until(lambda: not eye.containers() and not eye.volumes(), 10)


def test_an_owner_that_never_comes_is_not_waited_for(eye: Eye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_WATCH", container._WATCH.replace("left=120", "left=2"))
    made = container._made("postgres:15", 15, Secret("unused"))
    made.start()
    assert [each.status for each in eye.containers()] == ["running"]
    assert until(lambda: not eye.containers() and not eye.volumes(), 15)


def lose(server: CloneServer, eye: Eye) -> None:
    with server.database("lost") as copy:
        assert copy.run("CREATE TABLE a (b int)") is None
        eye.clear()
        copy.read((STATE, ()))


def test_a_container_that_is_killed_in_the_middle_is_told_in_words(eye: Eye) -> None:
    with clone("public", lambda owned: take(DOCKER, "15.1", owned)) as server:
        with pytest.raises(CloneError) as raised:
            lose(server, eye)
        assert "the clone's PostgreSQL 15 (docker) is gone: " in str(raised.value)
        with pytest.raises(CloneError, match="is gone"), server.database("next"):
            pass
    assert until(lambda: not eye.containers(), 2)


def test_an_image_that_is_not_there_is_told_in_words(eye: Eye) -> None:
    with ExitStack() as owned, pytest.raises(ServerError) as raised:
        take(DOCKER, "14.1", owned)
    assert "the container of postgres:14 did not start: the engine has no such image, and cannot download it" in str(
        raised.value
    )
    assert "Load it (docker pull, docker load)" in str(raised.value)
    assert "Client Error" not in str(raised.value)
    assert not eye.containers()


def test_auto_takes_only_an_image_that_is_there(eye: Eye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "installations", lambda: (ServerChoice("embedded", 18), ServerChoice("embedded", 16)))
    monkeypatch.setattr(local, "start", lambda offer, owned: offer)
    for version, taken in {"15.1": "docker PostgreSQL 15", "14.1": "embedded PostgreSQL 16"}.items():
        with ExitStack() as owned:
            assert take(parse("auto", "--clone"), version, owned)[1].startswith(taken)


def test_a_server_that_does_not_start_says_why(eye: Eye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_INITDB", "--no-such-thing")
    with ExitStack() as owned, pytest.raises(ServerError) as raised:
        take(DOCKER, "15.1", owned)
    assert "the server has ended" in str(raised.value)
    assert "no-such-thing" in str(raised.value)
    assert until(lambda: not eye.containers(), 2)


def test_an_address_that_the_user_has_asked_for_is_taken_alone(eye: Eye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testcontainers_config, "connection_mode_override", ConnectionMode.bridge_ip)
    with ExitStack() as owned, pytest.raises(ServerError, match="at which address it is reached is not known"):
        take(DOCKER, "15.1", owned)  # Podman does not tell of it as testcontainers asks
    assert until(lambda: not eye.containers(), 2)


SILENT = {
    "before anything": r"GET /v",
    "when it makes a container": r"POST /v[\d.]+/containers/create",
    "when it starts it": r"POST /v[\d.]+/containers/\w+/start",
}


@pytest.mark.parametrize("when", SILENT)
def test_an_engine_that_falls_silent_holds_nobody_up(
    eye: Eye, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(container, "_ANSWER_S", 1)
    begun = time.monotonic()
    with falling_silent(address, tmp_path, SILENT[when]) as place, ExitStack() as owned:
        monkeypatch.setenv("DOCKER_HOST", place)
        with pytest.raises(ServerError) as raised:
            take(DOCKER, "15.1", owned)
        owned.close()
    assert "did not start: the engine does not answer within 1 s" in str(raised.value)
    assert time.monotonic() - begun < patience(8)


def test_an_engine_that_falls_silent_at_the_end_leaves_nothing(
    eye: Eye, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "_STOP_S", 1.0)
    with falling_silent(address, tmp_path, r"(POST|DELETE) /v[\d.]+/containers/\w{64}(/kill|\?)") as place:
        monkeypatch.setenv("DOCKER_HOST", place)
        with ExitStack() as owned:
            running, _ = take(DOCKER, "15.1", owned)
            wait_until_watched(running)
            begun = time.monotonic()
    assert time.monotonic() - begun < patience(3)
    assert until(lambda: not eye.containers() and not eye.volumes(), 10)
