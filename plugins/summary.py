"""The facts of an environment in a few lines, each with where it came from."""

from __future__ import annotations

from fixtures.facts import Facts
from health.access import Server
from health.aws import Bastion, Cluster, Identity
from health.environment import Environment
from health.history import MigrationDirectory
from health.text import one_line


def summarize(facts: Facts) -> dict[str, str]:
    """Label → what is known, of those facts that have been read; nothing is waited for."""
    lines: dict[str, str] = {}
    environment: Environment | None = facts.read_already("environment")
    if environment is None:
        return lines
    source = environment.sources.get
    identity: Identity | None = facts.read_already("identity")
    if identity is not None:
        lines["account"] = f"{identity.account} as {identity.arn} ({identity.source})"
    lines["region"] = f"{environment.region} ({source('region', 'default')})"
    cluster: Cluster | None = facts.read_already("cluster")
    if cluster is not None:
        lines["endpoint"] = f"{cluster.writer_endpoint} (AWS)"
    bastion: Bastion | None = facts.read_already("bastion")
    if bastion is not None:
        lines["bastion"] = f"{bastion.public_address or bastion.state} (AWS, {bastion.name} {bastion.instance_id})"
    server: Server | None = facts.read_already("server")
    if server is not None and server.problem is None:
        role = "reader" if server.in_recovery else "writer"
        lines["server"] = f"PostgreSQL {server.version}, database {server.database} as {server.user}, {role}"
    directory: MigrationDirectory | None = facts.read_already("migrations")
    if directory is not None:
        lines["migrations"] = f"{len(directory.migrations)} in {directory.path} ({directory.source})"
    lines["script"] = f"{environment.tunnel_script} ({source('tunnel_script', 'default')})"
    lines["api"] = f"{environment.api_url} ({source('api_url', 'default')})"
    return {label: one_line(text) for label, text in lines.items()}
