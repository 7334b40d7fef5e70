"""Plans of several steps, carried out as printed by psql, a person and Prisma's engine: they end as told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import prisma
from tests.engine.prisma import Engine7
from tests.engine.test_mending import apply, judged, missing
from tests.support import sandbox as harness
from tests.support.cases import PLACE

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

# What a person may decide of the rows that a step lists.
DECIDED = 'DELETE FROM "User" WHERE "id" <> (SELECT min("id") FROM "User");'
CASES = (
    "half-applied-and-next-exists", "objects-exist-and-later-half-applied", "half-applied-and-next-over-duplicates",
    "failed-over-duplicates",
)  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_plan_ends_in_a_good_deploy(name: str, tmp_path: Path) -> None:
    with harness.sandbox(case=PLACE / "history" / name) as entry, judged(harness.environment(entry)) as world:
        target = world.copy("planned")
        assert world.fixes[-1].title.startswith("Deploy")
        for fix in world.fixes:
            if fix.kind == "decision":
                listed = f"DO $$ BEGIN ASSERT EXISTS ({fix.body.rstrip(';')}) = {{}}; END $$"
                world.sql(target, listed.format("true"))
                world.sql(target, DECIDED)
                world.sql(target, listed.format("false"))
            else:
                apply(world, fix, {target: Engine7}, tmp_path)
        engine = Engine7(world.url(target), world.env.migrations)
        assert engine.deploy().applied == ()
        assert engine.status().exit_code == 0
        assert missing(world.catalog(target), world.fresh) == {}
