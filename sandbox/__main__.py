"""``python -m sandbox``: start the local environment, print its registry entry, end with standard input."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from fixtures.files import read_migrations
from fixtures.postgres import PostgresError, PrivatePostgres
from fixtures.private import private_directory
from health.finding import CouldNotCheck
from health.secret import Secret
from sandbox.faults import FAULTS, apply
from sandbox.plan import LOCAL, Plan


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--fault", action="append", default=[], choices=sorted(FAULTS))
    parser.add_argument("--migrations", type=Path)
    parser.add_argument("--list-faults", action="store_true", help="print all faults as JSON")
    options = parser.parse_args(arguments)
    if options.list_faults:
        told = ("name", "does", "raises", "unanswered")
        faults = [{key: getattr(fault, key) for key in told} for fault in FAULTS.values()]
        print(json.dumps(faults))
        return 0
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: sys.exit(0))  # leaves through the blocks below, which free everything
    with ExitStack() as stack:
        try:
            entry = start(options.fault, options.migrations, stack)
        except (PostgresError, CouldNotCheck, OSError) as error:
            print(json.dumps({"error": str(error)}), flush=True)
            return 1
        print(json.dumps({"environment": entry}), flush=True)
        sys.stdin.read()
    return 0


def start(faults: list[str], migrations: Path | None, stack: ExitStack) -> dict[str, Any]:
    """Start everything, owned by ``stack``; gives the environment's registry entry."""
    from sandbox.api import API_ID, routes  # after --list-faults, which is to be quick
    from sandbox.aws import aws_server, seed
    from sandbox.front import Front, Static

    for name in [name for name in os.environ if name.startswith(("AWS_", "PG"))]:
        del os.environ[name]  # real credentials and settings have no business here
    plan = Plan()
    apply(plan, faults)
    directory = stack.enter_context(private_directory("sandbox"))
    url = stack.enter_context(aws_server())
    postgres = PrivatePostgres(directory, Secret(plan.database_password))
    stack.callback(postgres.stop)
    pool = stack.enter_context(ThreadPoolExecutor())
    front = Front(modes=plan.aws_modes)
    front.statics[f"/v2/apis/{API_ID}/routes"] = Static(json.dumps(routes(plan)).encode())
    front.start()
    seeding = pool.submit(seed, url, plan, front)
    starting = pool.submit(postgres.start)

    from sandbox import database
    from sandbox.api import FriggApi
    from sandbox.application import Application
    from sandbox.bastion import USER, Bastion
    from sandbox.deploy import deploy
    from sandbox.runs import Runs

    application = Application(directory)
    application.write_migrations(plan, migrations)
    application.write_prisma()
    bastion = Bastion(application.key, application.known_hosts)
    bastion.start()
    starting.result()
    last = database.fill(postgres.port, plan, read_migrations(application.migrations, "").migrations)
    if plan.edit is not None and last is not None:
        application.edit(last.name, plan.edit)
    if plan.lock_held:
        stack.callback(database.hold_lock(postgres.port, plan.database_password).close)
    if not plan.database_running:
        postgres.stop()
    aws, endpoints = seeding.result()
    where = postgres.port, plan.database_password, application.migrations
    api = FriggApi(plan, database.reader(*where), Runs(aws.clients(), partial(deploy, *where)))
    api.start()
    application.write_script(plan, endpoints)
    bastion.forwards.update(dict.fromkeys(vars(endpoints).values(), postgres.port))
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
        "functions": {"auth": f"{LOCAL.prefix}auth", "worker": f"{LOCAL.prefix}dbMigrationWorker"},
        "secret": f"{LOCAL.prefix}db-credentials",
        "cluster_prefix": LOCAL.prefix,
        "bastion_address": LOCAL.bastion_address,
        "ssh_user": USER,
        "ssh_port": bastion.port,
        "ssh_key": str(application.key),
        "known_hosts": str(application.known_hosts),
        "app": str(application.root),
        "tunnel_script": str(application.script),
        "migrations": str(application.migrations.absolute()),
        "limits": plan.limits,
    }


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the servers' threads are daemons with nothing left to do
