"""The way to the database: the bastion, the tunnel, and the script that colleagues open it with."""

from collections.abc import Iterator

from health.access import Preflight, ScriptRoute, Server
from health.aws import Bastion, Cluster, bastion_problem, candidates
from health.check import check
from health.environment import Environment
from health.finding import Evidence, Finding
from health.tunnel_script import TunnelScript


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


@check(finds={"stale-endpoint": "error", "instance-endpoint": "error", "endpoint-not-attributed": "warning"})
def test_tunnel_script_endpoint(
    tunnel_script: TunnelScript, cluster: Cluster, script_route: ScriptRoute, environment: Environment
) -> Iterator[Finding]:
    """The tunnel script leads to the writer endpoint of today's cluster.

    AWS makes up a part of the name, so a replaced cluster has a new one, and whoever uses the script works
    elsewhere or nowhere. An instance's endpoint works until the writer moves; the reader's refuses writes.

    Mend it by the patch: it puts today's writer endpoint into the script.
    """
    value = tunnel_script.value("endpoint", environment.stage)
    if value is None:
        yield _not_attributed("endpoint", tunnel_script, environment)
        return
    if value.host == cluster.writer_endpoint:
        return
    evidence: Evidence = {
        "script": value.host, "aws": cluster.writer_endpoint, "line": value.line, "route": script_route.outcome,
    }  # fmt: skip
    if value.host in dict(cluster.instances):
        code, is_what = "instance-endpoint", "one instance's endpoint, read only after a failover,"
    elif value.host == cluster.reader_endpoint:
        code, is_what = "instance-endpoint", "the reader's endpoint"
    else:
        code, is_what = "stale-endpoint", "no endpoint"
    yield Finding(
        code,
        tunnel_script.path,
        f"Line {value.line} leads {environment.stage} to {value.host}: {is_what} of {cluster.identifier}, "
        f"whose writer is {cluster.writer_endpoint}." + _route(script_route),
        evidence,
    )


@check(finds={"stale-bastion": "error", "bastion-not-attributed": "warning"})
def test_tunnel_script_bastion(
    tunnel_script: TunnelScript, bastion_address: str, script_route: ScriptRoute, environment: Environment
) -> Iterator[Finding]:
    """The tunnel script goes through today's bastion.

    An instance without a fixed address gets another one at each start, and the old one may belong to
    somebody else by then.

    Mend it by the patch: it puts the bastion's address of today into the script.
    """
    value = tunnel_script.value("bastion", environment.stage)
    if value is None:
        yield _not_attributed("bastion", tunnel_script, environment)
        return
    if value.host == bastion_address:
        return
    yield Finding(
        "stale-bastion",
        tunnel_script.path,
        f"Line {value.line} leads {environment.stage} through {value.host}; today's bastion has {bastion_address}."
        + _route(script_route),
        {"script": value.host, "aws": bastion_address, "line": value.line, "route": script_route.outcome},
    )


@check(finds={"tunnel-closed": "error", "database-unreachable": "error"})
def test_tunnel_opens(preflight: Preflight) -> Iterator[Finding]:
    """The bastion lets us in and reaches the database's port from there.

    It must answer, show the known host key and accept our key; then it must be able to connect to the writer
    endpoint. Host keys are never learnt silently: one that is unknown or has changed is compared by a person.

    Mend it by what the finding names; nothing in the database is to be changed.
    """
    for problem in (preflight.bastion_problem, preflight.endpoint_problem):
        if problem is not None:
            yield problem


@check(finds={"database-login-refused": "error"})
def test_database_answers(server: Server) -> Iterator[Finding]:
    """The database answers through the tunnel and accepts the secret's login.

    Where it does not, nothing is known about the migrations, and a deploy would fail the same way.

    Mend it by what the finding names: the secret, the role or the server's state.
    """
    if server.problem is not None:
        yield server.problem


def _not_attributed(kind: str, script: TunnelScript, environment: Environment) -> Finding:
    told = [f"line {u.line}: {u.name}: {u.reason}" for u in script.unattributed if u.kind == kind]
    return Finding(
        f"{kind}-not-attributed",
        script.path,
        f"It cannot be told which {kind} the script uses for {environment.stage}"
        + (f" ({'; '.join(told[:3])})." if told else f": no {kind} is set for it."),
        {"stage": environment.stage},
    )


def _route(route: ScriptRoute) -> str:
    return f" Its own route, tried now: {route.outcome}" if route.outcome else ""
