"""Another user of the machine attacks the server of clones: its superuser is nowhere to be reached."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from fixtures.clone.servers import RunningServer, local
from tests.attack.local_environment.strangers import STRANGERS, listeners, needs_root, run
from tests.sandbox.test_sandbox import descendants

ATTEMPTS = """
def attempt(path):
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(path)
    except OSError as error:
        return error.errno
    return 'connected'
print(json.dumps([attempt(arguments['path']), [reached for reached in arguments['others'] if os.path.exists(reached)]]))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with ExitStack() as stack:
        yield local.start(local.installations()[0], stack)


def test_a_clones_server_listens_on_no_port(server: RunningServer) -> None:
    own = {pid for pid, command in descendants(os.getpid()).items() if "postgres" in command}
    assert own
    assert listeners(own) == set()


@pytest.mark.parametrize("password", ["", "postgres", None])
def test_its_superuser_needs_the_password(server: RunningServer, password: str | None) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=server.host, port=server.port, user=server.user, password=password, dbname="postgres")


@needs_root
@pytest.mark.parametrize("uid", STRANGERS)
def test_another_user_does_not_reach_its_socket(server: RunningServer, uid: int) -> None:
    socket = Path(server.host) / f".s.PGSQL.{server.port}"
    assert socket.exists()
    others = [str(path) for path in socket.parent.parent.iterdir()]
    assert run(uid, ATTEMPTS, path=str(socket), others=others) == [13, []]
