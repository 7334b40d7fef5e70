"""The life of a plain application with Prisma itself: init, add, break, fix; the gate before and after each deploy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine import prisma
from tests.engine.prisma import Cli6, Engine7
from tests.support.gate_runs import Result, run
from tests.support.plain_application import EMAIL, INIT, MIGRATIONS, Server, Shop, serving, suite

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

BREAKING = "20260103000000_breaking"
NOT_NULL = 'ALTER TABLE "Customer" ADD COLUMN "phone" TEXT NOT NULL;\n'
WITH_DEFAULT = 'ALTER TABLE "Customer" ADD COLUMN "phone" TEXT NOT NULL DEFAULT \'\';\n'
UNIQUE = 'CREATE UNIQUE INDEX "Customer_email_key" ON "Customer"("email");\n'
ROWS = """INSERT INTO "Customer" ("name", "email") VALUES ('Ann', 'ann@x'), ('Ann again', 'ann@x')"""


@dataclass
class Life:
    """An application with an entry in a registry, its engine, and what a person does."""

    shop: Shop
    engine: Cli6 | Engine7

    def gate(self, phase: str = "before") -> Result:
        """Judge the environment; the record of it is read by :meth:`findings`."""
        report = self.shop.root / "report"
        arguments = ("--env=database", f"--phase={phase}", f"--report={report}")
        return run(*suite(), *arguments, cwd=self.shop.root, env={"DATABASE_URL": self.shop.url})

    def healthy(self, phase: str = "before") -> Result:
        result = self.gate(phase)
        assert result.status == 0, result.text
        assert "database: HEALTHY" in result.out
        return result

    def findings(self) -> dict[str, dict[str, Any]]:
        """Those of the last run that no other explains, by their code."""
        (environment,) = json.loads((self.shop.root / "report/report.json").read_text())["environments"]
        every = [finding for check in environment["checks"] for finding in check["findings"]]
        return {finding["code"]: finding for finding in every if not finding["explained_by"]}

    def apply(self, code: str) -> None:
        """Run the fix that stands first in the plan, as it was printed."""
        (fix,) = [each for each in self.findings()[code]["fixes"] if each["order"] == 1]
        assert (fix["kind"], fix["proof"]["status"]) == ("sql", "proven")
        self.shop.sql(fix["body"])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture(params=[Cli6, Engine7], ids=["6", "7"])
def life(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Life:
    shop = Shop(server, tmp_path / "shop", migrations={INIT: MIGRATIONS[INIT]})
    version = {Cli6: "6.19.3", Engine7: "7.10.1"}[request.param]
    shop.write("package.json", json.dumps({"name": "shop", "devDependencies": {"prisma": version}}))
    made = run(*suite(), "--init", cwd=shop.root)
    assert made.status == 0, made.text
    return Life(shop, request.param(shop.url, shop.root / "prisma/migrations"))


def add_rows(life: Life) -> None:
    life.shop.sql(ROWS)


def give_a_default(life: Life) -> None:
    life.shop.add(BREAKING, WITH_DEFAULT)


def remove_the_duplicate(life: Life) -> None:
    life.shop.sql("""DELETE FROM "Customer" WHERE "name" = 'Ann again'""")


@pytest.mark.parametrize(
    ("script", "sqlstate", "words", "decide"),
    [
        (NOT_NULL, "23502", "Null constraint", give_a_default),
        (UNIQUE, "23505", "Unique constraint failed", remove_the_duplicate),
    ],
    ids=["not-null", "unique"],
)
def test_the_gate_tells_what_the_engine_then_does(
    life: Life, script: str, sqlstate: str, words: str, decide: Callable[[Life], None]
) -> None:
    # a database that is new
    assert "deploy applies 1 migration" in life.healthy().out
    assert life.engine.deploy().applied == (INIT,)
    life.healthy("after")

    # a migration more
    life.shop.add(EMAIL, MIGRATIONS[EMAIL])
    life.healthy()
    assert set(life.findings()) == {"pending-migration"}
    assert life.engine.deploy().applied == (EMAIL,)
    life.healthy("after")
    assert life.findings() == {}

    # one that the rows forbid
    add_rows(life)
    life.shop.add(BREAKING, script)
    blocked = life.gate()
    assert blocked.status == 1
    assert "deploy stops with P3018" in blocked.out
    assert set(life.findings()) == {"pending-data-violates"}
    assert sqlstate in life.findings()["pending-data-violates"]["message"]
    ended = life.engine.deploy()
    assert ended.code == "P3018"
    assert words in ended.text

    # what has failed: nothing goes on without a fix
    blocked = life.gate("after")
    assert blocked.status == 1
    assert "failed-migration" in life.findings()
    assert life.engine.deploy().code == "P3009"
    decide(life)
    life.gate()
    life.apply("failed-migration")
    assert "deploy applies 1 migration" in life.healthy().out
    assert life.engine.deploy().applied == (BREAKING,)
    life.healthy("after")
    assert life.engine.deploy().applied == ()
