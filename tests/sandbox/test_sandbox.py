"""The sandbox as a program: what it prints, and that nothing of it stays, however it ends."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from health.finding import Finding
from plugins.paths import ROOT
from tests.support import sandbox as harness
from tests.support.load import patience

GONE_S = 5
START_S = 60
RUNTIME_IGNORED = shutil.ignore_patterns("test", "site-packages", "__pycache__", "idlelib", "tkinter", "ensurepip")


# Looking at the machine


def processes() -> dict[int, tuple[int, str]]:
    """All living processes: parent and command by number."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,command="], capture_output=True, check=True)
    told = {}
    for line in listed.stdout.decode(errors="replace").splitlines():
        pid, parent, state, command = [*line.split(None, 3), ""][:4]
        if not state.startswith("Z"):  # ended; whoever inherited it has not taken note
            told[int(pid)] = int(parent), command
    return told


def descendants(pid: int) -> dict[int, str]:
    """The commands of a process and of all that it started."""
    living = processes()
    found = {pid}
    while more := {each for each, (parent, _) in living.items() if parent in found} - found:
        found |= more
    return {each: living[each][1] for each in found if each in living}


def still_there(started: dict[int, str]) -> dict[int, str]:
    return {pid: command for pid, (_, command) in processes().items() if started.get(pid) == command}


def listens(place: int | str) -> bool:
    """Whether anybody listens at a port, or at the file of a socket."""
    with socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET) as probe:
        return probe.connect_ex(place if isinstance(place, str) else ("127.0.0.1", place)) == 0


