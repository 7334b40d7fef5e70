"""The way to the database: tunnel script, bastion, key, tunnel and login."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from health.aws.resources import Bastion, Cluster, NotOneBastion, bastion_problem, candidates
from health.check import check
from health.config.environment import Environment
from health.finding import Finding, Place
from health.outcomes import judges
from health.tunnel.connection import (
    DatabaseServer,
    KeyFile,
    LoginFailure,
    Preflight,
    ScriptRoute,
    SshFailure,
    clusters_of_script,
)  # fmt: skip
from health.tunnel.script import ScriptValue, TunnelScript
from health.tunnel.variable_names import HostKind


@check(finds={"tunnel-script-absent": "info"})
def test_tunnel_script_exists(script_exists: bool, environment: Environment) -> Iterator[Finding]:
    """The checkout has the tunnel script.

    It is in no repository, so a CI runner does not have it, and nothing here needs it: the tunnel goes where
    AWS says. Only whether the script that colleagues use is up to date is not known then.

    Mend it, if it is to be judged, by naming the script with --tunnel-script FILE.
    """
    if not script_exists:
        path = str(environment.tunnel_script)
        yield Finding("tunnel-script-absent", path, f"There is no tunnel script at {path}, so it is not judged.")


@check(
    finds={
        "stale-endpoint": "error", "instance-endpoint": "error", "wrong-stage-endpoint": "error",
        "endpoint-not-attributed": "warning",
    }
)  # fmt: skip
def test_tunnel_script_endpoint(
    tunnel_script: TunnelScript,
    cluster: Cluster,
    clusters: tuple[Cluster, ...],
    script_route: ScriptRoute,
    environment: Environment,
) -> Iterator[Finding]:
    """The tunnel script leads to the writer endpoint of today's cluster.

    AWS makes up a part of the name, so a replaced cluster has a new one, and whoever uses the script works
    elsewhere or nowhere. An instance's endpoint works until the writer moves; the reader's refuses writes;
    another stage's endpoint works, and changes the wrong database. The registry's script_stages are judged
    too, where AWS has exactly one cluster of that stage.

    Mend it by the patch: it puts today's writer endpoint into the script.
    """
    targets = clusters_of_script(environment, cluster, clusters)

    def judge(host: str, stage: str) -> tuple[str, str]:
        return _endpoint(host, targets[stage] or cluster, clusters)

    hosts = {stage: target.writer_endpoint if target else None for stage, target in targets.items()}
    yield from _compare("endpoint", tunnel_script, hosts, environment, judge=judge, route=script_route)


@check(finds={"stale-bastion": "error", "wrong-stage-bastion": "error", "bastion-not-attributed": "warning"})
def test_tunnel_script_bastion(
    tunnel_script: TunnelScript,
    bastion_address: str,
    bastions: tuple[Bastion, ...],
    script_route: ScriptRoute,
    environment: Environment,
) -> Iterator[Finding]:
    """The tunnel script goes through today's bastion.

    An instance without a fixed address gets another one at each start, and the old one may belong to
    somebody else by then. Another stage's bastion may not reach this stage's database, or its owners may not
    know who works through it. The registry's script_stages go through this environment's bastion too.

    Mend it by the patch: it puts the bastion's address of today into the script.
    """

    def judge(host: str, stage: str) -> tuple[str, str]:
        for other in bastions:
            if other.public_address == host:
                return "wrong-stage-bastion", f"which is another bastion, {other.name} ({other.instance_id})"
        return "stale-bastion", "which no bastion of today has"

    hosts = dict.fromkeys((environment.stage, *environment.script_stages), bastion_address)
    yield from _compare("bastion", tunnel_script, hosts, environment, judge=judge, route=script_route)


def _endpoint(host: str, cluster: Cluster, clusters: Sequence[Cluster]) -> tuple[str, str]:
    """What an endpoint is that is not the cluster's writer: the code, and a clause."""
    if host in dict(cluster.instances):
        return "instance-endpoint", f"which is one instance of {cluster.identifier}, read only after a failover"
    if host == cluster.reader_endpoint:
        return "instance-endpoint", f"which is the reader of {cluster.identifier}"
    for other in clusters:
        if host in (other.writer_endpoint, other.reader_endpoint, *dict(other.instances)):
            return "wrong-stage-endpoint", f"which is of another cluster, {other.identifier}"
    return "stale-endpoint", f"which is no endpoint of {cluster.identifier}"


