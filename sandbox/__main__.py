"""``python -m sandbox``: start the local environment, print its registry entry, end with standard input."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fixtures.clients.private_directory import private_directory
from fixtures.clone.servers.private_postgres import PostgresError, PrivatePostgres
from health.finding import CouldNotCheck
from health.secrets.secret import Secret
from sandbox.faults import FAULTS, apply
from sandbox.owner import end_with_input
from sandbox.plan import Plan, password


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--fault", action="append", default=[], choices=sorted(FAULTS))
    parser.add_argument("--migrations", type=Path)
    parser.add_argument("--case", type=Path, help="a directory that describes the whole state")
    parser.add_argument("--postgres", type=int, metavar="MAJOR", help="the server's version")
    parser.add_argument("--progress", action="store_true", help="print a line as JSON for what is waited for, too")
    parser.add_argument("--list-faults", action="store_true", help="print all faults as JSON")
    options = parser.parse_args(arguments)
    if options.list_faults:
        told = ("name", "does", "raises", "unanswered")
        faults = [{key: getattr(fault, key) for key in told} for fault in FAULTS.values()]
        print(json.dumps(faults))
        return 0
    if options.case is not None and (options.fault or options.migrations):
        parser.error("--case is the whole state: it goes with neither --fault nor --migrations")
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: sys.exit(0))  # leaves through the blocks below, which free everything
    end_with_input()
    with ExitStack() as stack:
        try:
            entry = start(options, stack)
        except CouldNotCheck as error:
            return _refuse(error.what, error.where, error.remedy)
        except PostgresError as error:
            return _refuse(str(error), "python -m sandbox", "Nothing was started.")
        except OSError as error:
            return _refuse(error.strerror or str(error), error.filename or "python -m sandbox", "Nothing was started.")
        print(json.dumps({"environment": entry}), flush=True)
        threading.Event().wait()  # until one of the signals
    return 0


def _refuse(what: str, where: str, remedy: str) -> int:
    print(json.dumps({"error": {"what": what.rstrip("."), "where": where, "remedy": remedy}}), flush=True)
    return 1


def _installation(wanted: int | None) -> tuple[int, Path | None]:
    """The server's version, and where its programs are; none: in the wheel."""
    from fixtures.clone.servers import local, npm_postgres

    if wanted is None:  # where npm's is there, it has more extensions than the wheel's
        return npm_postgres.NEWEST, npm_postgres.kept(npm_postgres.NEWEST)
    found = (Path(each.place) for each in local.installations() if each.major == wanted)
    if (programs := next(found, None)) is None:
        what = f"there is no PostgreSQL {wanted} on this machine"
        raise CouldNotCheck(what, "--postgres", f"--fetch-postgres {wanted} downloads it.")
    return wanted, programs


def start(options: argparse.Namespace, stack: ExitStack) -> dict[str, Any]:
    """Start everything, owned by ``stack``; gives the environment's registry entry."""
    from sandbox.api.server import API_ID, routes
    from sandbox.aws.proxy import AwsProxy, Static
    from sandbox.aws.seed import Endpoints, Seed, aws_server, seed
    from sandbox.case import read_case
    from sandbox.database import extension
    from sandbox.database.master import SUPERUSER  # after --list-faults, which is to be quick

    for name in [name for name in os.environ if name.startswith(("AWS_", "PG"))]:
        del os.environ[name]  # real credentials and settings have no business here
    plan = Plan(case=read_case(options.case) if options.case is not None else None)
    apply(plan, options.fault)
    if plan.case is not None:
        plan.extensions.update(plan.case.extensions)
    directory = stack.enter_context(private_directory("sandbox"))
    url = stack.enter_context(aws_server(directory))
    major, programs = _installation(options.postgres)
    settings = extension.settings(directory, plan.extensions, major)
    own = Secret(secrets.token_urlsafe(24))
    postgres = PrivatePostgres(directory, own, programs=programs, superuser=SUPERUSER, settings=settings)
    stack.callback(postgres.stop)
    pool = stack.enter_context(ThreadPoolExecutor())
    front = AwsProxy(token=Secret(password()), modes=plan.aws_modes)
    front.statics[f"/v2/apis/{API_ID}/routes"] = Static(json.dumps(routes(plan)).encode())
    front.start()
    seeding = pool.submit(seed, url, plan, front)
    starting = pool.submit(postgres.start)

    from sandbox.environment import assemble  # while both are at work: this imports much

    def tell(waits_for: str) -> None:
        if options.progress:
            print(json.dumps({"waits_for": waits_for}), flush=True)

    def started() -> PrivatePostgres:
        tell("its PostgreSQL")
        starting.result()
        tell("its database to be filled")
        return postgres

    def seeded() -> tuple[Seed, Endpoints]:
        tell("its AWS")
        return seeding.result()

    return assemble(plan, options.migrations, directory, front=front, postgres=started, seeded=seeded, stack=stack)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the servers' threads are daemons with nothing left to do
