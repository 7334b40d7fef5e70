"""An environment of every version, dumped and loaded into a clone of the same version, and by the newest pg_dump."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.clone.environment_copy import EnvironmentCopy
from fixtures.clone.pg_dump import dump
from fixtures.clone.server import CloneServer
from fixtures.clone.servers import local
from health.catalog.changes import difference
from health.clone.server_choice import dumping
from tests.support.lineage import FRIGG, Live, applied
from tests.support.postgres_versions import PostgresVersions
from tests.unit.fixtures.database.test_fingerprint import SQL_BODY, VIEWS, ZOO

BY_HAND = "CREATE TABLE \"ByHand\" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text[] NOT NULL DEFAULT '{}')"


@pytest.fixture
def environment(server: CloneServer, each_major: int) -> Iterator[Live]:
    """Frigg's schema, and beside it what somebody has made: the migrations alone do not make it."""
    with applied(server, FRIGG) as live:
        live.run(BY_HAND, ZOO, VIEWS if each_major >= 14 else VIEWS.replace(SQL_BODY, ""))
        yield live


def test_the_environment_is_copied(environment: Live, each_major: int, postgres_versions: PostgresVersions) -> None:
    with postgres_versions.server(each_major) as other:
        environment.server = other
        made: EnvironmentCopy = environment.read()["environment_copy"]
        with made.copy("one") as copy:
            assert difference(environment.copy.catalog().objects, copy.catalog().objects) == ()
            assert copy.fingerprint() == environment.copy.fingerprint()
        dumper = dumping(local.dumpers(), each_major, each_major)
        assert dumper is not None
        assert (made.dumped or "").startswith(f"pg_dump {dumper.major}.")
        environment.close()


def test_what_the_newest_pg_dump_writes_is_loaded(environment: Live, server: CloneServer) -> None:
    environment.run("COMMENT ON SCHEMA public IS 'ours'")  # its owner alone may say so
    newest = max(local.dumpers(), key=lambda each: each.major)
    with server.database("loaded") as copy:
        assert copy.run(dump(Path(newest.place), environment.login, "public")) is None
        assert copy.fingerprint() == environment.copy.fingerprint()
