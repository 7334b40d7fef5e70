"""What the tests of the whole suite share: sandboxes, and environments."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from fixtures.facts import Facts
from health.check import CHECKS
from health.config import registry as registries
from health.config.environment import Environment
from health.finding import CouldNotCheck, Finding, NothingToCheck
from plugins.run import fact_fixtures as reading  # noqa: F401 - importing it registers the facts
from plugins.run.check_catalog import all_checks
from sandbox.database.master import SUPERUSER
from tests.support import npm_servers
from tests.support.fork_server import forked_sandbox

_LOGIN_S = 60.0


@contextmanager
def sandbox(
    *faults: str, migrations: Path | None = None, case: Path | None = None, postgres: int | None = None
) -> Iterator[dict[str, Any]]:
    """A running sandbox's registry entry; ``postgres`` is the version of a server by npm."""
    arguments = [word for fault in faults for word in ("--fault", fault)]
    if migrations is not None:
        arguments += ["--migrations", str(migrations)]
    if case is not None:
        arguments += ["--case", str(case)]
    variables = {}
    if postgres is not None:
        arguments += ["--postgres", str(postgres)]
        if npm_servers.unavailable(postgres) is None:  # else the machine's own, or the wheel's
            variables["XDG_CACHE_HOME"] = str(npm_servers.user_cache(postgres))
    with forked_sandbox(json.dumps({"arguments": arguments, "variables": variables}).encode()) as answer:
        yield json.loads(answer)["environment"]


def environment(entry: dict[str, Any], name: str = "local", **changes: Any) -> Environment:
    """The environment of a sandbox's entry, as the suite itself understands it."""
    known = registries.parse(f"[{name}]\nembedded = true\n", "test.toml", Path())
    return registries.environment(known, name, os.environ, {}, {**entry, **changes})


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


@contextmanager
def superuser(entry: dict[str, Any]) -> Iterator[psycopg.Connection]:
    """A session of the server's own superuser, whose password nobody has: only who owns its files lets it in."""
    directory = Path(entry["ssh_key"])
    while not (directory / "postgres").is_dir():
        directory = directory.parent
    data = directory / "postgres"
    logins, (pid, _, _, port, host, *_) = data / "pg_hba.conf", (data / "postmaster.pid").read_text().splitlines()
    logins.write_text(f"local all {SUPERUSER} trust\n{logins.read_text()}")
    os.kill(int(pid), signal.SIGHUP)
    until = time.monotonic() + _LOGIN_S
    while True:
        try:
            session = psycopg.connect(host=host, port=port, user=SUPERUSER, dbname="postgres", autocommit=True)
            break
        except psycopg.OperationalError:  # it reads the file in its own time
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    with session:
        yield session


def to_toml(name: str, entry: dict[str, Any]) -> str:
    """A registry entry as TOML, for a registry file of a test's own."""
    lines = [f"[{name}]"]
    for key, value in entry.items():
        if isinstance(value, dict):
            lines += [f"{key}.{inner} = {json.dumps(setting)}" for inner, setting in value.items()]
        else:
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def registry(directory: Path, entry: dict[str, Any], name: str = "local") -> list[str]:
    """Write a registry with a sandbox as its only environment; gives the options of a run over it."""
    file = directory / "environments.toml"
    file.write_text(to_toml(name, {key: value for key, value in entry.items() if key != "embedded"}))
    return [f"--env={name}", f"--environments={file}"]
