"""Plans for random damaged histories, carried out by psql and Prisma's engine: what is called proven holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fixtures.clone.server import CloneServer, clone
from health.catalog.catalog import Key, describe
from health.catalog.parts import wholes
from health.finding import DEPLOY, NothingToCheck
from health.report.results import FindingResult
from plugins.run.check_catalog import all_checks
from plugins.run.check_runner import finding_result
from plugins.run.fix_rehearsal import FixRehearsal
from plugins.run.plan_rehearsal import Plan
from tests.engine import prisma
from tests.engine.test_engine import write
from tests.engine.test_mending import missing
from tests.support.clone_servers import listening
from tests.support.damaged_history import Damaged, damaged, fill, lost, put
from tests.support.effort import seeds
from tests.support.lineage import FORETOLD, JUDGED, Live, directory

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

AT_ONCE = 8
_JUDGED = JUDGED | {"drift", "data_check"}


@pytest.fixture(scope="module")
def server() -> Iterator[CloneServer]:
    with clone("public", listening) as made:
        yield made


@dataclass
class Carried:
    """A state whose plan is being carried out.

    Attributes:
        told: ``proven``, or why it is not.
        plan: the steps.
        rows: values of the tables, and where they were.
        fresh: the schema of a new database.
        url: of the database.
    """

    seed: int
    state: Damaged
    live: Live
    told: str
    plan: Plan
    rows: dict[str, str]
    fresh: dict[Key, str]
    stays: bool

    @property
    def url(self) -> str:
        login = self.live.login
        return f"postgresql://{login.user}:{quote(login.password.reveal())}@{login.host}:{login.port}/{login.database}"


def test_what_is_called_proven_ends_well_and_loses_nothing(server: CloneServer, tmp_path: Path) -> None:
    told: Counter[str] = Counter()
    wrong: list[str] = []
    chosen = seeds(16)
    for begin in range(0, len(chosen), AT_ONCE):
        with ExitStack() as made:
            some = [judge(server, made, seed) for seed in chosen[begin : begin + AT_ONCE]]
            told.update(each.told for each in some)
            wrong += carry_out([each for each in some if each.told == "proven"], tmp_path / str(begin))
    assert not wrong, "\n".join(wrong)
    assert told["proven"], told


def judge(server: CloneServer, made: ExitStack, seed: int) -> Carried:
    state = damaged(seed, server)
    with server.database("fresh") as copy:
        for script in state.migrations.values():
            copy.run(script)
        fresh = dict(copy.catalog().objects)
    copy = made.enter_context(server.database("live"))
    put(state, copy)
    rows = fill(copy)
    live = made.enter_context(closing(Live(server, copy, directory(state.migrations))))
    facts = live.read()
    checks = [
        each for each in all_checks().values()
        if set(each.needs) <= _JUDGED and each.id not in (FORETOLD, "entity-data-column")
    ]  # fmt: skip
    rehearsal = FixRehearsal(facts, "before")
    results: list[FindingResult] = []
    for check in checks:
        with suppress(NothingToCheck):
            for found in check.judge(facts):
                results.append(finding_result(found, check.severity_of(found, "before"), facts, None, rehearsal))
    outcome = rehearsal.to_the_end(results)
    plan = Plan.of(results, None if outcome is None else outcome.deploys)
    return Carried(
        seed, state, live, "no plan" if outcome is None else outcome.status, plan, rows, fresh,
        bool(outcome and outcome.stays),
    )  # fmt: skip


def carry_out(some: list[Carried], place: Path) -> list[str]:
    """Apply the plans as printed; gives what did not end as told."""
    place.mkdir()
    wrong, deploys = [], []
    for each in some:
        wrong += steps(each, before=True)
        deploys.append((each.url, write(place / str(each.seed), **each.state.migrations)))
    for each, answer in zip(some, prisma.deploy_each("6.19.3", deploys), strict=True):
        wrong += steps(each, before=False) + ended(each, answer)
    return wrong


def steps(each: Carried, *, before: bool) -> list[str]:
    said = [
        f"seed {each.seed}, {each.state.damages}: step {number} fails: {failed}"
        for number, fix in each.plan.steps
        if fix.kind == "sql" and (fix.rank < DEPLOY) is before and (failed := each.live.psql(fix.body)) is not None
    ]
    assert all(fix.kind in ("sql", "command") for _, fix in each.plan.steps), "a plan that a person decides is no proof"
    return said


def ended(each: Carried, answer: dict[str, Any]) -> list[str]:
    about = f"seed {each.seed}, {each.state.damages}"
    if "error" in answer:
        return [f"{about}: the engine says {answer['error']}"]
    told = {found.subject for found in each.plan.findings}
    lacks = {} if each.stays else {
        key: what for key, what in missing(each.live.objects, each.fresh).items()
        if not told.intersection(map(describe, (key, *wholes(key))))
    }  # fmt: skip
    gone = lost(each.live.copy, each.rows)
    found = [f"{about}: the schema lacks {lacks}"] if lacks else []
    return found + ([f"{about}: lost {gone}, by {[fix.title for _, fix in each.plan.steps]}"] if gone else [])
