"""``--save FILE`` and ``--save-case DIR``: gather what a run has read, and what came of trying fixes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fixtures.facts import Facts
from fixtures.parts import instead_of_absent
from health.config.environment import Environment
from health.finding import CouldNotCheck, NothingToCheck
from health.report.record import FactsOverview
from health.saved.run import SavedFact, SavedRun, SavedTarget, without_secrets
from migration_health import __version__
from plugins.redaction.values import hidden
from plugins.run.fact_fixtures import FACT_SETS, distributed
from plugins.run.items import by_target, check_of
from plugins.run.options import RUN
from plugins.run.rehearsals import REHEARSALS
from plugins.run.replay import type_of
from plugins.run.user_files import from_here

SAVED = pytest.StashKey[SavedRun]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add = parser.getgroup("migration health").addoption
    add("--save", metavar="FILE", help="keep what was read in a file, for --replay; no secret is in it")
    add("--save-case", metavar="DIR", help="describe the environment in a directory, for --env=local --case")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Refuse what does not go with it, and a file that cannot be written: such a run must not begin."""
    for option in [name for name in ("save", "save_case") if getattr(config.option, name) is not None]:
        _refuse(config, f"--{option.replace('_', '-')}")
    if config.option.save_case is not None:
        _require_new_directory(config)
    if config.option.save is None:
        return
    file = from_here(config, config.option.save)
    if file.is_dir() or not file.parent.is_dir() or not os.access(file.parent, os.W_OK | os.X_OK):
        what = "is a directory" if file.is_dir() else f"cannot be written in {file.parent}"
        raise pytest.UsageError(f"--save: {file.name} {what}. Name a file in a directory that you may write to.")


def _refuse(config: pytest.Config, option: str) -> None:
    if config.option.migrate or config.option.editing is not None:
        other = "--migrate" if config.option.migrate else "--editing"
        raise pytest.UsageError(f"{option} does not go with {other}: it keeps one judgement. Leave one of them out.")
    if distributed(config):
        raise pytest.UsageError(f"{option} does not go with -n: one process holds all facts. Leave one of them out.")


def _require_new_directory(config: pytest.Config) -> None:
    if len(config.stash[RUN].targets) > 1:
        raise pytest.UsageError("--save-case describes one environment. Name one.")
    place = from_here(config, config.option.save_case)
    there = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    new = place.parent.is_dir() and os.access(place.parent, os.W_OK | os.X_OK)
    if any(place.iterdir()) if there else place.exists() or not new:
        raise pytest.UsageError(
            f"--save-case: {place} is not empty, or cannot be written. Name a new directory where you may write."
        )


# Innermost: the facts are freed by plugins.run.fact_fixtures when this has ended.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[Any]:
    """Gather what was read, also where the loop ended early; who interrupts it waits for nothing."""
    options, interrupted = session.config.option, False
    try:
        return (yield)
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        wanted = (options.save or options.save_case) and session.config.stash[RUN].replay is None
        if wanted and not options.collectonly and not interrupted:
            session.config.stash[SAVED] = _run(session)


def _run(session: pytest.Session) -> SavedRun:
    config = session.config
    run, readings = config.stash[RUN], config.stash[FACT_SETS]
    targets = ((name, facts) for name in run.targets if (facts := readings.read(name)) is not None)
    saved_at = datetime.now(UTC).isoformat(timespec="seconds")
    judged = tuple(_target(session, name, facts) for name, facts in targets)
    return SavedRun(__version__, saved_at, run.fail_on, run.waivers, judged)


def _target(session: pytest.Session, name: str, facts: Facts) -> SavedTarget:
    config, environment = session.config, facts["environment"]
    if facts.read_already("as_migrated") is not True:
        with suppress(CouldNotCheck, NothingToCheck):  # kept as its outcome
            _ = facts["schema_sql"]
    checks = [check.id for item in by_target(session).get(name, ()) if (check := check_of(item)) is not None]
    rehearsal = config.stash.get(REHEARSALS, {}).get(name)
    absent = instead_of_absent(environment.parts)
    return SavedTarget(
        name=name,
        environment=without_secrets(environment),
        phase=config.stash[RUN].targets[name].phase,
        checks=tuple(checks),
        facts={
            each: SavedFact.of(read, type_of(each), hidden)
            for each, read in sorted(facts.outcomes().items())
            if each not in absent
        },
        overview=config.stash[FACT_SETS].overview(name) or FactsOverview(),
        findings=tuple(rehearsal.findings) if rehearsal is not None else (),
        plan=rehearsal.plan if rehearsal is not None else None,
        invariants=_invariants(environment),
    )


def _invariants(environment: Environment) -> dict[str, str]:
    """The files of a team's own, as they were collected."""
    if environment.invariants == Path():
        return {}
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(environment.invariants.glob("*.sql"))}
