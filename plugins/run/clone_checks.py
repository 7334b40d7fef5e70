"""Judges a copy of the environment: by the checks that one can answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fixtures.clone.rehearsal import Refused
from fixtures.facts import Facts, with_needs
from health.check import Check
from health.config.environment import Environment
from health.evaluation import Evaluation, evaluate
from health.report.root_causes import explain
from health.sanitize import one_line
from health.words import listed
from plugins.run.check_catalog import checks_of_parts

_OF_A_COPY = {"recorded", "catalog"}  # a check that hangs on one of them can be judged on a copy
# What a copy has not, as the rows, and what the outside says of the database itself.
_OF_THE_ENVIRONMENT = {"data_session", "api_status", "auth_log", "worker_log", "runs", "triggered", "read_only_proof"}
_SHOWN = 3  # findings that a reason names


def judge_copy(facts: Facts) -> Evaluation:
    """Judge a copy by its facts."""
    return evaluate(_judged(facts), facts)


def _judged(facts: Facts) -> Iterator[Check]:
    """The checks that a copy can answer: with facts that come from it, and others that have been read."""
    known = facts.begun()
    environment: Environment = facts["environment"]
    for check in checks_of_parts(environment.parts).values():
        needs = with_needs(check.needs)
        own = {name for name in needs if with_needs([name]) & {"database", "catalog_session", "environment_copy"}}
        if needs & _OF_A_COPY and not needs & _OF_THE_ENVIRONMENT and with_needs(check.needs, known) <= own:
            yield check


def said(refused: Refused) -> str:
    """What PostgreSQL says to a script that it does not run."""
    return f"PostgreSQL says {refused.failure.sqlstate or 'no'}: {refused.failure}"


def named(judged: Evaluation, keys: Collection[str]) -> str:
    """Those of these findings that no other one of them explains."""
    causes = explain(judged.all)
    roots = [found for found in judged.all if found.key in keys and causes.get(found.key) not in keys]
    return listed([one_line(f"{found.code}, {found.subject}") for found in roots], _SHOWN, "; ")