def _compare(
    kind: HostKind,
    script: TunnelScript,
    hosts: Mapping[str, str | None],
    environment: Environment,
    *,
    judge: Callable[[str, str], tuple[str, str]],
    route: ScriptRoute,
) -> Iterator[Finding]:
    """What is wrong with the script's values.

    ``hosts`` maps each stage that is judged to what it must have, and ``judge`` tells of a host and a stage what
    that host is instead.
    """
    wrong: dict[tuple[int, str], tuple[ScriptValue, list[str]]] = {}
    for stage, host in hosts.items():
        value = script.value(kind, stage)
        if host is not None and value is None:
            if stage == environment.stage or _mentions(script, kind, stage):
                yield _not_attributed(kind, script, stage, _subject(script, stage, environment))
        elif host is not None and value is not None and value.host != host:
            wrong.setdefault((value.start, host), (value, []))[1].append(stage)
    for (_, host), (value, stages) in wrong.items():
        code, which_is = judge(value.host, stages[0])
        own = stages[0] == environment.stage
        may_change = {stage for stage, wanted in hosts.items() if wanted in (host, None)}
        tried = f" Its own route, tried now: {route.outcome}" if own and route.outcome else ""
        yield Finding(
            code,
            _subject(script, stages[0], environment),
            f"Line {value.line} leads {' and '.join(stages)} {'to' if kind == 'endpoint' else 'through'} {value.host}, "
            f"{which_is}; today's {'writer' if kind == 'endpoint' else 'bastion'} is {host}.{tried}",
            {
                "script": value.host, "aws": host, "line": value.line, "route": route.outcome if own else "",
                "stage": stages[0], "shared_with": tuple(each for each in value.stages if each not in may_change),
            },
            place=Place(script.path, value.line),
        )  # fmt: skip


def _mentions(script: TunnelScript, kind: HostKind, stage: str) -> bool:
    """Whether the script knows a stage that it need not know."""
    return any(stage in value.stages for value in script.values) or any(u.kind == kind for u in script.unattributed)


def _subject(script: TunnelScript, stage: str, environment: Environment) -> str:
    return script.path if stage == environment.stage else f"{script.path}, {stage}"


def _not_attributed(kind: HostKind, script: TunnelScript, stage: str, subject: str) -> Finding:
    unclear = [each for each in script.unattributed if each.kind == kind]
    told = [f"line {u.line}: {u.name}: {u.reason}" for u in unclear]
    return Finding(
        f"{kind}-not-attributed",
        subject,
        f"It cannot be told which {kind} the script uses for {stage}"
        + (f" ({'; '.join(told[:3])})." if told else f": no {kind} is set for it."),
        {"stage": stage},
        place=Place(script.path, unclear[0].line if unclear else 1),
    )


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
        yield _not_one(problem)
        return
    (bastion,) = candidates(bastions, environment.bastion_address, environment.stage)
    if not bastion.usable:
        yield _not_running(bastion)


@judges(NotOneBastion, check="bastion-running")
def _not_one(bastions: NotOneBastion) -> Finding:
    fitting = bastions.fitting
    number = f"{len(fitting)} bastions" if fitting else "No bastion"
    named = [f"{each.name} ({each.instance_id}, {each.state})" for each in fitting or bastions.existing]
    message = f"{number} of stage {bastions.stage!r}; AWS has {', '.join(named) or 'none at all'}."
    return Finding("bastion-ambiguous" if fitting else "bastion-missing", bastions.stage, message)


@judges(Bastion, check="bastion-running")
def _not_running(bastion: Bastion) -> Finding:
    if bastion.state != "running":
        message = f"The bastion {bastion.name} is {bastion.state}, so nobody reaches the database through it."
    else:
        message = f"The bastion {bastion.name} runs without a public address."
    return Finding("bastion-not-running", bastion.instance_id, message, {"state": bastion.state})


@check(finds={"ssh-key-missing": "error", "ssh-key-permissions": "warning"})
def test_ssh_key(ssh_key: KeyFile) -> Iterator[Finding]:
    """The bastion's SSH key is there, and nobody else may read it.

    Without it nobody on this machine enters the bastion. A key that others may read is refused by OpenSSH
    ("UNPROTECTED PRIVATE KEY FILE"), so the tunnel script fails, although this run works.

    Mend it by chmod 600, or by putting the key where the registry's ssh_key says.
    """
    if ssh_key.mode is None:
        yield _missing(ssh_key)
    elif ssh_key.readable_by_others:
        mode = f"{ssh_key.mode:04o}"
        message = f"Others than its owner may read the key (mode {mode}): OpenSSH refuses it, and so the tunnel script."
        yield Finding("ssh-key-permissions", ssh_key.path, message, {"mode": mode})


