"""Fixes for the way in: AWS, the bastion, the database's login and the API."""

from __future__ import annotations

from collections.abc import Iterator

from health.environment import Environment
from health.finding import Finding, Fix, NoFix
from plugins.fixes import fixes, shell


@fixes("wrong-account")
def wrong_account(finding: Finding, environment: Environment) -> Iterator[Fix | NoFix]:
    """Log in to the environment's account."""
    if environment.profile is None:
        yield NoFix(f"Use credentials of account {environment.account}.")
        return
    yield Fix(
        "command", "Log in to the environment's account", f"aws sso login --profile {shell.quote(environment.profile)}",
        note="It changes only this machine's session; there is nothing to undo.", rank=1,
    )  # fmt: skip


@fixes("bastion-not-running")
def bastion_not_running(finding: Finding, environment: Environment) -> Iterator[Fix | NoFix]:
    """Start the instance; then compare its address with the tunnel script."""
    if finding.evidence["state"] == "running":
        yield NoFix("Associate an Elastic IP address with the instance: which one is a person's choice.")
        return
    yield Fix(
        "command",
        "Start the bastion",
        shell.aws(environment, "ec2", "start-instances", "--instance-ids", finding.subject),
        undo=shell.aws(environment, "ec2", "stop-instances", "--instance-ids", finding.subject),
        note="It may come up with another address: run again afterwards.",
        rank=1,
    )


@fixes("tunnel-closed", "database-unreachable")
def way_closed(finding: Finding) -> Iterator[NoFix]:
    """None in the database: the finding names the part of the way that is closed, and what to look at."""
    yield NoFix(
        "Nothing in the database is to be changed. Mend what the finding names: the instance, its security group, "
        "the key or the cluster; then run again."
    )


@fixes("database-login-refused")
def login_refused(finding: Finding) -> Iterator[NoFix]:
    """None: whether the secret or the database has the right password is a person's decision."""
    yield NoFix(
        "Which side is right is a person's decision. Put the password that the database knows into the secret, or "
        "set the role's password to the secret's; every Lambda needs a deploy afterwards."
    )


@fixes("database-secret-unusable")
def secret_unusable(finding: Finding, environment: Environment) -> Iterator[NoFix]:
    """None: only a person knows the password. Restore the secret's last version, or name the right secret."""
    yield NoFix(
        f"Restore {finding.subject} with username and password, or name the right one as secret of "
        f"[{environment.name}] in the registry."
    )


@fixes("admin-api-key-missing")
def key(finding: Finding, environment: Environment) -> Iterator[Fix]:
    """Deploy with ADMIN_API_KEY set, so that auth function and API hold the same key."""
    yield shell.deployment_with_key(environment)