def until(holds: Callable[[], object], seconds: float) -> bool:
    """Wait until something holds; whether it came to that in time."""
    end = time.monotonic() + patience(seconds)
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@dataclass
class Place:
    """A directory for temporary files in which only this test's sandboxes are."""

    path: Path
    variables: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    as_user: dict[str, Any] = field(default_factory=dict)

    @property
    def directories(self) -> list[Path]:
        return list(self.path.glob("migration-health-*/*"))

    @property
    def servers(self) -> list[str]:
        """The sockets of PostgreSQL servers that have become ready."""
        ports = []
        for file in self.path.glob("migration-health-*/*/*/postmaster.pid"):
            with suppress(OSError, IndexError):  # it may be being written
                lines = file.read_text().splitlines()
                ports += [f"{lines[4]}/.s.PGSQL.{lines[3]}"] if lines[-1].strip() == "ready" else []
        return ports

    @contextmanager
    def start(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A sandbox that has only just been started."""
        with subprocess.Popen(
            [self.python, "-m", "sandbox", *arguments],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(self.path), **self.variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            **self.as_user,
        ) as process:
            assert process.stdin is not None
            try:
                yield process
            finally:
                with suppress(OSError):
                    process.stdin.close()
                try:
                    process.wait(patience(20))
                finally:
                    process.kill()


@pytest.fixture
def place() -> Iterator[Place]:
    # Not tmp_path: as root, PostgreSQL runs as nobody, who must be able to reach it.
    path = Path(tempfile.mkdtemp(prefix="migration-test-", dir="/tmp"))
    path.chmod(0o755)
    yield Place(path)
    shutil.rmtree(path, ignore_errors=True)


def entry_of(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert list(told) == ["environment"], told
    entry: dict[str, Any] = told["environment"]
    return entry


def ports_of(entry: dict[str, Any], place: Place) -> list[int | str]:
    urls = [urlsplit(entry[key]).port for key in ("api_url", "aws_endpoint_url")]
    return [*(port for port in urls if port), entry["ssh_port"], *place.servers]


def judge(entry: dict[str, Any]) -> dict[str, list[Finding] | str]:
    with harness.facts(harness.environment(entry)) as read:
        return harness.judge_all(read)


JUDGE = """
import json, sys
from tests.sandbox.test_sandbox import healthy, judge
told = judge(json.load(sys.stdin))
print("healthy" if healthy(told) else told, end="")
"""
# A sandbox has no node_modules, so nothing there asks Prisma.
NEEDS_PRISMA = "schema-file-has-no-unwritten-change"


def healthy(told: dict[str, list[Finding] | str]) -> bool:
    asked = {check: said for check, said in told.items() if check != NEEDS_PRISMA}
    return len(asked) > 10 and not any(asked.values())


def nothing_left(place: Place, started: dict[int, str], ports: Sequence[int | str]) -> bool:
    gone = until(lambda: not (place.directories or still_there(started)), GONE_S)
    left = (place.directories, still_there(started), [port for port in ports if listens(port)])
    assert left == ([], {}, [])
    return gone


# From start to end


def test_a_start_prints_one_line_and_the_end_leaves_nothing(place: Place) -> None:
    with place.start() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        entry = json.loads(line)["environment"]
        assert b"${" not in line
        started, ports = descendants(process.pid), ports_of(entry, place)
        assert len(place.directories) == 1
        assert place.directories[0].stat().st_mode & 0o066 == 0
        assert len(ports) == 4
        assert all(map(listens, ports))
        assert any("sandbox.aws.server" in command for command in started.values())
        assert any("postgres" in command for command in started.values())
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(patience(20)) == 0
    assert nothing_left(place, started, ports)


def test_a_signal_ends_it(place: Place) -> None:
    with place.start() as process:
        entry = entry_of(process)
        started, ports = descendants(process.pid), ports_of(entry, place)
        process.terminate()
        assert process.wait(patience(20)) == 0
        assert nothing_left(place, started, ports)


def test_a_killed_sandbox_leaves_nothing(place: Place) -> None:
    with place.start() as process:
        entry = entry_of(process)
        started, ports = descendants(process.pid), ports_of(entry, place)
        process.kill()
        assert nothing_left(place, started, ports)


def test_a_sandbox_killed_while_it_starts_leaves_nothing(place: Place) -> None:
    with place.start() as process:
        assert until(lambda: list(place.path.glob("migration-health-*/*/postgres")), START_S)
        started = descendants(process.pid)
        process.kill()
        assert nothing_left(place, started, [])


def test_the_next_one_sweeps_what_a_killed_guard_left_and_nothing_else(place: Place) -> None:
    alien = place.path / "migration-health-of-somebody" / "data"  # without a lock of ours
    with place.start() as process:
        entry = entry_of(process)
        (left,) = place.directories
        started, ports = descendants(process.pid), ports_of(entry, place)
        (guard,) = [pid for pid, command in started.items() if command.endswith(f"guard {left}")]
        os.kill(guard, signal.SIGKILL)
        process.kill()
        process.wait(patience(20))
    assert left.exists()
    assert until(lambda: not still_there(started), GONE_S)  # the server with its owner, though the guard is dead
    assert not any(map(listens, ports))
    alien.mkdir(parents=True)
    (alien / "postmaster.pid").write_text(f"{os.getpid()}\n")
    with place.start() as process:
        assert healthy(judge(entry_of(process)))
        assert not left.exists()
        assert alien.exists()


# Beside others, and as others


def test_two_at_once_do_not_disturb_each_other(place: Place) -> None:
    with place.start() as one, place.start() as other:
        entries = [entry_of(one), entry_of(other)]
        assert len(place.directories) == 2
        ports = [entry[key] for entry in entries for key in ("api_url", "aws_endpoint_url", "ssh_port")]
        assert len({*ports, *place.servers}) == 8
        assert all(healthy(judge(entry)) for entry in entries)
        assert one.stdin is not None
        one.stdin.close()
        one.wait(patience(20))
        assert healthy(judge(entries[1]))


def test_an_ordinary_user_can_run_it(place: Place) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; all other tests here run as an ordinary user then")
    nobody = pwd.getpwnam("nobody")
    place.as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    place.python = interpreter_for_all(place)
    os.chown(place.path, nobody.pw_uid, nobody.pw_gid)
    place.path.chmod(0o700)
    site = sysconfig.get_path("purelib")
    place.variables |= {"HOME": str(place.path), "PYTHONPATH": site, "PYTHONDONTWRITEBYTECODE": "1"}
    with place.start() as process:
        entry = entry_of(process)
        started, ports = descendants(process.pid), ports_of(entry, place)
        assert {directory.stat().st_uid for directory in place.directories} == {nobody.pw_uid}
        judged = subprocess.run(  # as that user: it serves nobody else, not even root
            [place.python, "-c", JUDGE], input=json.dumps(entry).encode(), cwd=ROOT, capture_output=True,
            env={**os.environ, "TMPDIR": str(place.path), **place.variables}, timeout=patience(120), check=False,
            **place.as_user,
        )  # fmt: skip
        assert judged.stdout == b"healthy", (judged.stdout, judged.stderr)
    assert nothing_left(place, started, ports)


def interpreter_for_all(place: Place) -> str:
    """This Python where everybody can run it: its own place may be root's home."""
    base = Path(sys.base_prefix)
    runtime = place.path / "python"
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copytree(base / "lib" / name, runtime / "lib" / name, ignore=RUNTIME_IGNORED)
    for library in (base / "lib").glob("libpython*"):
        shutil.copy(library, runtime / "lib")
    (runtime / "bin").mkdir()
    shutil.copy(os.path.realpath(sys.executable), runtime / "bin" / name)
    place.variables["LD_LIBRARY_PATH"] = str(runtime / "lib")
    return str(runtime / "bin" / name)


# A directory of the user's own


def test_a_directory_of_ones_own_whose_second_migration_fails(place: Place) -> None:
    names = ["20260101000000_first", "20260102000000_second", "20260103000000_third"]
    texts = [
        'CREATE TABLE "Entity" (id int, data jsonb);',
        'CREATE TABLE "Half" (id int);\nALTER TABLE "Missing" ADD COLUMN a int;',
        'CREATE TABLE "Later" (id int);',
    ]
    own = place.path / "own"
    for name, text in zip(names, texts, strict=True):
        (own / name).mkdir(parents=True)
        (own / name / "migration.sql").write_text(text)
    before = {path: path.stat().st_mtime_ns for path in own.rglob("*")}
    with place.start("--migrations", str(own)) as process:
        entry = entry_of(process)
        assert entry["migrations"] == str(own)
        with harness.facts(harness.environment(entry)) as read:
            told = harness.judge_all(read)
            rows = read["history"].recorded.rows
            tables = read["catalog"].tables
    assert [(row.migration_name, row.failed, row.applied_steps_count) for row in rows] == [
        (names[0], False, 1),
        (names[1], True, 0),
    ]
    assert re.search(r'relation "Missing" does not exist', rows[1].logs)
    assert set(tables) == {"Entity", "_prisma_migrations"}
    found = [finding.key for findings in told.values() if not isinstance(findings, str) for finding in findings]
    assert sorted(key for key in found if key.split(":")[0] in ("failed-migration", "pending-migration")) == [
        f"failed-migration:{names[1]}",
        f"pending-migration:{names[2]}",
    ]
    assert {path: path.stat().st_mtime_ns for path in own.rglob("*")} == before


def test_faults_work_on_a_directory_of_ones_own(place: Place) -> None:
    own = place.path / "own"
    (own / "20260101000000_first").mkdir(parents=True)
    (own / "20260101000000_first" / "migration.sql").write_text('CREATE TABLE "Entity" (id int, data jsonb);')
    faults = ("failed-migration", "pending-migration", "orphaned-migration")
    with place.start("--migrations", str(own), *(f"--fault={fault}" for fault in faults)) as process:
        assert set(faults) <= harness.codes(judge(entry_of(process)))
    assert [path.name for path in own.iterdir()] == ["20260101000000_first"]


def test_a_directory_that_is_not_there_is_said_in_one_line(place: Place) -> None:
    with place.start("--migrations", str(place.path / "nowhere")) as process:
        assert process.stdout is not None
        (line,) = process.stdout.read().splitlines()
        assert "nowhere" in json.loads(line)["error"]["where"]
        assert process.wait(patience(20)) == 1
    assert place.directories == []