@judges(KeyFile, check="ssh-key")
def _missing(key: KeyFile) -> Finding:
    message = f"There is no SSH key at {key.path}, so this machine cannot enter the bastion."
    return Finding("ssh-key-missing", key.path, message)


_CLOSED = {
    "unreachable": "bastion-unreachable",
    "host key unknown": "host-key-unknown",
    "host key changed": "host-key-changed",
    "key refused": "ssh-key-refused",
    "endpoint unreachable": "database-unreachable",
}


@check(
    finds={
        "bastion-unreachable": "error", "host-key-unknown": "error", "host-key-changed": "error",
        "ssh-key-refused": "error", "database-unreachable": "error",
    },
    explained_by={"database-unreachable": ("security-group-closed", "cluster-not-available")},
)  # fmt: skip
def test_tunnel_opens(preflight: Preflight) -> Iterator[Finding]:
    """The bastion lets us in and reaches the database's port from there.

    It must answer, show the known host key and accept our key; then it must be able to connect to the writer
    endpoint. Host keys are never learnt silently: one that is unknown or has changed is compared by a person.

    Mend it by what the finding names; nothing in the database is to be changed.
    """
    if preflight.problem is not None:
        yield _closed(preflight.problem)


@judges(SshFailure, check="tunnel-opens")
def _closed(failure: SshFailure) -> Finding:
    where = "The bastion lets nobody in" if failure.at_bastion else "The bastion does not reach it"
    message = f"{where}: {failure.what}. {failure.remedy}"
    return Finding(_CLOSED[failure.kind], failure.place, message, {"cause": failure.what})


_REFUSED = {
    "password refused": (
        "database-login-refused", "PostgreSQL refuses the password of {user} that {secret} holds.",
    ),
    "no database": ("database-missing", "PostgreSQL has no database {database}."),
    "no role": ("database-login-refused", "PostgreSQL knows no role {user}."),
    "no connection left": ("too-many-connections", "PostgreSQL has no connection left."),
    "only reserved connections left": (
        "too-many-connections", "PostgreSQL has no connection left but those for superusers.",
    ),
    "address refused": (
        "database-login-refused", "pg_hba.conf does not let {user} in from this address: {text}",
    ),
    "closed": ("database-silent", "The connection ended before PostgreSQL had said a word."),
    "starting": ("database-waking", "PostgreSQL is starting up."),
    "asleep": ("database-waking", "The cluster may be paused and did not wake up within {limit_s:g} s."),
    "silent": ("database-silent", "PostgreSQL takes the connection and is then silent for {limit_s:g} s."),
    "cleartext": (
        "database-login-refused",
        "The server asks for the password in clear text, without TLS. It was not sent: somebody may listen.",
    ),
    "tls refused": ("database-login-refused", "TLS with the server fails: {text}"),
    "unreachable": ("database-silent", "No PostgreSQL answers: {text}"),
    "unusable": ("database-login-refused", "{text}"),  # of our own settings: nothing was sent
    "other": ("database-login-refused", "PostgreSQL closed the connection: {text}"),
}  # fmt: skip


@check(
    finds={
        "database-login-refused": "error", "database-missing": "error", "too-many-connections": "error",
        "database-waking": "error", "database-silent": "error",
    },
    explained_by={"database-login-refused": ("database-secret-unusable", "cluster-not-available")},
)  # fmt: skip
def test_database_answers(server: DatabaseServer) -> Iterator[Finding]:
    """The database answers through the tunnel and accepts the secret's login.

    Where it does not, nothing is known about the migrations, and a deploy would fail the same way. A cluster
    that may be paused is given the time to wake up (limits.wake_s in the registry).

    Mend it by what the finding names: the secret, the role or the server's state.
    """
    if server.problem is not None:
        yield _refused(server.problem)


@judges(LoginFailure, check="database-answers")
def _refused(failure: LoginFailure) -> Finding:
    code, message = _REFUSED[failure.kind]
    return Finding(code, f"{failure.user}@{failure.database}", message.format(**vars(failure)))
