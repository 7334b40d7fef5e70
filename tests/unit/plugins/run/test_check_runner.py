"""What the reports of a target carry beside their own check."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from health.report.record import FactsOverview
from plugins.run import check_runner
from plugins.run.fact_fixtures import FACT_SETS

READ, DUMPED = FactsOverview({"region": "a"}), FactsOverview({"region": "a", "clone": "b"})


def news(names: str, *overviews: FactsOverview | None) -> list[FactsOverview | None]:
    known, stash = iter(overviews), pytest.Stash()
    facts: Any = SimpleNamespace(overview=lambda _: next(known))
    stash[FACT_SETS] = facts
    made: list[Any] = []
    config, session = SimpleNamespace(stash=stash), SimpleNamespace(items=made, stash=pytest.Stash())
    for name in names:
        callspec = SimpleNamespace(params={"facts": name})
        made.append(SimpleNamespace(callspec=callspec, config=config, session=session))
    return [check_runner._news(item) for item in made]


def test_facts_travel_once() -> None:
    assert news("aaaa", READ, READ) == [READ, None, None, None]


def test_what_a_rehearsal_has_read_travels_with_the_last_report() -> None:
    assert news("aaaa", READ, DUMPED) == [READ, None, None, DUMPED]


def test_every_target_has_its_own_facts() -> None:
    assert news("aabb", READ, READ, DUMPED, DUMPED) == [READ, None, DUMPED, None]


def test_without_facts_nothing_travels() -> None:
    assert news("aa", None, None) == [None, None]
