"""Migrations on every version: what each of them does, and a history that is mended."""

from __future__ import annotations

import pytest

from fixtures.clients import cache
from fixtures.clone.server import CloneServer, clone
from tests.support.effort import seeds
from tests.support.lineage import FRIGG, applied, directory
from tests.support.random_history import random_history
from tests.unit.fixtures.database.test_fingerprint import SQL_BODY, VIEWS, ZOO


def test_a_replay_is_the_same_as_on_the_newest(
    server: CloneServer, each_major: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "load", lambda _: None)  # each runs them itself
    views = VIEWS if each_major >= 14 else VIEWS.replace(SQL_BODY, "")
    with clone("public") as newest:
        for files in (FRIGG, directory({"1_zoo": ZOO, "2_views": views, "3_fails": "CREATE TABLE child (a int)"})):
            told = []
            for each in (newest, server):
                with applied(each, directory({})) as live:
                    live.directory = files
                    read = live.read()
                    told.append((read["replay"].changes, read["replay"].failed))
            assert told[0] == told[1]
            assert set(told[0][0]) | set(told[0][1]) == set(files.by_name)


@pytest.mark.parametrize("seed", seeds(2))
def test_random_migrations_make_the_same_on_the_newest(server: CloneServer, seed: int) -> None:
    history = random_history(seed)
    ran = []
    with clone("public") as newest:
        for each in (newest, server):
            with each.database("random") as copy:
                said = [copy.run(sql) for sql in (*history.migrations.values(), *history.rows, *history.hands)]
                ran.append(([each and each.sqlstate for each in said], copy.catalog().objects, copy.fingerprint()))
    assert ran[0] == ran[1]


def test_a_failed_migration_is_mended_and_deployed(server: CloneServer) -> None:
    last = FRIGG.migrations[-1]
    with applied(server, FRIGG, last.name) as live:
        live.record(last.name, "failed", "ERROR: lock timeout")
        assert list(live.read()["history"].failed_by_name) == [last.name]
        live.mend()
        assert live.deploy() is None
        assert live.codes() == {}
