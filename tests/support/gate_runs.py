"""Runs of the command line; most are forked from a process that has imported what they need."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from plugins.paths import ROOT
from tests.support.fork_server import ForkServer, line
from tests.support.load import patience

RUN_S = 120.0
REAL_RUNS = "TESTS_REAL_RUNS"  # where this variable is set nothing is forked
# What Python and its loader read as they start: no fork can follow that.
_AT_START = ("PYTHON", "LANG", "LC_", "LD_", "MALLOC_", "SSL_", "OPENSSL_")


@dataclass(frozen=True)
class Result:
    """The exit status and the output of a run."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


def run(*arguments: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, real: bool = False) -> Result:
    """Run ``pytest`` as a user would.

    Args:
        arguments: those of pytest.
        cwd: the working directory.
        env: variables beside those of this process.
        real: start Python anew, for promises about the start and the end of a process.
    """
    variables = _base() | dict(env or {})
    if real or REAL_RUNS in os.environ or _at_start(variables) != _at_start(_base()):
        with start(*arguments, cwd=cwd, env=env) as process:
            try:
                out, err = process.communicate(timeout=patience(RUN_S))
            finally:
                process.kill()
        return Result(process.returncode, out, err)
    return _forked(_words(arguments), cwd, variables)


def start(*arguments: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a run in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *_words(arguments)], cwd=cwd, env=_base() | dict(env or {}), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def _words(arguments: tuple[str, ...]) -> list[str]:
    return ["-p", "no:cacheprovider", *arguments]


def _base() -> dict[str, str]:
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "AWS_", "PG", "GITHUB_"))
    }
    return {**clean, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def _at_start(variables: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in variables.items() if key.startswith(_AT_START)}


@cache
def _gates() -> ForkServer:
    return ForkServer("gate", _base())


def _forked(words: list[str], cwd: Path, variables: Mapping[str, str]) -> Result:
    (asked, ask), (output, out), (errors, err), (answer, answered) = (os.pipe() for _ in range(4))
    _gates().fork(b".", [asked, out, err, answered])
    with os.fdopen(ask, "w") as request:
        json.dump({"words": words, "cwd": str(cwd), "env": variables}, request)
    with ThreadPoolExecutor(2) as pool, os.fdopen(answer, "rb", buffering=0):
        texts = [pool.submit(_all, output), pool.submit(_all, errors)]
        pid = int(line(answer))
        try:
            out_text, err_text = (text.result(patience(RUN_S)) for text in texts)
            return Result(int(line(answer)), out_text, err_text)
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            raise


def _all(descriptor: int) -> str:
    with os.fdopen(descriptor) as file:
        return file.read()
