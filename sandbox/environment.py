"""Puts the parts of the local environment together, once their slow beginnings are under way."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from fixtures.clone.servers.private_postgres import PrivatePostgres
from fixtures.migrations.directory import read_migrations
from sandbox.api.runs import RunStore
from sandbox.api.server import API_ID, FriggApi
from sandbox.aws import layer
from sandbox.aws.proxy import AwsProxy
from sandbox.aws.seed import Endpoints, Seed
from sandbox.bastion import USER, SshBastion
from sandbox.checkout import Checkout
from sandbox.database import case
from sandbox.database import history as database
from sandbox.database.master import MasterUser
from sandbox.database.pooler import Pooler, listen
from sandbox.database.prisma_deploy import deploy
from sandbox.database.standby import Standby
from sandbox.plan import LOCAL, Plan


def assemble(
    plan: Plan,
    migrations: Path | None,
    directory: Path,
    *,
    front: AwsProxy,
    postgres: Callable[[], PrivatePostgres],
    seeded: Callable[[], tuple[Seed, Endpoints]],
    stack: ExitStack,
) -> dict[str, Any]:
    """The rest of the environment; gives its registry entry.

    Args:
        plan: what it is to be.
        migrations: a directory to be used in place of the sandbox's own.
        directory: where its files go.
        front: what stands before its AWS.
        postgres: waits for its server.
        seeded: waits for its AWS.
        stack: owns what must be freed.
    """
    application = Checkout(directory)
    application.write_migrations(plan, migrations)
    application.write_prisma(plan)
    bastion = SshBastion(application.key, application.known_hosts, plan.way)
    bastion.start()
    server = postgres()
    standby = _fill(plan, application, server, directory, stack)
    aws, endpoints = seeded()
    layer.serve(front, application.migrations, plan.layer)
    # The API's functions use what their variables say.
    theirs = server.address if plan.functions_host == "{writer}" else None
    where = theirs, plan.functions_password, application.migrations
    api = FriggApi(plan, database.reader(*where), RunStore(aws.clients(), partial(deploy, *where)))
    api.start()
    application.write_script(plan, endpoints)
    silent = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]  # nobody answers there
    entrance = server.socket
    if plan.way.database_silent:
        stack.enter_context(listen(entrance := directory / "silent"))
    elif plan.pooler:
        entrance = Pooler(directory / "pooler", server.socket).start()
    bastion.forwards.update(_forwards(plan, endpoints, entrance, standby))
    return {
        "stage": LOCAL.name,
        "embedded": True,
        "api_url": api.url,
        "api_id": API_ID,
        "region": "us-east-1",
        "account": "123456789012",
        "aws_endpoint_url": front.url,
        "aws_access_key_id": aws.key_id,
        "aws_secret_access_key": aws.key,
        "aws_session_token": front.token.reveal() if front.token is not None else "",
        "functions": {"auth": f"{LOCAL.prefix}auth", "worker": f"{LOCAL.prefix}dbMigrationWorker"},
        "function_prefix": LOCAL.prefix,
        "variables": {"auth": ["ADMIN_API_KEY", "DATABASE_URL"], "worker": ["DATABASE_URL", "S3_BUCKET_NAME"]},
        "secret": f"{LOCAL.prefix}db-credentials",
        "database": plan.way.database,
        "cluster_prefix": LOCAL.prefix,
        "layer": f"quo-integrations-prisma-{LOCAL.name}",
        "bastion_address": LOCAL.bastion_address,
        "ssh_user": USER,
        "ssh_port": silent if plan.way.bastion_silent else bastion.port,
        "ssh_key": str(application.key),
        "known_hosts": str(application.known_hosts),
        "app": str(application.root),
        "tunnel_script": str(application.script),
        "migrations": str(application.migrations.absolute()),
        "limits": plan.limits,
    }


def _fill(
    plan: Plan, application: Checkout, server: PrivatePostgres, directory: Path, stack: ExitStack
) -> Standby | None:
    """Bring the database into the plan's state; gives the second instance, if there is one."""
    login = MasterUser(server, plan.database_password)
    if plan.case is not None:
        case.put(server.address, plan.database_password, plan.case)
        login.restrict()
        return None
    last = database.fill(
        server.address, plan, read_migrations(application.migrations, "").migrations, application.migrations
    )
    login.restrict()
    if plan.edit is not None and last is not None:
        application.edit(last.name, plan.edit)
    if plan.lock_held:
        stack.callback(database.hold_lock(server.address, plan.database_password).close)
    if not plan.way.connections_left:
        stack.callback(database.take_connections(server).close)
    standby = Standby(directory, server.password, server) if plan.reader else None
    if standby is not None:
        stack.callback(standby.stop)
        standby.start()
    if not plan.database_running:
        server.stop()
    return standby


def _forwards(plan: Plan, endpoints: Endpoints, writer: Path, standby: Standby | None) -> dict[str, Path | None]:
    """The endpoints that the bastion knows, and where each leads on this machine."""
    if not plan.way.endpoint_known:
        return {}
    names = (endpoints.writer, endpoints.reader, endpoints.instance)
    forwards: dict[str, Path | None] = dict.fromkeys(names, writer if plan.bastion_admitted else None)
    if standby is not None:
        forwards[endpoints.reader] = standby.socket
    if not plan.reader_reachable:
        del forwards[endpoints.reader]
    return forwards
