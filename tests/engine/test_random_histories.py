"""The forecast on random histories with rows, against the deploy of Prisma's own engine on the same database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from fixtures.clone.server import CloneServer, clone
from fixtures.facts import Facts
from health.finding import CouldNotCheck, NothingToCheck
from health.history.history import History
from health.pending.data_check import DataCheck
from health.pending.forecast import Forecast
from tests.engine import prisma
from tests.engine.test_engine import write
from tests.engine.test_forecast import FailurePoint, answered, outcome
from tests.support import npm_servers
from tests.support.clone_servers import listening
from tests.support.effort import full, seeds
from tests.support.lineage import Live, directory, live
from tests.support.random_history import RandomHistory, random_history

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

AT_ONCE = 10  # of one process of the engine
OF_A_VERSION, OF_ITS_FEW = 40, 5  # histories
_DEFECT = "defect of the suite"
LEAST = 0.8  # of the histories, of which something is foreseen


@pytest.fixture(scope="module")
def server() -> Iterator[CloneServer]:
    with clone("public", listening) as made:
        yield made


def test_the_forecast_is_the_deploy(server: CloneServer, tmp_path: Path) -> None:
    seen = agreement(server, tmp_path, seeds(40))
    assert seen["agreed"] >= LEAST * seen.total(), seen


@pytest.mark.parametrize("major", npm_servers.majors())
def test_the_forecast_is_the_deploy_on_every_version(major: int, tmp_path: Path) -> None:
    programs = npm_servers.programs(major)
    chosen = seeds(OF_A_VERSION)[: OF_A_VERSION if full() else OF_ITS_FEW]
    with clone("public", lambda owned: listening(owned, programs, major)) as made:
        assert made.major == major
        seen = agreement(made, tmp_path, chosen)
    assert seen.total() == len(chosen)
    assert seen["agreed"] >= (LEAST * len(chosen) if full() else 1), seen


def agreement(server: CloneServer, place: Path, chosen: list[int]) -> Counter[str]:
    """How often each answer came of these seeds; it fails where one is wrong."""
    seen: Counter[str] = Counter()
    wrong: list[str] = []
    for begin in range(0, len(chosen), AT_ONCE):
        some = chosen[begin : begin + AT_ONCE]
        for seed, said in zip(some, compare(server, place / str(begin), some), strict=True):
            seen[said.partition(":")[0]] += 1
            if said.startswith("wrong"):
                wrong.append(f"seed {seed}: {said}")
    assert not wrong, "\n".join(wrong)
    return seen


def compare(server: CloneServer, place: Path, some: list[int]) -> list[str]:
    """What came of each seed: ``agreed``, ``not foreseen`` or ``wrong``, with the reason."""
    place.mkdir()
    told: list[FailurePoint | str] = []
    cases, deploys = [], []
    with ExitStack() as made:
        for seed in some:
            history = random_history(seed)
            database = made.enter_context(live(server, directory(dict(history.migrations))))
            pending = put_in_place(database, history)
            told.append(foreseen(database.read()))
            login = database.login
            url = (
                f"postgresql://{login.user}:{quote(login.password.reveal())}@{login.host}:{login.port}/{login.database}"
            )
            deploys.append((url, write(place / str(seed), **history.migrations)))
            cases.append(pending)
            database.copy.close()  # the engine has sessions of its own
        answers = prisma.deploy_each("6.19.3", deploys)
    return [judged(ours, answered(answer, case), case) for ours, answer, case in zip(told, answers, cases, strict=True)]


def put_in_place(database: Live, history: RandomHistory) -> dict[str, str]:
    """Apply what is applied, each as far as it runs; gives what is left pending."""
    names = list(history.migrations)
    pending = dict(history.migrations)
    for name in names[: history.applied]:
        if database.copy.run(history.migrations[name]) is not None:
            break  # what does not run was never applied
        database.record(name)
        del pending[name]
    for statement in (*history.rows, *history.hands):
        database.copy.run(statement)
    return pending


def foreseen(facts: Facts) -> FailurePoint | str:
    """Where the deploy ends, as foreseen; a text where that is not said."""
    try:
        forecast: Forecast = facts["forecast"].required()
        data: DataCheck = facts["data_check"]
    except (CouldNotCheck, NothingToCheck) as error:
        return str(error)
    history: History = facts["history"]
    if history.pending and not history.recorded.rows and history.recorded.base_tables:
        return "the whole history is missing, which is a finding of its own"
    if data.unknown is not None:
        return data.unknown.why_unanswered
    point = outcome(forecast, data)
    unasked = [each for each in data.answers if each.requirement.why_unasked or each.why_unanswered]
    if unasked and (point.migration is None or unasked[0].requirement.migration <= point.migration):
        return f"{point} or {unasked[0].requirement}"
    clear = [each for each in forecast.migrations if each.said and each.failing is None]
    return str(clear[0].said[0]) if clear else point


def judged(ours: FailurePoint | str, theirs: FailurePoint, case: dict[str, str]) -> str:
    if isinstance(ours, str):
        return f"wrong: {ours}: {case}" if _DEFECT in ours else f"not foreseen: {ours}"
    return "agreed" if ours.like(theirs) else f"wrong: {ours} for {theirs}: {case}"
