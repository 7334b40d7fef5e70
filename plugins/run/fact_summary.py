"""The facts of an environment in a few lines, each with where it came from."""

from __future__ import annotations

from fixtures.aws.resources import Aws
from fixtures.clients.request_log import RequestLog
from fixtures.clone.environment_copy import EnvironmentCopy
from fixtures.clone.server import CloneServer
from fixtures.facts import Facts
from health.aws.resources import Bastion, Cluster, Identity
from health.config.environment import Environment
from health.history.effects import foreseen
from health.history.history import History
from health.layer.comparison import DeployedLayer
from health.migrations.directory import MigrationDirectory
from health.parts import Part
from health.pending.data_check import DataCheck
from health.pending.forecast import Forecast
from health.read_only.proof import ReadOnlyProof
from health.report.overview import answers, entity_overview, history_overview, proof_overview
from health.report.record import FactsOverview
from health.sanitize import one_line
from health.schema_file.difference import SchemaFileDiff
from health.tunnel.connection import DatabaseServer, ReplicaStatus
from plugins.fixes import commands as shell


def summarize(facts: Facts) -> dict[str, str]:
    """Label → what is known, of those facts that have been read; nothing is waited for."""
    environment: Environment | None = facts.read_already("environment")
    if environment is None:
        return {}
    lines = {**_way(facts, environment), **_migrations(facts)}
    environment_copy: EnvironmentCopy | None = facts.read_already("environment_copy")
    lines |= _clone(facts.read_already("clone_server"), environment_copy)
    proof: ReadOnlyProof | None = facts.read_already("read_only_proof")
    if proof is not None:
        dumped = environment_copy is not None and environment_copy.dumped
        lines["read only"] = proof.sentence + (f"; its schema was read by {dumped}" if dumped else "")
    source = environment.sources.get
    if Part.SCRIPT in environment.parts:
        lines["script"] = f"{environment.tunnel_script} ({source('tunnel_script', 'default')})"
    if Part.API in environment.parts:
        lines["api"] = f"{environment.api_url} ({source('api_url', 'default')})"
    if application := source("application"):
        lines["application"] = application
    if environment.notes:
        lines["note"] = " ".join(note.rstrip(".") + "." for note in environment.notes)
    if absent := [part.value for part in Part if part not in environment.parts]:
        lines["not judged"] = f"{', '.join(absent)} (no such settings)"
    return {label: one_line(text) for label, text in lines.items()}


def _way(facts: Facts, environment: Environment) -> dict[str, str]:
    """How the database was reached."""
    lines: dict[str, str] = {}
    identity: Identity | None = facts.read_already("identity")
    if identity is not None:
        lines["account"] = f"{identity.account} as {identity.arn} ({identity.source})"
    if Part.AWS in environment.parts:
        lines["region"] = f"{environment.region} ({environment.sources.get('region', 'default')})"
    cluster: Cluster | None = facts.read_already("cluster")
    if cluster is not None:
        lines["endpoint"] = f"{cluster.writer_endpoint} (AWS)"
    bastion: Bastion | None = facts.read_already("bastion")
    if bastion is not None:
        lines["bastion"] = f"{bastion.public_address or bastion.state} (AWS, {bastion.name} {bastion.instance_id})"
    if environment.url_login is not None:
        lines["database"] = f"{environment.url_login.url.place} ({environment.url_login.source})"
    server: DatabaseServer | None = facts.read_already("server")
    if server is not None and server.problem is None:
        answers_from = read_from(facts.read_already("reader") or ReplicaStatus())
        lines["server"] = f"PostgreSQL {server.version}, database {server.database} as {server.user}, {answers_from}"
    return lines


def _migrations(facts: Facts) -> dict[str, str]:
    """Where they are, and how far the database is."""
    lines: dict[str, str] = {}
    directory: MigrationDirectory | None = facts.read_already("migrations")
    if directory is not None:
        order = "" if all(map(str.isascii, directory.names)) else ", their order approximate beyond ASCII"
        lines["migrations"] = f"{len(directory.migrations)} in {directory.path} ({directory.source}){order}"
    history, prisma = _history(facts), facts.read_already("prisma")
    if history is not None and prisma is not None:
        rules = f"{prisma.version or 'unknown'} ({prisma.source}), rules {prisma.generation.value}"
        lines["history"] = history_overview(history).counted
        lines["prisma"] = f"{rules}: {answers(history)}"
    schema_file: SchemaFileDiff | None = facts.read_already("schema_file_diff")
    if schema_file is not None:
        lines["schema file"] = f"{schema_file.schema}, compared by {schema_file.how}"
    return lines


def _clone(clone: CloneServer | None, environment_copy: EnvironmentCopy | None) -> dict[str, str]:
    lines = {}
    if clone is not None and clone.description:
        notes = environment_copy.notes if environment_copy is not None else ()
        lines["clone"] = "; ".join([clone.description, *notes])
    if environment_copy is not None and environment_copy.rows.note:
        lines["rows"] = environment_copy.rows.note
    return lines


def read_from(reader: ReplicaStatus) -> str:
    """Which of the cluster's servers is asked what."""
    if reader.used:
        return "catalog from the reader, all else from the writer"
    return "writer" + (f"; not the reader: {reader.unused}" if reader.unused else "")


def overview(facts: Facts) -> FactsOverview:
    """Gather what has been read for the record; empty where something has not been."""
    history, catalog = _history(facts), facts.read_already("catalog")
    environment: Environment | None = facts.read_already("environment")
    environment_copy: EnvironmentCopy | None = facts.read_already("environment_copy")
    dumped = environment_copy.dumped if environment_copy is not None else None
    known = {} if environment is None else {"psql_command": shell.psql(environment, "-v", "ON_ERROR_STOP=1")}
    return FactsOverview(
        summarize(facts),
        history_overview(history) if history is not None else None,
        entity_overview(catalog) if catalog is not None else None,
        proof_overview(facts.read_already("read_only_proof"), dumped, called(facts, "aws"), called(facts, "requests")),
        tunnel=environment is None or Part.TUNNEL in environment.parts,
        **known,
        observed=_observed(facts, environment),
    )


def _observed(facts: Facts, environment: Environment | None) -> dict[str, str]:
    """What may change from night to night and is no finding, as far as it was read."""
    seen: dict[str, str] = {}
    cluster: Cluster | None = facts.read_already("cluster")
    if cluster is not None:
        seen["endpoint"] = cluster.writer_endpoint
    bastion: Bastion | None = facts.read_already("bastion")
    if bastion is not None:
        seen["bastion"] = f"{bastion.instance_id}, {bastion.public_address or bastion.state}"
    if environment is not None and environment.url_login is not None:
        seen["database"] = environment.url_login.url.place
    server: DatabaseServer | None = facts.read_already("server")
    if server is not None and server.problem is None:
        seen["server version"] = server.version
    layer: DeployedLayer | None = facts.read_already("deployed_layer")
    if layer is not None:
        seen["layer"] = str(layer)
    return {label: one_line(text) for label, text in seen.items()}


def called(facts: Facts, name: str) -> tuple[str, ...]:
    """What has been asked of AWS, or of the API."""
    client: Aws | RequestLog | None = facts.read_already(name)
    if client is None:
        return ()
    return client.called if isinstance(client, Aws) else client.sent


def _history(facts: Facts) -> History | None:
    history: History | None = facts.read_already("history")
    tried: list[Forecast | DataCheck | None] = [facts.read_already("forecast"), facts.read_already("data_check")]
    if history is None:
        return None
    return foreseen(history, *(each.failing for each in tried if each is not None))
