"""The script that colleagues open the tunnel with, held against AWS."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from health.aws.resources import Bastion, Cluster
from health.check import check
from health.config.environment import Environment
from health.finding import Finding
from health.tunnel.connection import ScriptRoute, clusters_of_script
from health.tunnel.script import ScriptValue, TunnelScript
from health.tunnel.variable_names import Kind


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
    kind: Kind,
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
        )  # fmt: skip


def _mentions(script: TunnelScript, kind: Kind, stage: str) -> bool:
    """Whether the script knows a stage that it need not know."""
    return any(stage in value.stages for value in script.values) or any(u.kind == kind for u in script.unattributed)


def _subject(script: TunnelScript, stage: str, environment: Environment) -> str:
    return script.path if stage == environment.stage else f"{script.path}, {stage}"


def _not_attributed(kind: Kind, script: TunnelScript, stage: str, subject: str) -> Finding:
    told = [f"line {u.line}: {u.name}: {u.reason}" for u in script.unattributed if u.kind == kind]
    return Finding(
        f"{kind}-not-attributed",
        subject,
        f"It cannot be told which {kind} the script uses for {stage}"
        + (f" ({'; '.join(told[:3])})." if told else f": no {kind} is set for it."),
        {"stage": stage},
    )
