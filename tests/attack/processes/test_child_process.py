"""Programs end with the process that started them, whatever they are doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.clients.child_process import run, spawn
from plugins.paths import ROOT
from tests.support.load import patience

LINUX = sys.platform.startswith("linux")
GONE_S = 20
DEAF = "trap '' INT TERM HUP QUIT PIPE; while :; do sleep 0.1; done"
STOPPED = "kill -STOP $$; exec sleep 300"
# Starts a program on a thread that ends at once, tells its number, and waits.
OWNER = """
import os, sys, threading
from pathlib import Path
from fixtures.clients.bounded_process import leashed
from fixtures.clients.child_process import User, spawn
started = []
def start(): started.append({how})
thread = threading.Thread(target=start); thread.start(); thread.join()
print(started[0].pid, flush=True)
sys.stdin.read()
"""
HOW = {
    "kernel": "spawn(['/bin/sh', '-c', {program!r}])",
    "watched": "spawn(['/bin/sh', '-c', {program!r}], watched=True)",
    "leashed": "leashed(['/bin/sh', '-c', {program!r}], dict(os.environ))",
    "another user": "spawn(['/bin/sh', '-c', {program!r}], as_user=User(user=65534, group=65534))",
}


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def gone(*pids: int) -> bool:
    end = time.monotonic() + patience(GONE_S)
    while any(map(lives, pids)):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("program", [DEAF, STOPPED], ids=["deaf", "stopped"])
@pytest.mark.parametrize("how", HOW)
def test_program_ends_with_its_killed_owner(how: str, program: str) -> None:
    if how == "another user" and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if how == "kernel" and not LINUX:
        pytest.skip("only Linux has prctl")
    script = OWNER.replace("{how}", HOW[how].format(program=program))
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        time.sleep(0.2)
        assert lives(pid)  # though the thread that started it is over
        owner.kill()
        assert gone(pid)


def test_program_that_cannot_be_started_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="/nowhere"):
        spawn(["/nowhere"])
    with pytest.raises(PermissionError):
        spawn(["/etc/passwd"])


def test_program_gets_what_was_asked_for() -> None:
    large = "x" * 100_000  # more than a pipe holds
    done = run(["/usr/bin/env"], seconds=patience(60), env={"ONE": "é\udcff", "LARGE": large}, cwd=Path("/tmp"))
    assert sorted(done.stdout.splitlines()) == [f"LARGE={large}".encode(), b"ONE=\xc3\xa9\xff"]
    assert run(["/bin/sh", "-c", "exit 7"], seconds=patience(60)).returncode == 7
    with pytest.raises(subprocess.TimeoutExpired):
        run(["/bin/sleep", "300"], seconds=0.1)


def started(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *words], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def answers(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline()


@pytest.mark.parametrize("first", [lambda _: None, answers], ids=["starting", "serving"])
def test_aws_server_ends_with_its_input_though_nobody_reads_it(
    first: Callable[[subprocess.Popen[bytes]], None], tmp_path: Path
) -> None:
    with started("-m", "sandbox.aws.server", str(tmp_path / "aws")) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        first(process)
        process.stdout.close()
        process.stdin.close()
        assert process.wait(patience(GONE_S)) in {-signal.SIGTERM, 1}
