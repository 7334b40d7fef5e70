"""What the tests of the whole suite share: sandboxes, environments, runs of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from fixtures.facts import Facts
from health.check import CHECKS
from health.config import registry
from health.config.environment import Environment
from health.finding import CouldNotCheck, Finding, NothingToCheck
from plugins.paths import ROOT
from plugins.run import fact_fixtures as reading  # noqa: F401 - importing it registers the facts
from plugins.run.check_catalog import all_checks
from tests.support.fork_server import nursery

RUN_S = 120


@contextmanager
def sandbox(*faults: str, migrations: Path | None = None) -> Iterator[dict[str, Any]]:
    """A running sandbox's registry entry."""
    arguments = [word for fault in faults for word in ("--fault", fault)]
    if migrations is not None:
        arguments += ["--migrations", str(migrations)]
    with nursery().sandbox(arguments) as told:
        yield json.loads(told)["environment"]


def environment(entry: dict[str, Any], name: str = "local", **changes: Any) -> Environment:
    """The environment of a sandbox's entry, as the suite itself understands it."""
    known = registry.parse(f"[{name}]\nembedded = true\n", "test.toml", Path())
    return registry.environment(known, name, os.environ, {}, {**entry, **changes})


@contextmanager
def facts(env: Environment) -> Iterator[Facts]:
    """Freshly read facts."""
    read = Facts(env)
    try:
        yield read
    finally:
        read.close()


def judge_all(read: Facts) -> dict[str, list[Finding] | str]:
    """Check id → its findings, or the reason why there is no answer."""
    all_checks()
    read.start({name for check in CHECKS.values() for name in check.needs})
    told: dict[str, list[Finding] | str] = {}
    for check in CHECKS.values():
        try:
            told[check.id] = check.judge(read)
        except (CouldNotCheck, NothingToCheck) as error:
            told[check.id] = str(error)
    return told


def codes(told: dict[str, list[Finding] | str]) -> set[str]:
    """The codes of all findings."""
    return {finding.code for findings in told.values() if not isinstance(findings, str) for finding in findings}


@contextmanager
def writing(read: Facts, database: str = "postgres") -> Iterator[psycopg.Connection]:
    """A connection that may write, through the suite's own tunnel: as the person who applies a fix."""
    tunnel, login = read["tunnel"], read["secret_read"]
    with psycopg.connect(
        host=tunnel.host,
        port=tunnel.port,
        user=login.username,
        password=login.password.reveal(),
        dbname=database,
        autocommit=True,
        connect_timeout=5,
    ) as connection:
        yield connection


@dataclass(frozen=True)
class Result:
    """What a run of the command line left."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


def run(*arguments: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> Result:
    """Run ``pytest`` in a process of its own, as a user would."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "AWS_", "PG"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=cwd,
        env={**clean, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **(env or {})},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def to_toml(name: str, entry: dict[str, Any]) -> str:
    """A registry entry as TOML, for a registry file of a test's own."""
    lines = [f"[{name}]"]
    for key, value in entry.items():
        if isinstance(value, dict):
            lines += [f"{key}.{inner} = {json.dumps(each)}" for inner, each in value.items()]
        else:
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"
