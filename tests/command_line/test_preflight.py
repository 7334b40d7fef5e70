"""What is missing on this machine is one list, told before anything is read."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.gate_runs import Result, run
from tests.support.plain_application import suite

REGISTRY = """
[defaults]
region = "eu-west-1"
profile = "deployer"
app = "app"
secret = "acme-{{env}}"
cluster_prefix = "acme-{{env}}-"
ssh_key = "../keys/{{env}}.pem"
ssh_port = {port}
bastion_address = "127.0.0.1"
aws_endpoint_url = "http://127.0.0.1:{port}"
api_url = "http://127.0.0.1:{port}"
tunnel_script = "tunnel.sh"
migrations = "prisma/migrations"
functions.auth = "acme-{{env}}-auth"
functions.worker = "acme-{{env}}-worker"

[dev]
[prod]
"""
KEYS = "[profile deployer]\naws_access_key_id = AKIAGEHEIM\naws_secret_access_key = geheim/geheim\n"
START = "https://acme.awsapps.com/start"
ACCOUNT = "sso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = deploy\n"
SSO = f"[profile deployer]\nsso_start_url = {START}\n{ACCOUNT}"
SESSION = (
    f"[profile deployer]\nsso_session = acme\n{ACCOUNT}"
    f"[sso-session acme]\nsso_region = eu-west-1\nsso_start_url = {START}\n"
    "sso_registration_scopes = sso:account:access\n"
)
TOKEN = {"startUrl": START, "region": "eu-west-1", "accessToken": "geheim", "expiresAt": "2020-01-01T00:00:00Z"}
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAIIhbibPSPPprRrqK76e1pvghuDdYJX5ryfGlwDh8od"


@dataclass
class Machine:
    """A directory with a registry, and a home; everything outside is one port that counts who comes."""

    root: Path
    outside: socket.socket

    def __post_init__(self) -> None:
        """Provide all that a run needs."""
        port = self.outside.getsockname()[1]
        self.write("environments.toml", REGISTRY.format(port=port))
        self.write("app/package.json", "{}")
        self.write("app/prisma/migrations/migration_lock.toml", 'provider = "postgresql"\n')
        for name in ("dev", "prod"):
            self.write(f"keys/{name}.pem", "geheim")
        self.write("home/.aws/config", KEYS)
        self.write("home/.ssh/known_hosts", f"[127.0.0.1]:{port} {HOST_KEY}\n")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def replace(self, old: str, new: str) -> None:
        """Change the registry."""
        text = (self.root / "environments.toml").read_text()
        assert old in text
        self.write("environments.toml", text.replace(old, new))

    def gate(self, *arguments: str, real: bool = False, **variables: str) -> Result:
        env = {"HOME": str(self.root / "home"), "AWS_EC2_METADATA_DISABLED": "true", **variables}
        return run(*suite(), *(arguments or ("--env=prod",)), cwd=self.root, env=env, real=real)

    @property
    def anybody_came(self) -> bool:
        self.outside.settimeout(0)
        try:
            self.outside.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        yield Machine(tmp_path, outside)


def listed(result: Result) -> list[tuple[str, str]]:
    """What is missing, with what to do about it, in order."""
    assert result.status == 4, result.text
    assert result.err.startswith("ERROR: Before this can run:\n")
    assert "collected" not in result.out
    assert "geheim" not in result.text.lower()
    lines = [line for line in result.err.splitlines()[1:] if line]
    for number, line in enumerate(lines[::2], start=1):
        assert line.startswith(f"  {number}. ")
    return [(what[5:], remedy.strip()) for what, remedy in zip(lines[::2], lines[1::2], strict=True)]


def no_checkout(machine: Machine) -> None:
    machine.replace('app = "app"', 'app = "elsewhere"')


def not_installed(machine: Machine) -> None:
    machine.replace('"prisma/migrations"', '"backend/node_modules/@friggframework/core/prisma-postgresql/migrations"')


def no_migrations(machine: Machine) -> None:
    machine.replace('"prisma/migrations"', '"db/migrations"')


def no_profile(machine: Machine) -> None:
    machine.write("home/.aws/config", KEYS.replace("deployer", "another"))


def no_region(machine: Machine) -> None:
    machine.replace('"eu-west-1"', '""')


def no_key(machine: Machine) -> None:
    machine.remove("keys/prod.pem")


def no_host_key(machine: Machine) -> None:
    machine.remove("home/.ssh/known_hosts")


@pytest.mark.parametrize(
    ("missing", "what", "remedy"),
    [
        (no_checkout, "prod: there is no checkout of the application at {}/elsewhere (app: environments.toml).",
         "Name it: pytest --env=prod --app=DIR"),
        (not_installed, "prod: there is no directory of migrations at {}/app/backend/node_modules/@friggframework/",
         "cd {}/app/backend && npm ci"),
        (no_migrations, "prod: there is no directory of migrations at {}/app/db/migrations.",
         "Name it: pytest --env=prod --app=DIR, or --migrations DIR"),
        (no_profile, "prod: there is no AWS profile deployer, and the default chain has no credentials.",
         "Run aws configure sso --profile deployer, or export AWS_PROFILE."),
        (no_region, "prod: there is no AWS region (region: environments.toml).", 'Set region = "us-east-1" in '),
        (no_key, "prod: there is no key of the bastion at {}/app/../keys/prod.pem (ssh_key: environments.toml).",
         "Put it there, for you alone: install -m 600 FROM {}/app/../keys/prod.pem"),
        (no_host_key, "prod: the host key of the bastion 127.0.0.1 is not in {}/home/.ssh/known_hosts.",
         "Ask for it once: ssh-keyscan -p "),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_each_thing_that_is_missing_is_a_line_with_its_command(
    machine: Machine, missing: Callable[[Machine], None], what: str, remedy: str
) -> None:
    missing(machine)
    ((told, command),) = listed(machine.gate())
    assert told.startswith(what.format(machine.root))
    assert command.startswith(remedy.format(machine.root))
    assert not machine.anybody_came


def test_nothing_missing_lets_the_run_begin(machine: Machine) -> None:
    result = machine.gate("--env=prod", "-k", "no_failed_migration", "-x")
    assert result.status not in {0, 4}, result.text
    assert "Before this can run" not in result.text
    assert machine.anybody_came


def test_all_is_one_list_in_the_order_in_which_it_is_provided(machine: Machine) -> None:
    for missing in (no_host_key, no_key, no_profile, no_checkout):
        missing(machine)
    machine.remove("keys/dev.pem")
    found = [what for what, _ in listed(machine.gate("--env=dev,prod"))]
    assert [what.partition(" ")[0] for what in found] == ["dev,", "dev,", "dev:", "prod:", "dev,"]
    for word, what in zip(("checkout", "profile", "key of", "key of", "host key"), found, strict=True):
        assert word in what
    assert not machine.anybody_came
    assert listed(machine.gate("--env=dev,prod", "-n", "2")) == listed(machine.gate("--env=dev,prod"))


def test_a_checkout_that_is_missing_brings_its_key(machine: Machine) -> None:
    no_checkout(machine)
    machine.replace('"../keys/', '"keys/')
    ((what, _),) = listed(machine.gate())
    assert "checkout" in what


def test_an_exported_profile_wins_and_is_named_where_it_does_not_exist(machine: Machine) -> None:
    ((what, remedy),) = listed(machine.gate(AWS_PROFILE="mine"))
    assert what == "prod: there is no AWS profile mine, which AWS_PROFILE names."
    assert remedy == "Run aws configure sso --profile mine, or unset AWS_PROFILE."


@pytest.mark.parametrize(
    ("config", "cached", "what"),
    [
        (SSO, START, "the SSO login to AWS has expired"),
        (SESSION, "acme", "the SSO login to AWS has expired"),
        (SSO, None, "nobody is logged in to AWS by SSO"),
    ],
    ids=["expired", "expired-session", "never"],
)
def test_an_sso_login_that_is_over_names_the_command(
    machine: Machine, config: str, cached: str | None, what: str
) -> None:
    machine.write("home/.aws/config", config)
    if cached is not None:
        name = hashlib.sha1(cached.encode()).hexdigest()
        machine.write(f"home/.aws/sso/cache/{name}.json", json.dumps(TOKEN))
    # botocore finds the home of who starts the process.
    ((told, remedy),) = listed(machine.gate(real=True))
    assert told.startswith(f"prod: {what}")
    assert remedy.startswith("Run aws sso login --profile deployer")
    assert not machine.anybody_came


def test_a_login_that_takes_its_time_is_left_to_the_run(machine: Machine) -> None:
    machine.write("home/.aws/config", "[profile deployer]\ncredential_process = sleep 20\n")
    no_host_key(machine)
    ((what, _),) = listed(machine.gate())
    assert "host key" in what
