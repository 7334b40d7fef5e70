"""Fixes for the way in: AWS, the bastion, the database's login and the API."""

from __future__ import annotations

from collections.abc import Iterator

from health.aws.resources import Bastion
from health.config.environment import Environment
from health.finding import Finding, Fix, NoFix
from health.read_only.proof import ROLE
from health.tunnel.host_key import HostKeyCommands
from plugins.fixes import commands as shell
from plugins.fixes import fixes, no_fix

no_fix(
    {
        "ssh-key-missing": (
            "None: whoever keeps the key hands it over. Put it there with mode 0600, or name another as ssh_key.",
            "The key is in no repository: get it from whoever keeps it, put it at {finding.shown.subject} with "
            "mode 0600, or name another by ssh_key in the registry.",
        ),
        "ssh-key-refused": (
            "None: which key is right is known to whoever made the bastion. The finding says which key and user were "
            "tried.",
            "Name the bastion's own key and user as ssh_key and ssh_user of [{environment.name}] in the registry, or "
            "have this key added to the authorized keys there.",
        ),
        ("bastion-unreachable", "database-unreachable"): (
            "None in the database: the finding names the part of the way that is closed, and what to look at.",
            "Nothing in the database is to be changed. Mend what the finding names, then run again.",
        ),
        "database-login-refused": (
            "None: whether the secret or the database has the right password is a person's decision.",
            "Which side is right is a person's decision. Put the password that the database knows into the secret, or"
            " set the role's password to the secret's; every Lambda needs a deploy afterwards.",
            "Which side is right is a person's decision. Correct user, password and sslmode of the URL "
            "({environment.url_login.source}), or on the server the role, its right to connect, or pg_hba.conf.",
        ),
        "database-missing": (
            "None: name the application's database in the registry; it is the last part of DATABASE_URL.",
            "Set database of [{environment.name}] in the registry to the last part of the functions' DATABASE_URL. "
            "Create none: an empty database would look like a lost history.",
            "Correct the name of the database in the URL ({environment.url_login.source}). Create none by hand: where "
            "there is to be a new one, the first deploy makes it.",
        ),
        "too-many-connections": (
            "None: ending somebody's session is a person's decision. Wait, end idle sessions, or raise the capacity.",
            "Wait a minute and run again. If it stays so, look in RDS which clients are connected, and end idle ones "
            "or raise the cluster's capacity: a deploy needs a connection too.",
            "Wait a minute and run again. If it stays so, look in pg_stat_activity which clients are connected, and "
            "end idle ones, or raise max_connections or the role's own limit: a deploy needs a connection too.",
        ),
        ("database-waking", "database-silent"): (
            "None: nothing is broken yet; run again, then look at the cluster in RDS.",
            "Run again in a minute. If it stays so, look at the cluster's status and events in RDS.",
            "Start the server, or correct host and port of the URL ({environment.url_login.source}); a firewall may "
            "stand between. Then run again.",
        ),
        "database-secret-unusable": (
            "None: only a person knows the password. Restore the secret's last version, or name the right secret.",
            "Restore {finding.shown.subject} with username and password, or name the right one as secret of "
            "[{environment.name}] in the registry.",
        ),
    }
)


@fixes("wrong-account")
def wrong_account(finding: Finding, environment: Environment) -> Iterator[Fix | NoFix]:
    """Log in to the environment's account."""
    if environment.profile is None:
        yield NoFix(f"Use credentials of account {environment.account}.")
        return
    yield Fix(
        "command",
        "Log in to the environment's account",
        f"aws sso login --profile {shell.quote(environment.profile)}",
        note="It changes only this machine's session; there is nothing to undo.",
        rank=1,
    )


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


@fixes("ssh-key-permissions")
def ssh_key_permissions(finding: Finding) -> Iterator[Fix]:
    """Take the rights of others away from the key."""
    path = shell.quote(finding.subject)
    yield Fix(
        "command",
        "Let only its owner read the key",
        f"chmod 600 {path}",
        undo=f"chmod {finding.evidence['mode']} {path}",
        rank=1,
    )


@fixes("host-key-unknown", "host-key-changed")
def host_key(finding: Finding, environment: Environment, bastion: Bastion) -> Iterator[Fix]:
    """Ask for the key once, compare its fingerprint with the one that the instance printed, and add that very key."""
    address, _, port = finding.subject.rpartition(":")
    keys = HostKeyCommands(environment.known_hosts, address, int(port))
    yield Fix(
        "command",
        f"Ask for the key once, into {keys.scanned.name}, and show its fingerprint",
        keys.scan,
        note="It makes that one file, which the third step removes.",
        undo=f"rm -- {shell.quote(str(keys.scanned))}",
        rank=1,
    )
    yield Fix(
        "command",
        "Show the instance's own, from the console of its first start",
        shell.aws(environment, "ec2", "get-console-output", "--instance-id", bastion.instance_id, "--output", "text"),
        note="It changes nothing: there is nothing to undo.",
        rank=2,
    )
    yield Fix(
        "command",
        "Only if both are equal: add the key that was compared",
        f"{keys.forget} && {keys.add}" if finding.code == "host-key-changed" else keys.add,
        note="The host is not asked again: who answers then may be another.",
        undo=keys.forget,
        rank=2,
    )


@fixes("session-held-lock")
def session_held_lock(finding: Finding) -> Iterator[NoFix]:
    """None: a person finds the code that runs at a login or within a query, and decides."""
    yield NoFix(
        "Find the code: event triggers at the login (\\dy in psql), functions in indexes, casts and policies of the "
        "tables that were read. The lock itself ended with the session."
    )


@fixes("write-not-refused")
def write_not_refused(finding: Finding, environment: Environment) -> Iterator[Fix]:
    """Log in as a role that cannot write by itself; then look for what changes sessions on the way."""
    yield Fix(
        "command",
        "Make a role that can only read",
        shell.psql(environment, "-X", "-v", "ON_ERROR_STOP=1", "-f", ROLE),
        note=f"It must lead {shell.way(environment)}, as the master user. {_role_of(environment)} Then look for the "
        "pooler or proxy on the way to the database: it must pass on the options of a session and BEGIN READ ONLY.",
        undo=shell.psql(environment, "-X", "-v", "ON_ERROR_STOP=1", "-c", "DROP ROLE migration_health"),
        rank=1,
    )


def _role_of(environment: Environment) -> str:
    if environment.url_login is None:
        return "Set the role's password and name its secret as docs/guides/permissions.md tells."
    return f"Set the role's password by psql's \\password, and name both in the URL ({environment.url_login.source})."


@fixes("admin-api-key-missing")
def key(finding: Finding, environment: Environment) -> Iterator[Fix]:
    """Deploy with ADMIN_API_KEY set, so that auth function and API hold the same key."""
    yield shell.deployment_with_key(environment)
