"""What --editing answers of a migration, against Prisma's own deploy after what it prints was done."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fixtures.clone.server import CloneServer, clone
from health.editing.report import EditingAnswer
from health.migrations.directory import MigrationDirectory
from plugins.commands.edit_answer import in_environments
from plugins.run.check_catalog import all_checks
from tests.engine import prisma
from tests.support.clone_servers import listening
from tests.support.edit_cases import CASES, NAME, EditCase
from tests.support.lineage import Live
from tests.support.load import patience

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))


@pytest.fixture(scope="module")
def server() -> Iterator[CloneServer]:
    all_checks()
    with clone("public", listening) as made:
        yield made


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_deploy_after_the_steps_ends_as_answered(server: CloneServer, case: EditCase, tmp_path: Path) -> None:
    with case.live(server) as live:
        answer = in_environments(NAME, {"dev": live.read()})
        _write(tmp_path, case.held)
        if answer.diff:
            _patch(tmp_path, answer)
        _clear(live, answer, case)
        ended = _deploy(live, tmp_path)
    if answer.answer[0] == 0:
        assert prisma.outcome(ended).exit_code == 0, ended
    assert (ended["refused"] or {}).get("code") == case.sqlstate


def _write(place: Path, held: MigrationDirectory) -> None:
    for migration in held.migrations:
        (place / migration.name).mkdir()
        (place / migration.name / "migration.sql").write_text(migration.sql or "")
    (place / "migration_lock.toml").write_text('provider = "postgresql"\n')


def _patch(place: Path, answer: EditingAnswer) -> None:
    subprocess.run(
        ["patch", "-p1", "-s", "-d", str(place)], input=answer.diff.encode(), check=True, timeout=patience(10)
    )


def _clear(live: Live, answer: EditingAnswer, case: EditCase) -> None:
    """Clear the failed row by what is printed."""
    bodies = [step.body for step in answer.steps if "as rolled back" in step.title]
    assert bool(bodies) == (case.failed and answer.leads_on)
    for body in bodies:
        assert live.psql(body) is None


def _deploy(live: Live, place: Path) -> dict[str, Any]:
    login = live.login
    user, password = login.user, quote(login.password.reveal(), safe="")
    url = f"postgresql://{user}:{password}@{login.host}:{login.port}/{login.database}"
    (ended,) = prisma.deploy_each("6.19.3", [(url, place)])
    return ended
