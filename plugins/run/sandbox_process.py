"""The child process behind ``--env=local``."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import suppress

import pytest

from fixtures.clients.child_environment import child_environment
from fixtures.clients.child_process import spawn
from health.config.environment import Environment
from health.finding import CouldNotCheck
from health.machine import machine_limit
from plugins.paths import ROOT
from plugins.run.options import Run

_READY_S = 60.0
_END_S = 20.0
_TRACEBACK = "Traceback (most recent call last):"


class Sandbox:
    """A running sandbox; it ends when its standard input closes, also if this process is killed."""

    def __init__(self, run: Run, name: str) -> None:
        self.environment: Future[Environment] = Future()
        self.waits_for = ""  # in its own words
        self._run, self._name = run, name
        command = [sys.executable, "-m", "sandbox", "--progress"]
        command += [word for fault in run.faults for word in ("--fault", fault)]
        if run.postgres is not None:
            command += ["--postgres", str(run.postgres)]
        if run.case is not None:
            command += ["--case", str(run.case)]
        elif "migrations" in run.overrides:
            command += ["--migrations", str(run.overrides["migrations"][1].absolute())]
        try:
            self._process = spawn(
                command,
                cwd=ROOT,
                env=child_environment("PYTHON", "COVERAGE"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for pytest, which then closes the sandbox
            )
            threading.Thread(target=self._await, name="sandbox", daemon=True).start()
        except (OSError, RuntimeError) as error:
            raise pytest.UsageError(str(machine_limit(error) or f"the sandbox did not start: {error}")) from None

    def close(self) -> None:
        """End it and wait until nothing of it is left."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its guard clears up
            self._process.wait()

    def _await(self) -> None:
        begun = time.monotonic()
        watch = threading.Timer(_READY_S, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
            answer = json.loads(self._process.stdout.readline() or b"{}")
            while "waits_for" in answer:
                self.waits_for = answer["waits_for"]
                answer = json.loads(self._process.stdout.readline() or b"{}")
            if "environment" in answer:
                self.environment.set_result(self._run.environment(self._name, answer["environment"]))
                return
            if "error" in answer:
                raise CouldNotCheck(**answer["error"])
            if time.monotonic() - begun > _READY_S:
                raise self._too_slow()
            remedy = f"Run that in {ROOT}, where it says more."
            raise CouldNotCheck(f"the sandbox did not start: {self._last_words()}", "python -m sandbox", remedy)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the environment must hear of it
            self.environment.set_exception(error)
        finally:
            watch.cancel()

    def _too_slow(self) -> CouldNotCheck:
        last = f" It was waiting for {self.waits_for}." if self.waits_for else ""
        return CouldNotCheck(
            f"the sandbox is too slow: it was not ready within {_READY_S:g} s.{last}".rstrip("."),
            "python -m sandbox",
            "Run again when this machine has less to do.",
        )

    def _last_words(self) -> str:
        """The program's own error, without what PostgreSQL adds to it on further lines."""
        assert self._process.stderr is not None  # noqa: S101 - a pipe was asked for
        lines = self._process.stderr.read().decode(errors="replace").strip().rpartition(_TRACEBACK)[2].splitlines()
        return next((line for line in lines if line[:1].strip()), "it ended without a word")
