"""After the edit: what to do, in order, by the parts that the environments have."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.clone.server import CloneServer
from fixtures.facts import Facts
from health.editing.report import EditingAnswer
from health.parts import EVERY, Part
from health.prisma.version import PrismaVersion
from plugins.commands.edit_answer import NEEDED, in_environments
from tests.support.edit_cases import CASES, NAME
from tests.support.lineage import environment


def plain(server: CloneServer, case: str, parts: frozenset[Part] = frozenset(), place: str = "/app") -> EditingAnswer:
    """Ask about an environment that has these parts, and a login in place of a tunnel."""
    known = replace(
        environment(), name="staging", parts=parts, deploy="npx prisma migrate deploy", app=Path(place),
        migrations=Path(place) / "prisma" / "migrations",
    )  # fmt: skip
    with CASES[case].live(server) as live:
        given = {
            "clone_server": server, "database_login": live.login, "migrations": live.directory,
            "prisma": PrismaVersion(live.prisma, "test"), "api_routes": None,
        }  # fmt: skip
        with closing(Facts(known, given)) as read:
            read.start(NEEDED)
            answer = in_environments(NAME[:3], {"staging": read})
            begun = read.begun()
    assert not begun & {"aws", "accounts", "tunnel", "bastion", "secret_read", "functions", "api_status"}
    return answer


def titles(answer: EditingAnswer) -> list[str]:
    return [step.title for step in answer.steps]


def test_plain_database_needs_no_aws_and_names_its_own_steps(server: CloneServer) -> None:
    answer = plain(server, "half run")
    assert answer.answer == (0, "may be edited: applied nowhere; the edit below is proven in staging")
    assert titles(answer) == [
        "Apply the edit, which --report=DIR writes as a file:",
        "Mark the failed row as rolled back in staging, by psql as the owner of the tables:",
        "Commit the file:",
        "Build anew the image or bundle that carries the migrations, if one does.",
        "Deploy staging:",
    ]
    bodies = [step.body for step in answer.steps]
    assert bodies[0] == "patch -p1 -d /app/prisma/migrations < 2_edit.patch"
    assert bodies[2] == "git -C /app/prisma/migrations commit -- /app/prisma/migrations/2_edit/migration.sql"
    assert bodies[4] == "npx prisma migrate deploy"
    assert not answer.warnings


def test_rows_are_corrected_before_the_failed_row_is_cleared(server: CloneServer) -> None:
    answer = plain(server, "failed on duplicates")
    assert answer.answer[0] == 1
    assert titles(answer)[:2] == [
        "Correct the rows of staging that are named above. Then ask again.",
        "Mark the failed row as rolled back in staging, by psql as the owner of the tables:",
    ]


@pytest.mark.parametrize("parts", [EVERY - {Part.TUNNEL}, frozenset({Part.LAYER})])
def test_layer_is_rebuilt_between_commit_and_deploy(server: CloneServer, parts: frozenset[Part]) -> None:
    answer = plain(server, "half run", parts, place="/app/node_modules/@friggframework/core")
    kept, layer, deploy = titles(answer)[-3:]
    assert kept == "Keep the edit as a patch of the package, and commit it:"
    assert layer.startswith("Rebuild the layer: build-prisma-layer.js of @friggframework/devtools")
    assert deploy == "Deploy staging:"
    assert answer.steps[-2].body == "rm -f -- /app/layers/prisma/.build-complete"
    assert answer.steps[-3].body.startswith("cd /app && npx patch-package @friggframework/core && git add patches")
