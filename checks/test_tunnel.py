"""The way to the database: the bastion, the key, the tunnel and the login."""

from collections.abc import Iterator

from health.aws.resources import Bastion, bastion_problem, candidates
from health.check import check
from health.config.environment import Environment
from health.finding import Finding
from health.tunnel.connection import DatabaseServer, KeyFile, Preflight


@check(finds={"bastion-not-running": "error", "bastion-missing": "error", "bastion-ambiguous": "error"})
def test_bastion_running(bastions: tuple[Bastion, ...], environment: Environment) -> Iterator[Finding]:
    """There is one bastion for the environment, it runs and has a public address.

    It is the only way from outside to the database. It is the instance with the registry's `bastion_address`,
    else the only one whose Name holds the stage as a word; of several none is taken. A stopped instance loses its
    address, so it may have another one after the start.

    Mend it by starting the instance, then compare its address with the tunnel script.
    """
    problem = bastion_problem(bastions, environment.bastion_address, environment.stage)
    if problem is not None:
        yield problem
        return
    (bastion,) = candidates(bastions, environment.bastion_address, environment.stage)
    if bastion.state != "running":
        message = f"The bastion {bastion.name} is {bastion.state}, so nobody reaches the database through it."
    elif not bastion.public_address:
        message = f"The bastion {bastion.name} runs without a public address."
    else:
        return
    yield Finding("bastion-not-running", bastion.instance_id, message, {"state": bastion.state})


@check(finds={"ssh-key-missing": "error", "ssh-key-permissions": "warning"})
def test_ssh_key(ssh_key: KeyFile) -> Iterator[Finding]:
    """The bastion's SSH key is there, and nobody else may read it.

    Without it nobody on this machine enters the bastion. A key that others may read is refused by OpenSSH
    ("UNPROTECTED PRIVATE KEY FILE"), so the tunnel script fails, although this run works.

    Mend it by chmod 600, or by putting the key where the registry's ssh_key says.
    """
    if ssh_key.mode is None:
        yield ssh_key.missing
    elif ssh_key.readable_by_others:
        mode = f"{ssh_key.mode:04o}"
        message = f"Others than its owner may read the key (mode {mode}): OpenSSH refuses it, and so the tunnel script."
        yield Finding("ssh-key-permissions", ssh_key.path, message, {"mode": mode})


@check(
    finds={
        "bastion-unreachable": "error", "host-key-unknown": "error", "host-key-changed": "error",
        "ssh-key-refused": "error", "database-unreachable": "error",
    }
)  # fmt: skip
def test_tunnel_opens(preflight: Preflight) -> Iterator[Finding]:
    """The bastion lets us in and reaches the database's port from there.

    It must answer, show the known host key and accept our key; then it must be able to connect to the writer
    endpoint. Host keys are never learnt silently: one that is unknown or has changed is compared by a person.

    Mend it by what the finding names; nothing in the database is to be changed.
    """
    if preflight.problem is not None:
        yield preflight.problem


@check(
    finds={
        "database-login-refused": "error", "database-missing": "error", "too-many-connections": "error",
        "database-waking": "error", "database-silent": "error",
    }
)  # fmt: skip
def test_database_answers(server: DatabaseServer) -> Iterator[Finding]:
    """The database answers through the tunnel and accepts the secret's login.

    Where it does not, nothing is known about the migrations, and a deploy would fail the same way. A cluster
    that may be paused is given the time to wake up (limits.wake_s in the registry).

    Mend it by what the finding names: the secret, the role or the server's state.
    """
    if server.problem is not None:
        yield server.problem
