"""``--phase nightly --history``: nights one after the other, over a real database."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from tests.support import sandbox as harness
from tests.support.effort import full
from tests.support.gate_runs import Result, run
from tests.support.plain_application import EMAIL, PASSWORD, VARIABLE, Shop

CHECK = ("-k", "no_failed_migration", "--clone=off")
NIGHT = ("--phase=nightly",)


def repaired(shop: Shop) -> None:
    with shop.server.connect(shop.database) as session:
        session.execute("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL")


def drift_of(report: Path) -> dict[str, object]:
    (environment,) = json.loads((report / "report.json").read_text())["environments"]
    drift: dict[str, object] = environment["drift"]
    return drift


def test_a_finding_blocks_once_stands_and_goes(shop: Shop) -> None:
    shop.apply(failed=EMAIL)
    history, report = shop.root / "nights.jsonl", shop.root / "report"

    def night(*more: str) -> Result:
        return shop.gate(*CHECK, *NIGHT, f"--history={history}", f"--report={report}", *more)

    first = night()
    assert first.status == 1, first.text
    assert "exit status: 1 for a new error, 0 where every error was there before" in first.out
    assert f"+ new: error failed-migration {EMAIL}" in first.out
    second = night()
    assert second.status == 0, second.text
    assert "database: BLOCKED" in second.out
    assert f"= still there: error failed-migration {EMAIL}, since" in second.out
    drift = drift_of(report)
    assert [finding["subject"] for finding in drift["still"]] == [EMAIL]  # type: ignore[attr-defined]
    assert "### Nightly drift: 0 new, 0 gone, 1 still there" in (report / "summary.md").read_text()
    assert (report / "trend-database.svg").read_text().startswith("<svg")
    repaired(shop)
    with history.open("a") as file:
        file.write('{"tool": "migration-he')
    third = night()
    assert third.status == 0, third.text
    assert "1 line written by half, passed over" in third.out
    assert f"- gone: error failed-migration {EMAIL}" in third.out
    assert len(history.read_text().splitlines()) == 4
    assert PASSWORD not in history.read_text() + third.text


def test_a_night_without_an_answer_forgets_nothing(shop: Shop) -> None:
    shop.apply(failed=EMAIL)
    history = f"--history={shop.root / 'nights.jsonl'}"
    assert shop.gate(*CHECK, *NIGHT, history).status == 1
    nobody = {VARIABLE: f"postgresql://postgres:{'x' * 12}@127.0.0.1:1/{shop.database}"}
    blind = shop.gate(*CHECK, *NIGHT, history, env=nobody)
    assert blind.status == 10, blind.text
    assert "No verdict in this night." in blind.out
    assert "1 earlier finding of checks without an answer is kept" in blind.out
    again = shop.gate(*CHECK, *NIGHT, history)
    assert again.status == 0, again.text
    assert "0 new, 0 gone, 1 still there" in again.out


def test_nights_are_kept_in_a_table(shop: Shop) -> None:
    shop.apply(failed=EMAIL)
    other = shop.server.database()
    url = shop.server.url(other).replace(PASSWORD, "")
    place = url.rpartition("@")[2]
    words = (*CHECK, *NIGHT, f"--history=postgresql://postgres:${{NIGHTS}}@{place}")
    password = {"NIGHTS": url.partition("postgres:")[2].rpartition("@")[0]}
    assert [shop.gate(*words, env=password).status for _ in range(2)] == [1, 0]
    with shop.server.connect(other) as session:
        assert session.execute("SELECT count(*) FROM migration_health_nights").fetchone() == (2,)
    refused = shop.gate(*words, env={"NIGHTS": "wrong-password"})
    assert refused.status == 4
    assert "wrong-password" not in refused.text
    own = shop.gate(*CHECK, *NIGHT, f"--history=${{{VARIABLE}}}")
    assert (own.status, own.out) == (4, "")
    assert "is what is judged as database: nothing is written there" in own.err
    with pytest.raises(psycopg.errors.UndefinedTable), shop.server.connect(shop.database) as session:
        session.execute("SELECT FROM migration_health_nights")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--history=x.jsonl"], "--history compares nights. Add --phase nightly"),
        ([*NIGHT, "--history=package.json"], "is not of a history of migration-health"),
        ([*NIGHT, "--history=."], "Is a directory"),
        ([*NIGHT, "--history=no/such/directory/x"], "No such file or directory"),
        ([*NIGHT, "--history=x", "--history-nights=0"], "--history-nights: '0' is no number from 1 to 100000"),
        ([*NIGHT, "--history=postgresql://u:${NO_SUCH_NAME}@h/d"], "NO_SUCH_NAME is not set"),
        ([*NIGHT, "--history=postgresql://u@127.0.0.1:1/d"], "Check the URL"),
    ],
)
def test_a_history_that_cannot_be_used_is_one_line(shop: Shop, words: list[str], said: str) -> None:
    shop.write("package.json", '{"name": "shop"}')
    result = shop.gate(*CHECK, *words)
    assert (result.status, result.out) == (4, "")
    assert said in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert (shop.root / "package.json").read_text() == '{"name": "shop"}'


@pytest.mark.skipif(not full(), reason="--full")
def test_nights_of_a_sandbox(tmp_path: Path) -> None:
    with harness.sandbox("half-applied") as entry:
        words = [*harness.registry(tmp_path, entry), *NIGHT, f"--history={tmp_path / 'nights'}"]
        first, second = run(*words), run(*words, "-n2", f"--report={tmp_path / 'report'}")
    assert (first.status, second.status) == (1, 0), first.text + second.text
    drift = drift_of(tmp_path / "report")
    assert (drift["new"], drift["gone"], drift["changes"]) == ([], [], [])
    (kept,) = json.loads((tmp_path / "nights").read_text().splitlines()[0])["nights"]
    assert {"endpoint", "bastion", "server version"} <= kept["observed"].keys()
