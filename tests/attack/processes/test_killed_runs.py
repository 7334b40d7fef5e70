"""Whole runs are killed with -9 at moments of their start, run and end; the next run finds nothing of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers import remote
from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.clone.server_choice import Login
from health.secrets.secret import Secret
from plugins.paths import ROOT
from tests.support import effort
from tests.support.clone_servers import ON_LOOPBACK
from tests.support.load import patience

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lets a process adopt orphans")

PASSWORD = "of-the-clone-server"
# Removes what it finds as the next run does, and nothing else.
NEXT_RUN = "from fixtures.clients.private_directory import private_directory as p\nwith p('next'): pass"
LASTS_S = 10.0  # a run, on two processors that have little else to do


@dataclass(frozen=True)
class Kill:
    """What is killed, when, and the options of the run."""

    how: str
    moment: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "-".join((self.how, self.moment, *self.options))


FEW = [
    Kill("leader", "sandbox"), Kill("groups", "server", ("-n2",)), Kill("groups", "end"),
    Kill("group", "clone", ("--fault=half-applied",)),  # whose clone lives for seconds
]  # fmt: skip
MANY = [
    Kill(("leader", "group", "groups")[number % 3], f"{LASTS_S * number / 19:.2f}", ("-n2",) if number % 2 else ())
    for number in range(20)
]  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kill" in metafunc.fixturenames:
        metafunc.parametrize("kill", FEW + MANY if effort.full() else FEW, ids=str)
    if "late" in metafunc.fixturenames:
        metafunc.parametrize("late", ("leader", "groups") if effort.full() else ())


@pytest.fixture
def place() -> Iterator[Path]:
    # Not tmp_path: as root, PostgreSQL runs as nobody, who must be able to reach it.
    path = Path(tempfile.mkdtemp(prefix="killed-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def killed(kill: Kill, place: Path) -> dict[str, Any]:
    run = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--env=local", *kill.options]
    command = [sys.executable, "-m", "tests.attack.processes.killer", kill.how, kill.moment, str(place), *run]
    environ = {**os.environ, "TMPDIR": str(place)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, timeout=patience(300), check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["came"], told["said"]
    return told


def swept(place: Path) -> list[Path]:
    environ = {**os.environ, "TMPDIR": str(place)}
    subprocess.run([sys.executable, "-c", NEXT_RUN], cwd=ROOT, env=environ, timeout=patience(60), check=True)
    return left(place)


def left(place: Path) -> list[Path]:
    """What is in the place but for pytest's own directory of ``-n``, of which it keeps three after every run."""
    return [path for path in place.rglob("*") if "pytest-of-" not in str(path)]


def segments() -> list[list[str]]:
    return [line.split()[:2] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]


def test_killed_run_leaves_nothing(kill: Kill, place: Path) -> None:
    told = killed(kill, place)
    assert (told["gone"], told["left"]) == (True, {})
    if kill.how != "groups":  # the directories' guards live
        assert left(place) == []
    assert swept(place) == []
    assert [segment for segment in told["memory"] if segment in segments()] == []


def test_killed_run_leaves_no_database_to_the_next(late: str, place: Path) -> None:
    with (
        private_directory("databases") as directory,
        PrivatePostgres(directory, Secret(PASSWORD), settings=ON_LOOPBACK) as server,
    ):
        url = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{server.port}/postgres"
        for moment in (0.4, 0.6, 0.8):
            told = killed(Kill(late, f"{LASTS_S * moment:g}", (f"--clone={url}",)), place)
            assert (told["gone"], told["left"]) == (True, {})
        remote.reach(Login("127.0.0.1", server.port, "postgres", Secret(PASSWORD), "postgres"))
        with psycopg.connect(url) as session:
            ours = "SELECT datname FROM pg_database WHERE datname LIKE 'health%'"
            assert session.execute(ours).fetchall() == []
            assert session.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'health%'").fetchall() == []
    assert swept(place) == []
